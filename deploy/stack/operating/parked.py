"""`./oja parked`: messages that a service could not handle."""

import json
from typing import Annotated

import typer
from rich.table import Table

from oja_events import operating
from oja_events.operating import NotFound, Parked, StillUnreadable
from stack.failure import Failure
from stack.operating.services import Databases, databases
from stack.report import out
from stack.services import SERVICES

app = typer.Typer(help="Messages that a service could not handle.", no_args_is_help=True)

Service = Annotated[str | None, typer.Option(help="Only those of this service.")]
Reason = Annotated[str, typer.Option(help="Only those put away for this reason.")]


@app.command("list")
def list_(
    service: Service = None,
    reason: Reason = "",
    every: Annotated[bool, typer.Option("--all", help="Also those that were dealt with.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show messages that wait for somebody, the latest first."""
    with databases() as found:
        rows = _parked(found, service, reason=reason, status="" if every else "open")
    if as_json:
        typer.echo(json.dumps([_plain(name, each) for name, each in rows], indent=2))
        return
    if not rows:
        out.print("No message is parked.")
        return
    table = Table("service", "key", "type", "reason", "error", "status", "parked at")
    for name, each in rows:
        at = f"{each.parked_at:%Y-%m-%d %H:%M:%S}"
        error = each.error[:60]
        table.add_row(name, each.key, each.type or "?", each.reason, error, each.status, at)
    out.print(table)


@app.command()
def show(key: str) -> None:
    """Show one message with everything that is known about it."""
    with databases() as found:
        for name, each in _named(found, key):
            typer.echo(json.dumps(_plain(name, each), indent=2, ensure_ascii=False))


@app.command()
def redrive(
    keys: Annotated[list[str] | None, typer.Argument(help="As `list` shows them.")] = None,
    service: Service = None,
    reason: Reason = "",
    every: Annotated[bool, typer.Option("--all", help="All that are open.")] = False,
) -> None:
    """Have messages handled again, once. What fails again is parked again, with the new reason."""
    if not keys and not reason and not every:
        raise Failure("Name messages by their keys, or say --reason or --all.")
    with databases() as found:
        for name, each in _chosen(found, keys, service, reason):
            out.print(f"{each.key} in {name}: {_redriven(found, name, each)}", highlight=False)


@app.command()
def discard(
    key: str,
    note: Annotated[str, typer.Option(help="Why nothing has to be done about it.")],
    service: Service = None,
) -> None:
    """Close a message without handling it."""
    with databases() as found:
        for name, each in _named(found, key, service):
            done = operating.discard(found[name], each.key, note)
            told = "discarded" if done else f"was {each.status} already"
            out.print(f"{each.key} in {name}: {told}", highlight=False)


def _redriven(found: Databases, name: str, each: Parked) -> str:
    try:
        done = operating.redrive(found[name], each.key)
    except StillUnreadable as error:
        return f"cannot be read, so it stays as it is: {error}"
    except NotFound:
        return "is gone"
    return "will be handled within seconds" if done else f"was {each.status} already"


def _chosen(
    found: Databases, keys: list[str] | None, service: str | None, reason: str
) -> list[tuple[str, Parked]]:
    if keys:
        return [one for key in keys for one in _named(found, key, service)]
    return _parked(found, service, reason=reason, status="open", limit=10_000)


def _named(found: Databases, key: str, service: str | None = None) -> list[tuple[str, Parked]]:
    rows = _parked(found, service, key=key)
    if not rows:
        raise Failure(f"No message {key} is parked{f' in {service}' if service else ''}.")
    return rows


def _parked(
    found: Databases, service: str | None, limit: int = 100, **wanted: str
) -> list[tuple[str, Parked]]:
    if service is not None and service not in SERVICES:
        raise Failure(f"There is no {service!r}; there is {', '.join(SERVICES)}.")
    names = [service] if service else SERVICES
    return [
        (name, each)
        for name in names
        for each in operating.parked(found[name], limit=limit, **wanted)
    ]


def _plain(name: str, each: Parked) -> dict[str, object]:
    return {
        "service": name,
        "key": each.key,
        "type": each.type,
        "reason": each.reason,
        "error": each.error,
        "status": each.status,
        "parked_at": each.parked_at.isoformat(),
        "closed_at": each.closed_at and each.closed_at.isoformat(),
        "note": each.note,
        "headers": each.headers,
        "body": each.body.decode("utf-8", "backslashreplace"),
    }
