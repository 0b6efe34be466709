"""Templates in the words of staff, every version of them; mails that staff try them with."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE template_versions (
            template text NOT NULL,
            number bigint NOT NULL,
            subject text,
            text text,
            html text,
            edited_at timestamptz NOT NULL,
            edited_by text NOT NULL,
            CONSTRAINT template_versions_pkey PRIMARY KEY (template, number),
            CONSTRAINT template_versions_number CHECK (number > 0),
            CONSTRAINT template_versions_whole CHECK (
                (subject IS NULL) = (text IS NULL) AND (text IS NULL) = (html IS NULL))
        );

        ALTER TABLE mails DROP CONSTRAINT mails_kind;
        ALTER TABLE mails
            ADD CONSTRAINT mails_kind CHECK (kind IN ('event', 'resend', 'test'));
    """)
