"""What staff have changed, written down for good."""

from alembic import op

from oja_events.audit import create_audit_log

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    create_audit_log(op, "notifier")
