"""Which accounts were closed, and which services have forgotten their owners."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE erasures (
            user_id uuid PRIMARY KEY,
            asked_at timestamptz NOT NULL
        );
        CREATE INDEX erasures_by_time ON erasures (asked_at, user_id);
        CREATE TABLE erasure_receipts (
            user_id uuid,
            service text,
            records bigint NOT NULL,
            erased_at timestamptz NOT NULL,
            PRIMARY KEY (user_id, service)
        );
        INSERT INTO erasures (user_id, asked_at)
            SELECT id, updated_at FROM users WHERE email_canonical LIKE 'erased-%@erased.invalid';
    """)
