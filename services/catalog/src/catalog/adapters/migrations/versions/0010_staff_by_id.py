"""Staff are named by their ids, as in the audit log, so that no address outlives its account.

The audit log tells whose address it was: what it notes is as old, to the microsecond, as what was
written in the same transaction. An address that it does not tell of, or that several people had,
stays; so does what the release before writes until it is gone.
"""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE staff_addresses AS
        SELECT written.by, CAST(min(CAST(written.actor_id AS text)) AS uuid) AS actor_id
        FROM (
            SELECT stock_movements.by, audit_log.actor_id
            FROM stock_movements JOIN audit_log ON audit_log.at = stock_movements.at
                AND audit_log.target_id
                    IN (stock_movements.sku, (SELECT CAST(product_id AS text) FROM stock
                        WHERE stock.sku = stock_movements.sku))
            WHERE stock_movements.by LIKE 'staff %@%'
            UNION
            SELECT imports.by, audit_log.actor_id
            FROM imports JOIN audit_log ON audit_log.target_id = CAST(imports.id AS text)
                AND audit_log.action = 'import_started'
            WHERE imports.by LIKE 'staff %@%'
        ) AS written
        WHERE written.actor_id IS NOT NULL
        GROUP BY written.by HAVING count(DISTINCT written.actor_id) = 1;

        UPDATE stock_movements SET by = 'staff ' || staff_addresses.actor_id
        FROM staff_addresses WHERE stock_movements.by = staff_addresses.by;
        UPDATE imports SET by = 'staff ' || staff_addresses.actor_id
        FROM staff_addresses WHERE imports.by = staff_addresses.by;
        DROP TABLE staff_addresses;
    """)
