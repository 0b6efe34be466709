"""Customers who closed their account, so that what comes late of them is not kept.

What came late of those who left before goes too; the inbox still knows of them for as long as the
journal is kept.
"""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE erasures (
            customer_id uuid PRIMARY KEY,
            erased_at timestamptz NOT NULL
        );

        INSERT INTO erasures (customer_id, erased_at)
        SELECT CAST(subject AS uuid), min(handled_at) FROM inbox
        WHERE type = 'oja.identity.customer_erased.v1' AND outcome = 'applied'
        GROUP BY subject;

        DELETE FROM purchases WHERE customer_id IN (SELECT customer_id FROM erasures);
        DELETE FROM barred_reviewers WHERE customer_id IN (SELECT customer_id FROM erasures);
        UPDATE reviews SET author = 'Former customer', updated_at = now(), version = version + 1
        WHERE customer_id IN (SELECT customer_id FROM erasures) AND author <> 'Former customer';
    """)
