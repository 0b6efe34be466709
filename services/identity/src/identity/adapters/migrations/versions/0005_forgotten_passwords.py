"""Who says that they forgot a password, until the worker has looked whether there is an account."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE forgotten_passwords (
            id uuid PRIMARY KEY,
            email_canonical text,
            address text,
            asked_at timestamptz NOT NULL
        )
    """)
