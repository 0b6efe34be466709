"""The addresses that customers keep in their accounts, as identity tells of them."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE address_books (
            customer_id uuid PRIMARY KEY,
            addresses jsonb NOT NULL,
            changed_at timestamptz NOT NULL
        )
    """)
