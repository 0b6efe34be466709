"""Alerts that wait for a digest, with what it says of them."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("""
        ALTER TABLE alerts ADD COLUMN facts jsonb NOT NULL DEFAULT '{}';
        ALTER TABLE alerts ADD COLUMN mail_due_at timestamptz;
        CREATE INDEX alerts_to_mail ON alerts (kind, mail_due_at) WHERE mail_due_at IS NOT NULL;
        CREATE INDEX alerts_by_kind ON alerts (kind, id);
        CREATE INDEX alerts_open ON alerts (id) WHERE acknowledged_at IS NULL;
    """)
