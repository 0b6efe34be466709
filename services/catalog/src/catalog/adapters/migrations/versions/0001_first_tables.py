"""Categories, products, variants, images, and stock with its ledger."""

from alembic import op

from oja_events import schema

revision = "0001"
down_revision = None


def upgrade() -> None:
    schema.create_v1(op)
    # The provisioner has them already; where it has not, this needs the right to create them.
    op.execute("CREATE EXTENSION IF NOT EXISTS unaccent; CREATE EXTENSION IF NOT EXISTS pg_trgm;")
    _create_products()
    _create_stock()
    _create_folded()


def _create_products() -> None:
    op.execute("""
        CREATE TABLE categories (
            id uuid PRIMARY KEY,
            slug text NOT NULL UNIQUE,
            name text NOT NULL,
            parent_id uuid REFERENCES categories (id),
            position bigint NOT NULL,
            version bigint NOT NULL,
            CONSTRAINT categories_not_in_itself CHECK (parent_id <> id)
        );
        CREATE INDEX categories_by_parent ON categories (parent_id);

        CREATE TABLE products (
            id uuid PRIMARY KEY,
            slug text NOT NULL UNIQUE,
            name text NOT NULL,
            description text NOT NULL,
            category_id uuid REFERENCES categories (id),
            tags text[] NOT NULL,
            featured boolean NOT NULL,
            status text NOT NULL,
            price_amount bigint NOT NULL,
            currency text NOT NULL,
            in_stock boolean NOT NULL,
            sole_sku text,
            rating_average bigint NOT NULL,
            rating_count bigint NOT NULL,
            sort_name text NOT NULL,
            search tsvector NOT NULL,
            created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL,
            version bigint NOT NULL,
            CONSTRAINT products_status CHECK (status IN ('draft', 'published', 'archived')),
            CONSTRAINT products_price_not_negative CHECK (price_amount >= 0)
        );
        CREATE INDEX products_by_category ON products (category_id, id);
        CREATE INDEX products_newest ON products (id) WHERE status = 'published';
        CREATE INDEX products_by_price ON products (price_amount, id) WHERE status = 'published';
        CREATE INDEX products_by_rating ON products (rating_average, id)
            WHERE status = 'published';
        CREATE INDEX products_by_name ON products (sort_name, id) WHERE status = 'published';
        CREATE INDEX products_by_tag ON products USING gin (tags);
        CREATE INDEX products_by_word ON products USING gin (search);

        CREATE TABLE variants (
            sku text PRIMARY KEY,
            product_id uuid NOT NULL REFERENCES products (id),
            options jsonb NOT NULL,
            price_amount bigint NOT NULL,
            compare_at_amount bigint,
            currency text NOT NULL,
            position bigint NOT NULL,
            offered boolean NOT NULL,
            CONSTRAINT variants_price_not_negative CHECK (price_amount >= 0),
            CONSTRAINT variants_compare_at_not_negative CHECK (compare_at_amount >= 0)
        );
        CREATE INDEX variants_by_product ON variants (product_id, position);

        CREATE TABLE product_images (
            id uuid PRIMARY KEY,
            product_id uuid NOT NULL REFERENCES products (id),
            public_id text NOT NULL UNIQUE,
            url text NOT NULL,
            thumbnail_url text NOT NULL,
            alt text NOT NULL,
            position bigint NOT NULL,
            created_at timestamptz NOT NULL
        );
        CREATE INDEX product_images_by_product ON product_images (product_id, position);
    """)


def _create_stock() -> None:
    op.execute("""
        CREATE TABLE stock (
            sku text PRIMARY KEY REFERENCES variants (sku),
            product_id uuid NOT NULL REFERENCES products (id),
            on_hand bigint NOT NULL,
            reserved bigint NOT NULL,
            low_stock_threshold bigint NOT NULL,
            version bigint NOT NULL,
            CONSTRAINT stock_never_oversold
                CHECK (on_hand >= 0 AND reserved >= 0 AND reserved <= on_hand),
            CONSTRAINT stock_threshold_not_negative CHECK (low_stock_threshold >= 0)
        ) WITH (fillfactor = 70);
        CREATE INDEX stock_by_product ON stock (product_id, sku);

        CREATE TABLE stock_movements (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            sku text NOT NULL REFERENCES stock (sku),
            reason text NOT NULL,
            delta bigint NOT NULL,
            on_hand bigint NOT NULL,
            order_id uuid,
            note text,
            by text NOT NULL,
            at timestamptz NOT NULL,
            CONSTRAINT stock_movements_move CHECK (delta <> 0),
            CONSTRAINT stock_movements_once_per_order UNIQUE (order_id, sku, reason)
        );
        CREATE INDEX stock_movements_by_sku ON stock_movements (sku, id);

        CREATE TABLE order_stock (
            order_id uuid PRIMARY KEY,
            state text NOT NULL,
            at timestamptz NOT NULL,
            CONSTRAINT order_stock_state
                CHECK (state IN ('held', 'committed', 'released', 'rejected'))
        );

        CREATE TABLE reservations (
            order_id uuid NOT NULL REFERENCES order_stock (order_id),
            sku text NOT NULL REFERENCES stock (sku),
            quantity bigint NOT NULL,
            state text NOT NULL,
            PRIMARY KEY (order_id, sku),
            CONSTRAINT reservations_quantity_positive CHECK (quantity > 0),
            CONSTRAINT reservations_state CHECK (state IN ('held', 'committed', 'released'))
        );
        CREATE INDEX reservations_held ON reservations (sku) WHERE state = 'held';
    """)


def _create_folded() -> None:
    # Words are compared without case, accents and punctuation, on both sides of a search. Double
    # quotes stay: they mark phrases in what people type.
    op.execute(r"""
        CREATE FUNCTION folded(given text) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
            SELECT translate(lower(unaccent(given)),
                '!#$%&''()*+,-./:;<=>?@[\]^_`{|}~', repeat(' ', 31))
        $$;
    """)
