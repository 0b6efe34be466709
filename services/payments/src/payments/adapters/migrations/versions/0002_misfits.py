"""Refunds of money that does not fit our books."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("""
        ALTER TABLE refunds
            DROP CONSTRAINT refunds_kind,
            ADD CONSTRAINT refunds_kind CHECK (kind IN ('order', 'misfit', 'staff'));

        CREATE UNIQUE INDEX refunds_once_by_us ON refunds (reference, kind)
            WHERE kind IN ('order', 'misfit');
        DROP INDEX refunds_one_per_order;
    """)
