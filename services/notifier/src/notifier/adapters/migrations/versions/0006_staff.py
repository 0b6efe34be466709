"""Who on the staff is written to, and what they would rather not hear of; mails with a secret link
without their words."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE staff (
            user_id uuid PRIMARY KEY,
            version bigint NOT NULL,
            email text,
            name text,
            permissions text[] NOT NULL,
            CONSTRAINT staff_who CHECK ((email IS NULL) = (name IS NULL)),
            CONSTRAINT staff_nobody_may_nothing CHECK (email IS NOT NULL OR permissions = '{}')
        );
        CREATE TABLE alert_wishes (
            user_id uuid PRIMARY KEY,
            version bigint NOT NULL,
            muted text[] NOT NULL
        );

        ALTER TABLE mails ADD COLUMN recipient_id uuid;
        CREATE INDEX mails_by_member ON mails (recipient_id) WHERE recipient_id IS NOT NULL;

        UPDATE mails SET text = '', html = '' WHERE link_request IS NOT NULL;
        ALTER TABLE mails ADD CONSTRAINT mails_no_words_around_a_link
            CHECK (link_request IS NULL OR (text = '' AND html = ''));
    """)
