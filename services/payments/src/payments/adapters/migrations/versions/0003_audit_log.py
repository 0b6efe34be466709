"""What staff have changed, written down for good."""

from alembic import op

from oja_events.audit import create_audit_log

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    create_audit_log(op, "payments")
