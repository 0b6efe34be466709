"""What staff do twice, undo or look through: adjustments, hidden reviews, lists of all products."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.execute("""
        ALTER TABLE stock_movements ADD COLUMN request_key text,
            ADD CONSTRAINT stock_movements_once_per_request UNIQUE (sku, request_key);

        CREATE TABLE barred_reviewers (
            product_id uuid NOT NULL REFERENCES products (id),
            customer_id uuid NOT NULL,
            PRIMARY KEY (customer_id, product_id)
        );

        ALTER TABLE imports ADD COLUMN size bigint NOT NULL DEFAULT 0;

        CREATE INDEX products_all_by_price ON products (price_amount, id);
        CREATE INDEX products_all_by_rating ON products (rating_average, id);
        CREATE INDEX products_all_by_name ON products (sort_name, id);
        DROP INDEX products_by_featured, products_by_in_stock;
        CREATE INDEX products_by_featured ON products (featured, id);
        CREATE INDEX products_by_in_stock ON products (in_stock, id);
        CREATE INDEX products_unpublished ON products (status, id) WHERE status <> 'published';
    """)
