"""Which rules of the Books are red, so that staff are told once."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute("CREATE TABLE red_rules (rule text PRIMARY KEY, turned_at timestamptz NOT NULL)")
