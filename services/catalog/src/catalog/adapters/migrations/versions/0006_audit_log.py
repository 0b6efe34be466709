"""What staff have changed, written down for good."""

from alembic import op

from oja_events.audit import create_audit_log

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    create_audit_log(op, "catalog")
