"""Customers who closed their account, whose orders are to be masked when they are settled."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE erasures (
            customer_id uuid PRIMARY KEY,
            asked_at timestamptz NOT NULL,
            erased_at timestamptz
        )
    """)
