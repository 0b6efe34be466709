"""Orders to be paid, payments, refunds, webhooks as they came in, and alerts."""

from alembic import op

from oja_events import schema
from oja_web.idempotency_store import create_idempotency_table

revision = "0001"
down_revision = None


def upgrade() -> None:
    schema.create_v1(op)
    create_idempotency_table(op)
    op.execute("""
        CREATE TABLE orders (
            order_id uuid PRIMARY KEY,
            number text,
            customer_id uuid,
            contact jsonb,
            amount bigint,
            currency text,
            pay_before timestamptz,
            state text NOT NULL,
            closed_reason text,
            paid_reference text,
            next_look_at timestamptz,
            CONSTRAINT orders_state CHECK (state IN ('waiting', 'payable', 'closed')),
            CONSTRAINT orders_closed CHECK ((state = 'closed') = (closed_reason IS NOT NULL)),
            CONSTRAINT orders_amount_not_negative CHECK (amount >= 0),
            CONSTRAINT orders_bill_whole CHECK (
                num_nulls(number, customer_id, contact, amount, currency, pay_before) IN (0, 6))
        );
        CREATE INDEX orders_overdue ON orders (next_look_at) WHERE next_look_at IS NOT NULL;

        CREATE TABLE payments (
            id uuid PRIMARY KEY,
            reference text NOT NULL UNIQUE,
            order_id uuid NOT NULL REFERENCES orders (order_id),
            customer_id uuid NOT NULL,
            attempt bigint NOT NULL,
            amount bigint NOT NULL,
            currency text NOT NULL,
            status text NOT NULL,
            callback_url text,
            authorization_url text,
            access_code text,
            opening_until timestamptz,
            provider_id bigint,
            captured_amount bigint,
            captured_currency text,
            channel text,
            paid_at timestamptz,
            checks bigint NOT NULL,
            next_check_at timestamptz,
            created_at timestamptz NOT NULL,
            CONSTRAINT payments_status CHECK (
                status IN ('pending', 'succeeded', 'failed', 'abandoned', 'disputed')),
            CONSTRAINT payments_amount_positive CHECK (amount > 0),
            CONSTRAINT payments_captured CHECK (
                (status IN ('succeeded', 'disputed')) = (captured_amount IS NOT NULL)
                AND num_nulls(captured_amount, captured_currency, paid_at) IN (0, 3)),
            CONSTRAINT payments_paid_in_full CHECK (
                status <> 'succeeded'
                OR (captured_amount = amount AND captured_currency = currency))
        );
        CREATE UNIQUE INDEX payments_attempt ON payments (order_id, attempt);
        CREATE UNIQUE INDEX payments_one_active ON payments (order_id) WHERE status = 'pending';
        CREATE INDEX payments_by_customer ON payments (customer_id, id);
        CREATE INDEX payments_to_check ON payments (next_check_at)
            WHERE next_check_at IS NOT NULL;

        CREATE TABLE refunds (
            id uuid PRIMARY KEY,
            reference text NOT NULL REFERENCES payments (reference),
            kind text NOT NULL,
            amount bigint NOT NULL,
            currency text NOT NULL,
            reason text NOT NULL,
            requested_by text NOT NULL,
            requested_at timestamptz NOT NULL,
            status text NOT NULL,
            provider_id bigint UNIQUE,
            failure text,
            ended_at timestamptz,
            looks bigint NOT NULL,
            next_look_at timestamptz,
            CONSTRAINT refunds_kind CHECK (kind IN ('order', 'staff')),
            CONSTRAINT refunds_amount_positive CHECK (amount > 0),
            CONSTRAINT refunds_status CHECK (
                status IN ('pending', 'processing', 'processed', 'failed', 'needs-attention')),
            CONSTRAINT refunds_ended CHECK (
                (status IN ('processed', 'failed')) = (ended_at IS NOT NULL))
        );
        CREATE UNIQUE INDEX refunds_one_per_order ON refunds (reference, kind)
            WHERE kind = 'order';
        CREATE INDEX refunds_by_payment ON refunds (reference, id);
        CREATE INDEX refunds_due ON refunds (next_look_at) WHERE next_look_at IS NOT NULL;

        CREATE TABLE webhooks (
            id bigserial PRIMARY KEY,
            key text NOT NULL UNIQUE,
            body bytea NOT NULL,
            request_id text NOT NULL,
            received_at timestamptz NOT NULL DEFAULT now(),
            next_attempt_at timestamptz DEFAULT now(),
            applied_at timestamptz,
            outcome text
        );
        CREATE INDEX webhooks_to_apply ON webhooks (next_attempt_at)
            WHERE next_attempt_at IS NOT NULL;

        CREATE TABLE alerts (
            id bigserial PRIMARY KEY,
            kind text NOT NULL,
            about text NOT NULL,
            detail text NOT NULL,
            order_id uuid,
            raised_at timestamptz NOT NULL DEFAULT now()
        );
        CREATE UNIQUE INDEX alerts_once ON alerts (kind, about);
    """)
