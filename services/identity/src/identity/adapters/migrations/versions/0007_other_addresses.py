"""One-time links also for taking another address."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.execute("""
        ALTER TABLE one_time_requests
            DROP CONSTRAINT one_time_requests_purpose,
            ADD CONSTRAINT one_time_requests_purpose
                CHECK (purpose IN ('verify_email', 'reset_password', 'change_email'));
    """)
