"""Mails whose link is a secret: the ledger keeps what to ask identity with, never the link."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("ALTER TABLE mails ADD COLUMN link_request uuid")
