"""Nothing had an effect that nobody told: it is in its owner's journal."""

from collections import defaultdict
from datetime import datetime

from oja_events.books import mending
from oja_events.books.facts import PAGE, Fact, Sources, first_id, pages
from oja_events.books.report import Fault, Verdict
from oja_events.topology import CONSUMERS, PRODUCERS


def judge(sources: Sources, since: datetime, verdict: Verdict) -> None:
    """An event is in the journal before anybody can hear of it. What was heard is read first, so
    there is no moment at which it could be missing there."""
    for listener in CONSUMERS:
        inbox = pages(sources, listener, "inbox.applied", "event_id", after=first_id(since))
        for heard in inbox:
            verdict.checked += len(heard)
            _judge_page(sources, listener, heard, since, verdict)


def _judge_page(
    sources: Sources, listener: str, heard: list[Fact], since: datetime, verdict: Verdict
) -> None:
    by_teller: dict[str, list[Fact]] = defaultdict(list)
    for event in heard:
        by_teller[event["source"].removeprefix("/")].append(event)
    for teller, events in by_teller.items():
        told = _told(sources, teller, events, since) if teller in PRODUCERS else {}
        for event in events:
            if told.get(_number(event)) != (event["event_id"], event["type"]):
                verdict.add(_ghost(listener, teller, event))


def _told(
    sources: Sources, teller: str, events: list[Fact], since: datetime
) -> dict[str, tuple[str, str]]:
    """What the teller's journal has under the same subjects and numbers."""
    numbers = sorted({_number(event) for event in events})
    rows = sources.rows(teller, "journal.numbered", ids=numbers, since=since, limit=PAGE)
    return {row["number"]: (row["event_id"], row["type"]) for row in rows}


def _number(event: Fact) -> str:
    return f"{event['subject']}#{event['sequence']}"


def _ghost(listener: str, teller: str, event: Fact) -> Fault:
    look = f"SELECT * FROM inbox WHERE event_id = '{event['event_id']}'"  # noqa: S608  # nosec B608
    detail = f"{event['type']} {_number(event)} had an effect, and {teller} has not told it"
    return Fault(listener, event["event_id"], detail, mending.sql(listener, look))
