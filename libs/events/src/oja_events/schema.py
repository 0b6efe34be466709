"""The tables that every service has for its events, created in its own schema by its migrations.

event_stream   one counter per aggregate: no gaps, and the lock that orders writers
event_log      the journal: every event as it was sent, append-only, a partition per day
outbox_pending what the relay has still to publish; narrow, so that it stays small
event_feed     position -> journal; positions are given by the relay, in order, without gaps
feed_reader    how far each consumer has compared our feed with its inbox
inbox          what this service has handled, one row per event
feed_cursor    how far this service has compared the feeds of others with its inbox
feed_backlog   what it found in feeds and not in its inbox, until it is handled
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


# In one block, so that a second time costs a look and no lock. The journal so far becomes the
# partition of its last day.
_CREATE_FEED = """
DO $block$
DECLARE
    today date := (now() AT TIME ZONE 'UTC')::date;
    first_partition text := 'event_log_' || to_char(today, 'YYYYMMDD');
BEGIN
    IF to_regclass('feed_cursor') IS NOT NULL THEN
        RETURN;
    END IF;
    ALTER TABLE event_log ALTER COLUMN id DROP IDENTITY;
    ALTER TABLE event_log DROP CONSTRAINT event_log_pkey;
    ALTER TABLE event_log
        ADD COLUMN day date NOT NULL DEFAULT (now() AT TIME ZONE 'UTC')::date;
    EXECUTE format('ALTER TABLE event_log RENAME TO %I', first_partition);
    EXECUTE format('CREATE TABLE event_log (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)
                    PARTITION BY RANGE (day)', first_partition);
    ALTER TABLE event_log ADD PRIMARY KEY (id, day);
    CREATE INDEX event_log_by_subject ON event_log (subject, sequence);
    ALTER TABLE event_log ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;
    EXECUTE format('ALTER TABLE event_log ATTACH PARTITION %I FOR VALUES FROM (MINVALUE) TO (%L)',
                   first_partition, today + 1);
    PERFORM setval(pg_get_serial_sequence('event_log', 'id'),
                   (SELECT coalesce(max(id), 0) + 1 FROM event_log), false);
    CREATE TABLE event_log_rest PARTITION OF event_log DEFAULT;

    ALTER TABLE outbox_pending
        ADD COLUMN day date NOT NULL DEFAULT (now() AT TIME ZONE 'UTC')::date;
    ALTER TABLE event_feed
        ADD COLUMN day date NOT NULL DEFAULT (now() AT TIME ZONE 'UTC')::date,
        ADD COLUMN sequenced_at timestamptz NOT NULL DEFAULT now();
    ALTER TABLE parked_message ADD COLUMN closed_at timestamptz, ADD COLUMN note text;

    CREATE TABLE feed_reader (
        consumer text PRIMARY KEY,
        position bigint NOT NULL,
        asked_at timestamptz NOT NULL
    );
    CREATE TABLE feed_backlog (
        event_id uuid PRIMARY KEY,
        source text NOT NULL,
        position bigint NOT NULL,
        body bytea NOT NULL,
        attempts integer NOT NULL DEFAULT 0,
        starts integer NOT NULL DEFAULT 0,
        next_attempt_at timestamptz NOT NULL DEFAULT now(),
        last_error text
    );
    CREATE INDEX feed_backlog_due ON feed_backlog (next_attempt_at);
    CREATE TABLE feed_cursor (
        source text PRIMARY KEY,
        position bigint NOT NULL,
        caught_up_at timestamptz
    );
END
$block$;
"""

# Partitions come and go with the rights of the schema's owner, since the service may alter no
# table. Nothing goes that is younger than the journal is kept, that still waits for the broker, or
# that a consumer has still to compare. What finds no partition of its day goes into event_log_rest,
# so that a worker who is away for long stops nobody; from there it goes row by row.
_CREATE_KEEPER = """
CREATE OR REPLACE FUNCTION keep_journal(days integer) RETURNS date
LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT SET lock_timeout = '500ms' AS $function$
DECLARE
    today date := (now() AT TIME ZONE 'UTC')::date;
    oldest date := today - days;
    read_by_all bigint := (SELECT coalesce(min(position), 9223372036854775807) FROM feed_reader);
    wanted date;
    name text;
BEGIN
    IF days < 7 THEN
        RAISE EXCEPTION 'the journal is kept for a week at least';
    END IF;
    FOR wanted IN SELECT today + number FROM generate_series(1, 7) AS number LOOP
        name := 'event_log_' || to_char(wanted, 'YYYYMMDD');
        CONTINUE WHEN to_regclass(name) IS NOT NULL;
        BEGIN
            EXECUTE format('CREATE TABLE %I (LIKE event_log INCLUDING DEFAULTS'
                           ' INCLUDING CONSTRAINTS)', name);
            EXECUTE format('ALTER TABLE event_log ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                           name, wanted, wanted + 1);
        EXCEPTION WHEN check_violation OR invalid_object_definition THEN
            NULL;  -- the day has begun without its partition
        END;
    END LOOP;
    SELECT least(oldest, (SELECT min(day) FROM outbox_pending),
                 (SELECT min(day) FROM event_feed WHERE position > read_by_all))
        INTO oldest;
    FOR name IN
        SELECT child.relname FROM pg_inherits JOIN pg_class AS child ON child.oid = inhrelid
        WHERE inhparent = to_regclass('event_log') AND child.relname ~ '^event_log_[0-9]{8}$'
            AND to_date(right(child.relname, 8), 'YYYYMMDD') < oldest
    LOOP
        EXECUTE format('DROP TABLE %I', name);
    END LOOP;
    DELETE FROM event_log_rest WHERE day < oldest;
    RETURN oldest;
END
$function$;
REVOKE ALL ON FUNCTION keep_journal(integer) FROM PUBLIC;
DO $block$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = current_schema()) THEN
        EXECUTE format('GRANT EXECUTE ON FUNCTION keep_journal(integer) TO %I', current_schema());
    END IF;
END $block$;
"""

# An auditor may read how events travel, in every schema (see oja_events.books).
_LET_AUDIT = """
DO $block$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'auditor') THEN
        GRANT SELECT ON event_stream, event_log, outbox_pending, event_feed, inbox, feed_cursor,
            feed_backlog, parked_message TO auditor;
    END IF;
END $block$;
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


def create_feed(op: Executes) -> None:
    """Bring the tables of `create_v1` to what is described above; `migrate` does so for every
    service. A second time changes nothing."""
    op.execute(_CREATE_FEED)
    op.execute(_CREATE_KEEPER)
    op.execute(_LET_AUDIT)
