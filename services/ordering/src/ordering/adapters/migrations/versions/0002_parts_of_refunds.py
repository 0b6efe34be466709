"""What is back of an order's money, part by part; and carts by age, for the broom."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("""
        ALTER TABLE orders
            ALTER COLUMN refunded_references SET DEFAULT '{}',
            ADD COLUMN refunds_done jsonb NOT NULL DEFAULT '{}';

        CREATE INDEX carts_by_age ON carts (updated_at);
    """)
