"""Files at the image store that no product shows."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE stray_images (
            public_id text PRIMARY KEY,
            remove_at timestamptz NOT NULL,
            attempts bigint NOT NULL
        );
        CREATE INDEX stray_images_due ON stray_images (remove_at);
    """)
