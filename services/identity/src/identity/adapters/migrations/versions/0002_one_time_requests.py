"""Wishes to verify an address or to reset a password, with the digests of their links."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE one_time_requests (
            id uuid PRIMARY KEY,
            user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
            purpose text NOT NULL,
            email text NOT NULL,
            email_canonical text NOT NULL,
            password_changed_at timestamptz NOT NULL,
            requested_at timestamptz NOT NULL,
            digest bytea UNIQUE,
            issued_at timestamptz,
            CONSTRAINT one_time_requests_purpose
                CHECK (purpose IN ('verify_email', 'reset_password')),
            CONSTRAINT one_time_requests_are_digests CHECK (octet_length(digest) = 32),
            CONSTRAINT one_time_requests_issued CHECK ((digest IS NULL) = (issued_at IS NULL)),
            CONSTRAINT one_time_requests_newest UNIQUE (user_id, purpose)
        );
        CREATE INDEX one_time_requests_by_age ON one_time_requests (requested_at);
    """)
