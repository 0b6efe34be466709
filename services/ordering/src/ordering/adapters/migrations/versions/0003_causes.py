"""Which event led to an entry of an order's history."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("ALTER TABLE order_history ADD COLUMN cause uuid")
