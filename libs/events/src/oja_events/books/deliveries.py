"""Every event of every journal reached each of its listeners, and no journal has a gap."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta

from oja_events.books import mending
from oja_events.books.facts import PAGE, Fact, Sources, by_ids
from oja_events.books.news import LISTENERS
from oja_events.books.report import Fault, Verdict
from oja_events.topology import CONSUMERS, PRODUCERS

# Times are of two clocks: that of who tells, and the database's.
_CLOCKS = timedelta(hours=1)


def judge_deliveries(sources: Sources, since: datetime, verdict: Verdict) -> None:
    """A listener has compared a feed up to its cursor: whatever lies before that is in its inbox
    or in its backlog, in one and the same moment. What lies after it is lag.

    The cursor is read first, so nothing that moves meanwhile looks like a loss.
    """
    cursors = {
        consumer: {row["source"]: row["position"] for row in sources.rows(consumer, "feed.cursors")}
        for consumer in CONSUMERS
    }
    for producer in PRODUCERS:
        compared = {consumer: cursors[consumer].get(producer, 0) for consumer in CONSUMERS}
        _judge_feed(sources, producer, since, compared, verdict)


def _judge_feed(
    sources: Sources,
    producer: str,
    since: datetime,
    compared: Mapping[str, int],
    verdict: Verdict,
) -> None:
    position = _position_before(sources, producer, since)
    while events := sources.rows(producer, "feed.events", after=str(position)):
        _judge_page(sources, events, compared, verdict)
        position = events[-1]["position"]
        if len(events) < PAGE:
            return


def _judge_page(
    sources: Sources, events: list[Fact], compared: Mapping[str, int], verdict: Verdict
) -> None:
    awaited: dict[str, dict[str, Fact]] = defaultdict(dict)
    for event in events:
        for listener in LISTENERS.get(event["type"], ()):
            if event["position"] <= compared[listener]:
                awaited[listener][event["event_id"]] = event
            else:
                verdict.waiting += 1
    for listener, wanted in awaited.items():
        verdict.checked += len(wanted)
        for event_id, heard in by_ids(sources, listener, "heard", "event_id", wanted).items():
            if heard["outcome"] in ("missing", "vanished"):
                verdict.add(_unheard(listener, wanted[event_id], heard["outcome"]))


def _unheard(listener: str, event: Fact, outcome: str) -> Fault:
    detail = {
        "missing": f"{event['type']} at position {event['position']} was never handled",
        "vanished": f"{event['type']} was put away, and is not among the parked messages",
    }[outcome]
    command = mending.hear_again(listener, event["event_id"], outcome)
    return Fault(listener, event["event_id"], detail, command)


def judge_journals(sources: Sources, since: datetime, verdict: Verdict) -> None:
    """Positions and the numbers of each aggregate's events have no gap, by whole days."""
    midnight = since.replace(hour=0, minute=0, second=0, microsecond=0)
    for producer in PRODUCERS:
        before = str(_position_before(sources, producer, midnight - _CLOCKS))
        verdict.checked += int(sources.rows(producer, "feed.size", after=before)[0]["count"])
        for row in sources.rows(producer, "journal.faults", after=before, since=midnight):
            verdict.add(_gap(producer, row))


def _position_before(sources: Sources, producer: str, moment: datetime) -> int:
    position: int = sources.rows(producer, "feed.before", since=moment)[0]["low"]
    return position


_BACKUP = "put it back from a backup: no other place has it"
_NUMBER_AGAIN = (
    "INSERT INTO outbox_pending (id, day, subject)"
    " SELECT id, day, subject FROM event_log WHERE event_id = '{id}'"
    " AND NOT EXISTS (SELECT FROM event_feed WHERE event_log_id = event_log.id)"
)
_COUNT_AGAIN = "UPDATE event_stream SET last_sequence = {until} WHERE subject = '{subject}'"
_AT_THE_GAP = (
    "INSERT INTO event_feed (position, event_log_id, day)"
    " SELECT {id}, id, day FROM event_log AS log"
    " WHERE NOT EXISTS (SELECT FROM event_feed WHERE event_log_id = log.id)"
    " AND NOT EXISTS (SELECT FROM outbox_pending AS p WHERE p.id = log.id) ORDER BY id LIMIT 1"
)


def _gap(producer: str, row: Fact) -> Fault:
    subject = row["id"].rpartition("#")[0]
    values = {"id": row["id"], "until": row["until"], "subject": subject}
    detail, mend = {
        "position": ("the feed has no positions from here to {until}", _AT_THE_GAP),
        "lost": ("the journal has no event for this position", None),
        "untold": ("the event is in the journal and will never be sent", _NUMBER_AGAIN),
        "sequence": ("the journal has no event of this subject from this number to {until}", None),
        "twice": ("two events of this subject have the same number", None),
        "counter": ("the subject's counter stands here, its last event is {until}", _COUNT_AGAIN),
    }[row["kind"]]
    command = mending.sql(producer, mend.format(**values)) if mend else _BACKUP
    kind = f"{row['kind']} {row['id']}" if row["kind"] in ("position", "lost") else row["id"]
    return Fault(producer, kind, detail.format(**values), command)
