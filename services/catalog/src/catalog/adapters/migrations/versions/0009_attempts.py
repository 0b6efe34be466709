"""How often an import was taken up in vain: only that gives it up, not how often in all."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.execute("ALTER TABLE imports ADD COLUMN attempts_at_progress bigint NOT NULL DEFAULT 0")
