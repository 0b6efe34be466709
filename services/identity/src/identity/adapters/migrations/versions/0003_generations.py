"""Tokens name the generation of their user's access, so that all earlier ones can end at once."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("ALTER TABLE users ADD COLUMN access_generation bigint NOT NULL DEFAULT 1")
