"""Indexes for every filter and sort, likeness of words, and a count of what changes."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("""
        CREATE INDEX products_by_featured ON products (featured, id) WHERE status = 'published';
        CREATE INDEX products_by_in_stock ON products (in_stock, id) WHERE status = 'published';
        CREATE INDEX products_by_likeness ON products USING gin (sort_name gin_trgm_ops)
            WHERE status = 'published';
        CREATE INDEX variants_by_folded_sku ON variants (lower(sku));
    """)
    _count_changes()


def _count_changes() -> None:
    # Part 0 is everything, 1 the lists, 2 to 257 the products, spread by their ids. Only ever
    # inserts: a counter's row would make writers of different products wait for each other.
    op.execute("""
        CREATE TABLE catalogue_changes (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            part bigint NOT NULL,
            times bigint NOT NULL
        );
        -- So that no other database, of which something may still be remembered, counted the same.
        INSERT INTO catalogue_changes (part, times) VALUES (0, CAST(random() * 1e15 AS bigint));

        CREATE FUNCTION part_of(product_id uuid) RETURNS bigint
        LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
            SELECT 2 + CAST(CAST('x' || right(CAST(product_id AS text), 2) AS bit(8)) AS int)
        $$;

        CREATE FUNCTION count_product_changes() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO catalogue_changes (part, times)
            SELECT DISTINCT part_of(id), 1 FROM changed
            UNION ALL SELECT 1, 1 WHERE EXISTS (SELECT FROM changed);
            RETURN NULL;
        END $$;

        CREATE FUNCTION count_changes_of_parts() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO catalogue_changes (part, times)
            SELECT DISTINCT part_of(product_id), 1 FROM changed
            UNION ALL SELECT 1, 1 WHERE TG_ARGV[0] = 'listed' AND EXISTS (SELECT FROM changed);
            RETURN NULL;
        END $$;

        CREATE FUNCTION count_change_of_everything() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO catalogue_changes (part, times) SELECT 0, 1
            WHERE EXISTS (SELECT FROM changed);
            RETURN NULL;
        END $$;
    """)
    _watch("products", "count_product_changes()")
    _watch("variants", "count_changes_of_parts('listed')")
    _watch("product_images", "count_changes_of_parts('listed')")
    _watch("stock", "count_changes_of_parts('unlisted')")
    _watch("categories", "count_change_of_everything()")


def _watch(table: str, function: str) -> None:
    for verb, rows in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD")):
        op.execute(f"""
            CREATE TRIGGER {table}_counts_{verb.lower()} AFTER {verb} ON {table}
                REFERENCING {rows} TABLE AS changed
                FOR EACH STATEMENT EXECUTE FUNCTION {function};
        """)
