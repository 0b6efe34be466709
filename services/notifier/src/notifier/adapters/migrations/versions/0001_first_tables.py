"""The ledger of mails, and alerts for staff."""

from alembic import op

from oja_events import schema

revision = "0001"
down_revision = None


def upgrade() -> None:
    schema.create_v1(op)
    op.execute("""
        CREATE SEQUENCE sender_number AS integer CYCLE;

        CREATE TABLE mails (
            id uuid PRIMARY KEY,
            kind text NOT NULL,
            event_id uuid NOT NULL,
            template text NOT NULL,
            template_version text NOT NULL,
            occasion text NOT NULL,
            order_id uuid,
            sender text NOT NULL,
            recipient text NOT NULL,
            recipient_name text NOT NULL,
            message_id text NOT NULL,
            subject text NOT NULL,
            text text NOT NULL,
            html text NOT NULL,
            facts jsonb NOT NULL,
            sha256 text NOT NULL,
            status text NOT NULL,
            attempts bigint NOT NULL,
            doubts bigint NOT NULL,
            claimed_by integer,
            claimed_at timestamptz,
            created_at timestamptz NOT NULL,
            next_attempt_at timestamptz,
            sent_at timestamptz,
            failed_at timestamptz,
            last_error text,
            resend_of uuid REFERENCES mails (id),
            requested_by text,
            CONSTRAINT mails_kind CHECK (kind IN ('event', 'resend')),
            CONSTRAINT mails_status
                CHECK (status IN ('pending', 'sending', 'sent', 'failed', 'unknown')),
            CONSTRAINT mails_resend_of CHECK ((kind = 'resend') = (resend_of IS NOT NULL)),
            CONSTRAINT mails_pending_is_due
                CHECK (status <> 'pending' OR next_attempt_at IS NOT NULL),
            CONSTRAINT mails_sending_is_claimed
                CHECK (status <> 'sending' OR claimed_by IS NOT NULL),
            CONSTRAINT mails_doubts CHECK (doubts BETWEEN 0 AND 2)
        );
        CREATE UNIQUE INDEX mails_once_per_event ON mails (event_id, template, recipient)
            WHERE kind = 'event';
        CREATE UNIQUE INDEX mails_once_per_occasion ON mails (occasion, template, recipient)
            WHERE kind = 'event';
        CREATE INDEX mails_due ON mails (next_attempt_at)
            WHERE next_attempt_at IS NOT NULL AND claimed_by IS NULL;
        CREATE INDEX mails_claimed ON mails (claimed_by) WHERE claimed_by IS NOT NULL;
        CREATE INDEX mails_by_recipient ON mails (lower(recipient), id);
        CREATE INDEX mails_by_order ON mails (order_id, id);
        CREATE INDEX mails_by_status ON mails (status, id);
        CREATE INDEX mails_by_template ON mails (template, id);

        CREATE TABLE alerts (
            id uuid PRIMARY KEY,
            kind text NOT NULL,
            occasion text NOT NULL,
            title text NOT NULL,
            detail text NOT NULL,
            order_id uuid,
            raised_at timestamptz NOT NULL,
            acknowledged_at timestamptz,
            acknowledged_by text,
            CONSTRAINT alerts_once UNIQUE (kind, occasion),
            CONSTRAINT alerts_acknowledged
                CHECK ((acknowledged_at IS NULL) = (acknowledged_by IS NULL))
        );
    """)
