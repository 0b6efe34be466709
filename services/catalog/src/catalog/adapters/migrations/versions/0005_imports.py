"""Tables that staff send, and what became of their lines."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE imports (
            id uuid PRIMARY KEY,
            status text NOT NULL,
            dry_run boolean NOT NULL,
            by text NOT NULL,
            attempts bigint NOT NULL,
            line bigint NOT NULL,
            lines bigint NOT NULL,
            created bigint NOT NULL,
            updated bigint NOT NULL,
            unchanged bigint NOT NULL,
            failed bigint NOT NULL,
            created_at timestamptz NOT NULL,
            started_at timestamptz,
            finished_at timestamptz,
            leased_until timestamptz,
            CONSTRAINT imports_status CHECK (status IN ('queued', 'running', 'done', 'failed'))
        );
        CREATE INDEX imports_waiting ON imports (id) WHERE status IN ('queued', 'running');

        CREATE TABLE import_chunks (
            import_id uuid NOT NULL REFERENCES imports (id),
            n bigint NOT NULL,
            content bytea NOT NULL,
            PRIMARY KEY (import_id, n)
        );

        CREATE TABLE import_notes (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            import_id uuid NOT NULL REFERENCES imports (id),
            kind text NOT NULL,
            note jsonb NOT NULL,
            CONSTRAINT import_notes_kind CHECK (kind IN ('error', 'change'))
        );
        CREATE INDEX import_notes_of_import ON import_notes (import_id, kind, id);
    """)
