"""Roles that staff change have versions; sessions have ids and say from where they were opened."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("""
        ALTER TABLE roles ADD COLUMN version bigint NOT NULL DEFAULT 1;
        ALTER TABLE admin_sessions
            ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid(),
            ADD COLUMN address text,
            ADD CONSTRAINT admin_sessions_id UNIQUE (id);
        CREATE INDEX audit_log_by_actor ON audit_log (actor_id, id);
        CREATE INDEX audit_log_by_action ON audit_log (action, id);
    """)
