"""When the next mail may leave, where the mail server sets a pace."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE mail_pace (
            id smallint PRIMARY KEY,
            next_at timestamptz NOT NULL,
            CONSTRAINT mail_pace_alone CHECK (id = 1)
        );
        INSERT INTO mail_pace VALUES (1, '-infinity');
    """)
