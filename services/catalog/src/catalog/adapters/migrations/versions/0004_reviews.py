"""Reviews, who has bought what, and the sum that a product's rating is made of."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("""
        ALTER TABLE products
            ADD COLUMN rating_sum bigint NOT NULL DEFAULT 0,
            ADD CONSTRAINT products_rating CHECK (
                rating_count >= 0 AND rating_sum BETWEEN rating_count AND 5 * rating_count
            );

        CREATE TABLE reviews (
            id uuid PRIMARY KEY,
            product_id uuid NOT NULL REFERENCES products (id),
            customer_id uuid NOT NULL,
            author text NOT NULL,
            rating bigint NOT NULL,
            title text NOT NULL,
            body text NOT NULL,
            status text NOT NULL,
            created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL,
            version bigint NOT NULL,
            CONSTRAINT reviews_one_per_customer UNIQUE (product_id, customer_id),
            CONSTRAINT reviews_rating CHECK (rating BETWEEN 1 AND 5),
            CONSTRAINT reviews_status CHECK (status IN ('pending', 'published', 'hidden'))
        );
        CREATE INDEX reviews_of_product ON reviews (product_id, id) WHERE status = 'published';
        CREATE INDEX reviews_by_status ON reviews (status, id);

        CREATE TABLE purchases (
            customer_id uuid NOT NULL,
            product_id uuid NOT NULL,
            completed_at timestamptz NOT NULL,
            PRIMARY KEY (customer_id, product_id)
        );
    """)
