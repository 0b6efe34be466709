"""The audit log as all services have it: targets may have names instead of ids."""

from alembic import op

from oja_events.audit import guard_audit_log

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.execute("ALTER TABLE audit_log ALTER COLUMN target_id TYPE text")
    guard_audit_log(op, "identity")
