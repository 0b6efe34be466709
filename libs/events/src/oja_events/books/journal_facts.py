"""What every service shows of its journal, its feed and its inbox."""

# The last position before :since. Positions grow with time, so 40 looks at the primary key find it
# in any feed; its time has no index.
_LOW = """
    WITH RECURSIVE search (low, high) AS (
        SELECT coalesce(min(position), 1) - 1, coalesce(max(position), 0) FROM event_feed
        UNION ALL
        SELECT CASE WHEN earlier THEN middle ELSE low END,
            CASE WHEN earlier THEN high ELSE middle - 1 END
        FROM (
            SELECT low, high, (low + high + 1) / 2 AS middle, (
                SELECT sequenced_at < :since FROM event_feed
                WHERE position >= (low + high + 1) / 2 ORDER BY position LIMIT 1) AS earlier
            FROM search WHERE low < high
        ) AS look
    )
    SELECT low FROM search WHERE low >= high LIMIT 1
"""

_FAULTS = """
    WITH feed AS (
        SELECT position, day, event_log_id,
            lag(position) OVER (ORDER BY position) AS earlier
        FROM event_feed WHERE position >= CAST(:after AS bigint)
    ), log AS (
        SELECT id, day, event_id, subject, sequence,
            lag(sequence) OVER (PARTITION BY subject ORDER BY sequence, id) AS earlier
        FROM event_log WHERE day >= CAST(:since AS date)
    ), last AS (
        SELECT subject, max(sequence) AS sequence FROM log GROUP BY subject
    )
    SELECT 'position' AS kind, (earlier + 1)::text AS id, (position - 1)::text AS until
    FROM feed WHERE position > earlier + 1
    UNION ALL
    SELECT 'lost', feed.position::text, NULL FROM feed
    WHERE NOT EXISTS (SELECT FROM event_log
                      WHERE event_log.day = feed.day AND event_log.id = feed.event_log_id)
    UNION ALL
    SELECT 'untold', log.event_id::text, NULL FROM log
    WHERE NOT EXISTS (SELECT FROM event_feed WHERE event_feed.event_log_id = log.id
                      AND event_feed.position >= CAST(:after AS bigint))
        AND NOT EXISTS (SELECT FROM outbox_pending WHERE outbox_pending.id = log.id)
    UNION ALL
    SELECT 'sequence', subject || '#' || (earlier + 1), (sequence - 1)::text FROM log
    WHERE sequence > earlier + 1 AND NOT EXISTS (
        SELECT FROM event_log WHERE event_log.subject = log.subject
            AND event_log.sequence = log.earlier + 1)
    UNION ALL
    SELECT 'twice', subject || '#' || sequence, NULL FROM log WHERE sequence = earlier
    UNION ALL
    SELECT 'counter', last.subject || '#' || coalesce(event_stream.last_sequence, 0),
        last.sequence::text
    FROM last LEFT JOIN event_stream USING (subject)
    WHERE last.sequence <> coalesce(event_stream.last_sequence, 0)
    LIMIT :limit
"""

JOURNAL = {
    "feed.before": _LOW,
    "feed.size": "SELECT count(*) FROM event_feed WHERE position > CAST(:after AS bigint)",
    "feed.events": """
        SELECT position, log.event_id, log.type
        FROM (SELECT position, day, event_log_id FROM event_feed
              WHERE position > CAST(:after AS bigint) ORDER BY position LIMIT :limit) AS feed
        JOIN event_log AS log ON log.day = feed.day AND log.id = feed.event_log_id
        ORDER BY position
    """,
    "feed.cursors": "SELECT source, position FROM feed_cursor",
    "journal.faults": _FAULTS,
    "journal.about": """
        SELECT event_id, type, subject FROM event_log WHERE subject = ANY(:ids) ORDER BY id
    """,
    # A subject may hold anything, its number is behind the last "#". An event is of the day on
    # which it was written, give or take a clock.
    "journal.numbered": """
        SELECT wanted.number, event_id, type
        FROM unnest(CAST(:ids AS text[])) AS wanted (number) JOIN event_log
            ON subject = regexp_replace(wanted.number, '#[0-9]+$', '')
            AND sequence = CAST(substring(wanted.number FROM '#([0-9]+)$') AS bigint)
            AND day >= CAST(:since AS date) - 1
    """,
    # What was put away had no effect, and is looked at by somebody already.
    "inbox.applied": """
        SELECT event_id, source, type, subject, sequence FROM inbox
        WHERE event_id > CAST(:after AS uuid) AND outcome = 'applied'
        ORDER BY event_id LIMIT :limit
    """,
    "heard": """
        SELECT wanted.id AS event_id, CASE
            WHEN inbox.outcome = 'parked' AND NOT EXISTS (
                SELECT FROM parked_message WHERE key = wanted.id::text) THEN 'vanished'
            WHEN inbox.outcome IS NOT NULL THEN inbox.outcome
            WHEN feed_backlog.event_id IS NOT NULL THEN 'waiting'
            ELSE 'missing' END AS outcome
        FROM unnest(CAST(:ids AS uuid[])) AS wanted (id)
            LEFT JOIN inbox ON inbox.event_id = wanted.id
            LEFT JOIN feed_backlog ON feed_backlog.event_id = wanted.id
    """,
}
