"""Carts, orders, their history, and the copy of what the catalogue offers."""

from alembic import op

from oja_events import schema
from oja_web.idempotency_store import create_idempotency_table

revision = "0001"
down_revision = None


def upgrade() -> None:
    schema.create_v1(op)
    create_idempotency_table(op)
    op.execute("""
        CREATE SEQUENCE order_number START 100001;

        CREATE TABLE orders (
            id uuid PRIMARY KEY,
            number text NOT NULL UNIQUE,
            customer_id uuid NOT NULL,
            contact jsonb NOT NULL,
            lines jsonb NOT NULL,
            shipping_address jsonb NOT NULL,
            note text,
            total_amount bigint NOT NULL,
            currency text NOT NULL,
            status text NOT NULL,
            payment_status text NOT NULL,
            payment_reference text,
            refund_references text[] NOT NULL,
            refunded_references text[] NOT NULL,
            tracking jsonb,
            cancel_reason text,
            placed_at timestamptz NOT NULL,
            pay_before timestamptz NOT NULL,
            paid_at timestamptz,
            shipped_at timestamptz,
            completed_at timestamptz,
            cancelled_at timestamptz,
            version bigint NOT NULL,
            CONSTRAINT orders_total_not_negative CHECK (total_amount >= 0)
        );
        CREATE INDEX orders_by_customer ON orders (customer_id, id);
        CREATE INDEX orders_by_status ON orders (status, id);

        CREATE TABLE order_history (
            id bigserial PRIMARY KEY,
            order_id uuid NOT NULL REFERENCES orders (id),
            at timestamptz NOT NULL,
            type text NOT NULL,
            actor text NOT NULL,
            detail text
        );
        CREATE INDEX order_history_by_order ON order_history (order_id, id);

        CREATE TABLE carts (
            customer_id uuid PRIMARY KEY,
            items jsonb NOT NULL,
            updated_at timestamptz NOT NULL
        );

        CREATE TABLE offered_products (
            product_id uuid PRIMARY KEY,
            version bigint NOT NULL
        );

        CREATE TABLE offers (
            sku text PRIMARY KEY,
            product_id uuid NOT NULL REFERENCES offered_products (product_id),
            name text NOT NULL,
            options jsonb NOT NULL,
            price_amount bigint NOT NULL,
            currency text NOT NULL,
            available bigint NOT NULL,
            buyable boolean NOT NULL,
            image_url text
        );
        CREATE INDEX offers_by_product ON offers (product_id);
    """)
