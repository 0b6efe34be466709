"""`./oja events`: what the services tell each other."""

import json
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import typer
from sqlalchemy import Engine, text

from oja_events import operating
from oja_events.contracts import EVENTS
from oja_events.topology import SUBSCRIBERS
from stack.failure import Failure
from stack.operating.services import Databases, databases
from stack.report import out
from stack.services import SERVICES

app = typer.Typer(help="What the services tell each other.", no_args_is_help=True)

_POLL = 0.5
_PATIENCE = 45.0
_LAST = text("""
    SELECT position, log.event_id, type, subject, occurred_at, envelope
    FROM (SELECT position, day, event_log_id FROM event_feed ORDER BY position DESC LIMIT :count)
        AS feed JOIN event_log AS log ON log.day = feed.day AND log.id = feed.event_log_id
    ORDER BY position
""")
_NEW = text("""
    SELECT position, log.event_id, type, subject, occurred_at, envelope
    FROM event_feed AS feed
        JOIN event_log AS log ON log.day = feed.day AND log.id = feed.event_log_id
    WHERE position > :after ORDER BY position LIMIT 500
""")
# An id begins with its time, so its day is known: nobody has to look at all of them.
_ONE = text("""
    SELECT position, log.event_id, type, subject, occurred_at, envelope
    FROM event_log AS log
        LEFT JOIN event_feed AS feed ON feed.event_log_id = log.id AND feed.day = log.day
    WHERE log.event_id = :id AND log.day BETWEEN CAST(:day AS date) - 1 AND CAST(:day AS date) + 1
""")


@dataclass(frozen=True, slots=True)
class Told:
    """One event in the journal of `service`; without a position the relay has not seen it yet."""

    service: str
    position: int | None
    event_id: str
    type: str
    subject: str
    at: datetime
    envelope: bytes

    def line(self) -> str:
        name = self.type.split(".", 1)[1]
        at = f"{self.at.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"[:-3]
        place = f"{self.service:>8} {self.position or '-':>6}"
        return f"{at}  {place}  {name:<38} {self.subject}  {self.event_id}"


@app.command()
def tail(
    service: Annotated[str | None, typer.Option(help="Only what this service tells.")] = None,
    type_: Annotated[str, typer.Option("--type", help="Only types with this in their name.")] = "",
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many old ones.")] = 20,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Whole envelopes, one a line.")] = False,
) -> None:
    """Show the latest events: when, who, position, type, subject, id."""
    with databases() as found:
        names = [service] if service else list(SERVICES)
        seen = dict.fromkeys(names, 0)
        last = [told for name in names for told in _told(found[name], name, _LAST, count=lines)]
        wanted = sorted((told for told in last if type_ in told.type), key=lambda told: told.at)
        _print(wanted[len(wanted) - min(lines, len(wanted)) :], as_json)
        for name in names:
            seen[name] = operating.lag(found[name]).head
        while follow:
            time.sleep(_POLL)
            for name in names:
                new = _told(found[name], name, _NEW, after=seen[name])
                seen[name] = new[-1].position or seen[name] if new else seen[name]
                _print([told for told in new if type_ in told.type], as_json)


@app.command()
def show(
    event_id: Annotated[UUID, typer.Argument(help="As `tail` shows it.")],
) -> None:
    """Show one event with its envelope, and what became of it in every service that listens."""
    with databases() as found:
        told = _find(found, event_id)
        out.print(told.line(), highlight=False, soft_wrap=True)
        out.print_json(told.envelope.decode())
        for name, outcome in _outcomes(found, told).items():
            out.print(f"{name:>10}: {outcome}", highlight=False)


@app.command()
def replay(
    event_ids: Annotated[list[UUID] | None, typer.Argument(help="As `tail` shows them.")] = None,
    source: Annotated[
        str | None, typer.Option(help="Instead: all that this service told …")
    ] = None,
    after: Annotated[int, typer.Option(min=0, help="… after this position.")] = 0,
    to: Annotated[str | None, typer.Option(help="Only for this service.")] = None,
) -> None:
    """Give events again to the services that listen and have not handled them.

    What a service has handled already stays as it is, so this may be done at any time, and twice.
    """
    if bool(event_ids) == bool(source):
        raise Failure("Name events by their ids, or a service with --source; not both.")
    if to is not None and to not in SERVICES:
        raise Failure(f"There is no {to!r}; there is {', '.join(SERVICES)}.")
    with databases() as found:
        if source:
            _compare_again(found, source, after, to)
        for event_id in event_ids or ():
            _replay_one(found, _find(found, event_id), to)


def _compare_again(found: Databases, source: str, after: int, to: str | None) -> None:
    head = operating.lag(found[source]).head
    for name in _listeners_of(source, to):
        operating.rewind(found[name], source, after)
        out.print(
            f"{name} compares {source}'s feed again from position {after} on (of {head});"
            " ./oja lag shows how far it is."
        )


def _replay_one(found: Databases, told: Told, to: str | None) -> None:
    names = [name for name in listeners(told.type) if to in (None, name)]
    if not names:
        raise Failure(f"{to or 'Nobody'} does not listen to {told.type}.")
    for name in names:
        operating.replay(found[name], [told.envelope])
    for name, outcome in settled(found, told, names).items():
        out.print(f"{told.event_id} in {name}: {outcome}", highlight=False)


def settled(found: Databases, told: Told, names: Collection[str]) -> dict[str, str]:
    """What became of an event, once that is known; else what is known after a while."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        outcomes = {name: operating.outcome(found[name], told.event_id) for name in names}
        if "waiting" not in outcomes.values() or time.monotonic() > deadline:
            return outcomes
        time.sleep(_POLL)


def listeners(event_type: str) -> Sequence[str]:
    """The services that listen to a type."""
    return SUBSCRIBERS.get(EVENTS[event_type], ()) if event_type in EVENTS else ()


def _listeners_of(source: str, to: str | None) -> list[str]:
    wanted = {
        name
        for event, names in SUBSCRIBERS.items()
        if event.TYPE.split(".")[1] == source
        for name in names
        if to in (None, name)
    }
    if not wanted:
        raise Failure(f"{to or 'Nobody'} does not listen to {source}.")
    return sorted(wanted)


def _outcomes(found: Databases, told: Told) -> dict[str, str]:
    return {
        name: operating.outcome(found[name], told.event_id) for name in listeners(told.type)
    } or {"nobody": "listens to it"}


def _find(found: Databases, event_id: UUID) -> Told:
    try:
        day = datetime.fromtimestamp((event_id.int >> 80) / 1000, UTC).date()
    except (ValueError, OverflowError):
        raise Failure(f"{event_id} is no id of an event: those begin with a time.") from None
    for service in SERVICES:
        for told in _told(found[service], service, _ONE, id=event_id, day=day):
            return told
    raise Failure(f"No journal has an event {event_id}.")


def _told(engine: Engine, service: str, query: Any, **values: Any) -> list[Told]:
    with engine.connect() as connection:
        return [
            Told(
                service=service,
                position=row.position,
                event_id=str(row.event_id),
                type=row.type,
                subject=row.subject,
                at=row.occurred_at,
                envelope=bytes(row.envelope),
            )
            for row in connection.execute(query, values)
        ]


def _print(events: list[Told], as_json: bool) -> None:
    for told in sorted(events, key=lambda told: told.at):
        if as_json:
            line = json.dumps(
                {"position": told.position, "envelope": json.loads(told.envelope)},
                ensure_ascii=False,
            )
            typer.echo(line)
        else:
            typer.echo(told.line())
