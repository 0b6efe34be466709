"""The tables that every service has for its events, created in its own schema by its migrations.

event_stream   one counter per aggregate: no gaps, and the lock that orders writers
event_log      the journal: every event as it was sent, append-only
outbox_pending what the relay has still to publish; narrow, so that it stays small
event_feed     position -> journal; positions are given by the relay, in order, without gaps
inbox          what this service has handled, one row per event
parked_message what it could not handle, with the reason
access_mark    whose access tokens are worth nothing any more (see access_marks)
"""

from typing import Protocol

MAX_ENVELOPE_BYTES = 256 * 1024  # larger news should be a link

_CREATE_V1 = f"""
CREATE TABLE event_stream (
    subject text PRIMARY KEY,
    last_sequence bigint NOT NULL
) WITH (fillfactor = 70);

CREATE TABLE event_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id uuid NOT NULL,
    type text NOT NULL,
    subject text NOT NULL,
    sequence bigint NOT NULL,
    occurred_at timestamptz NOT NULL,
    envelope bytea NOT NULL CHECK (octet_length(envelope) <= {MAX_ENVELOPE_BYTES}),
    UNIQUE (subject, sequence)
);

CREATE TABLE outbox_pending (
    id bigint PRIMARY KEY,
    subject text NOT NULL,
    position bigint,
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    last_error text
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000,
        autovacuum_vacuum_cost_delay = 0);
CREATE INDEX outbox_pending_subject ON outbox_pending (subject, position);
CREATE INDEX outbox_pending_position ON outbox_pending (position);

CREATE TABLE event_feed (
    position bigint PRIMARY KEY,
    event_log_id bigint NOT NULL
);

CREATE TABLE inbox (
    event_id uuid PRIMARY KEY,
    source text NOT NULL,
    type text NOT NULL,
    subject text NOT NULL,
    sequence bigint NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('applied', 'parked')),
    handled_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE parked_message (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key text NOT NULL UNIQUE,
    type text,
    reason text NOT NULL,
    error text NOT NULL,
    body bytea NOT NULL,
    headers jsonb NOT NULL,
    status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'redriven', 'discarded')),
    parked_at timestamptz NOT NULL DEFAULT now()
);
"""


_CREATE_ACCESS_MARK = """
CREATE TABLE IF NOT EXISTS access_mark (
    subject uuid PRIMARY KEY,
    generation bigint NOT NULL,
    noted_at timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS access_mark_noted_at ON access_mark (noted_at);
"""


class Executes(Protocol):
    """Alembic's `op`."""

    def execute(self, sqltext: str) -> None: ...


def create_v1(op: Executes) -> None:
    """Create the tables above; for the first migration of a service."""
    op.execute(_CREATE_V1)


def create_access_mark(op: Executes) -> None:
    """Create the table if it is not there; `migrate` does so for every service."""
    op.execute(_CREATE_ACCESS_MARK)
