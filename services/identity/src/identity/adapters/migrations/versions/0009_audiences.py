"""For whom a refresh token is good, as an access token says of itself."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.execute("ALTER TABLE refresh_families ADD COLUMN audience text NOT NULL DEFAULT 'oja'")
