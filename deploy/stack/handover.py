"""From one server process to another on the same port, without losing a request.

    the old one ────────────────┐ leaves: what it has is answered, then it ends
                   stand-in ────┴──────────────────┐ leaves
                                       the new one ┴──────────────▶

The stand-in is what the new one will be under another name: a name has one process at a time.
What leaving means is in oja_web.leaving; here is whom to tell, and how to see that it is done.
"""

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from oja_web.leaving import NAME as LEAVING
from stack import sockets
from stack.belongings import belongings
from stack.context import Stack
from stack.failure import Failure
from stack.program import Program
from stack.programs import everything
from stack.readiness import is_ready, wait_for, wait_until

_TAKES_OVER_WITHIN = 120
# A request may take 30 s; a connection that nobody uses is closed by the gateway after 3 s.
_LEAVES_WITHIN = 40


def replace_unnoticed(stack: Stack, program: Program, anew: Callable[[], None]) -> None:
    """Have `anew` stop the program and start it again while a stand-in answers in its place.

    What does not answer now has nothing to lose: it is started again without ceremony.
    """
    # Whoever was broken off may have left a stand-in: a next one must come after the process that
    # it is to follow, for that is how the kernel tells them apart.
    _run(stack, everything(stack))
    if not (is_ready(stack, program) and _can_leave(stack, program)):
        anew()
        wait_for(stack, [program], within=_TAKES_OVER_WITHIN)
        return
    stand_in = replace(program, name=f"{program.name}-stand-in")
    many = len(_listening(stack, program))
    _run(stack, [*everything(stack), stand_in])
    try:
        _hand_over(stack, program, stand_in, many)
    except Failure:
        _run(stack, everything(stack))
        raise
    anew()
    # If the new one does not come, the stand-in goes on.
    _hand_over(stack, stand_in, program, many)
    _run(stack, everything(stack))


def _hand_over(stack: Stack, leaving: Program, coming: Program, many: int) -> None:
    """Return once everything goes to the one who comes, and the other has nothing left to do."""
    if not wait_until(lambda: len(_listening(stack, coming)) == many, within=_TAKES_OVER_WITHIN):
        log = stack.home.log / f"{coming.name}.log"
        raise Failure(f"{coming.name} does not answer, so {leaving.name} stays.", log=log)
    pids = _listening(stack, leaving)
    wait_until(lambda: all([_has_left(pid, leaving) for pid in pids]), within=_LEAVES_WITHIN)
    wait_for(stack, [coming], within=_TAKES_OVER_WITHIN)


def _listening(stack: Stack, program: Program) -> list[int]:
    """The program's processes that take connections on its port."""
    mine = [each.pid for each in belongings(stack.home.path, of=program.name)]
    return [pid for pid in mine if sockets.listens(pid, program.port or 0)]


def _can_leave(stack: Stack, program: Program) -> bool:
    pids = _listening(stack, program)
    return bool(pids) and all(_knows(pid) or _catches(pid, signal.SIGUSR1) for pid in pids)


def _knows(pid: int) -> bool:
    """Whether it has been told to leave, now or in a restart that was broken off."""
    return Path(f"/proc/{pid}/comm").read_text().strip() == LEAVING


def _catches(pid: int, number: signal.Signals) -> bool:
    """Whether the process has made provision for the signal, which would end it otherwise."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    caught = next(line for line in lines if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) >> (number - 1) & 1)


def _has_left(pid: int, program: Program) -> bool:
    """Whether it knows that it is to leave, and has answered whatever had come before; one that
    does not know is told."""
    try:
        knows = _knows(pid)
        if not knows:
            os.kill(pid, signal.SIGUSR1)
    except (FileNotFoundError, ProcessLookupError):
        return True
    return knows and not sockets.busy(pid, program.port or 0)


def _run(stack: Stack, programs: list[Program]) -> None:
    stack.supervisor.configure(programs, stack.account, keep=True)
    stack.supervisor.apply()
