"""`./oja keys`: other keys for access tokens, while everybody stays signed in."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import typer

from stack import envfiles, report
from stack.addresses import addresses
from stack.context import Stack
from stack.control import require_running, restart_anew
from stack.failure import Failure
from stack.keyring import now
from stack.lock_file import exclusive
from stack.program import Program
from stack.programs import services

app = typer.Typer(help="The keys that access tokens are signed with.", no_args_is_help=True)


@app.command()
def show() -> None:
    """List the keys that tokens are verified with, and what each is for."""
    for kid, state in sorted(Stack().credentials.keyring.states().items()):
        report.out.print(f"{kid}  {state}")


@app.command()
def rotate() -> None:
    """Sign with a new key, which every service knows before; tokens of the old one stay good.

    May be repeated when it was interrupted: it goes on where it stopped.
    """
    stack = Stack()
    ring = stack.credentials.keyring
    with _changing(stack):
        ring.drop_retired(now())
        ring.announce()
        _hand_out(stack)
        ring.use_announced(now())
        _hand_out(stack)
    report.out.print(f"A new key signs. The old one is known until {_time(ring.droppable_at())}.")


@app.command()
def drop() -> None:
    """Forget retired keys, once no token that they signed can be left."""
    stack = Stack()
    ring = stack.credentials.keyring
    latest = ring.droppable_at()
    if latest and latest > now():
        raise Failure(f"Tokens of the retired key are good until {_time(latest)}; drop it then.")
    with _changing(stack):
        gone = ring.drop_retired(now())
        if gone:
            _hand_out(stack)
    report.out.print(f"{len(gone)} forgotten." if gone else "There is nothing to forget.")


@contextmanager
def _changing(stack: Stack) -> Iterator[None]:
    require_running(stack)
    with exclusive(stack.home):
        yield


def _hand_out(stack: Stack) -> None:
    """Write everybody's settings, and have them read by all for whom they are others than before.

    Those who answer customers one after the other; nobody waits for the rest.
    """
    envfiles.write(stack.home.env, addresses(stack))
    changed = _changed(stack)
    for program in changed:
        if program.role == "http":
            restart_anew(stack, [program])
    restart_anew(stack, [program for program in changed if program.role != "http"])


def _changed(stack: Stack) -> list[Program]:
    running = stack.supervisor.configured()
    return [
        program
        for program in services(stack)
        if program.specification(stack.account)["digest"] != running.get(program.name)
    ]


def _time(moment: datetime | None) -> str:
    return moment.astimezone().strftime("%H:%M:%S") if moment else "now"
