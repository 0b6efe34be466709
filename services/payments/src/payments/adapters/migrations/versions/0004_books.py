"""What the last audit found."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE books (
            id smallint PRIMARY KEY,
            checked_at timestamptz,
            next_at timestamptz NOT NULL,
            report jsonb,
            CONSTRAINT books_one CHECK (id = 1)
        );
        INSERT INTO books (id, next_at) VALUES (1, now());
    """)
