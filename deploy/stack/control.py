"""Changing a running stack: restart, scale, psql."""

import os
import re
import shutil
from collections.abc import Iterable, Sequence

from stack import binaries, description
from stack.context import Stack
from stack.failure import Failure
from stack.handover import replace_unnoticed
from stack.lock_file import exclusive
from stack.ports import HOST
from stack.processes import processes
from stack.program import Program
from stack.programs import everything, matching, upstreams
from stack.readiness import wait_for
from stack.report import step
from stack.servers import nginx, postgres
from stack.services import SERVICES

_WISH = re.compile(r"^(?P<service>[a-z]+)\.(?P<role>[a-z]+)=(?P<count>\d+)$")
# Two relays or timers may overlap during a change; more only wait for each other.
_MOST = {"worker": 2}
_MOST_OF_OTHERS = 16
_READY_WITHIN = 90


def restart(stack: Stack, wish: str) -> None:
    """Restart what is meant, one process at a time, each ready before the next stops.

    Customers notice nothing of a service: news waits, and requests go to a stand-in meanwhile.
    """
    require_running(stack)
    with exclusive(stack.home):
        programs = {program.name: program for program in everything(stack)}
        for name in matching(programs.values(), wish):
            with step(f"Restarting {name}"):
                _restart_one(stack, programs[name])


def _restart_one(stack: Stack, program: Program) -> None:
    def stop_and_start() -> None:
        stack.supervisor.stop([program.name])
        stack.supervisor.start_programs([program.name])

    if program.role == "http" and program.service in SERVICES:
        replace_unnoticed(stack, program, stop_and_start)
    else:
        stop_and_start()
        wait_for(stack, [program], within=_READY_WITHIN)


def restart_anew(stack: Stack, programs: Sequence[Program]) -> None:
    """Restart these, all at once, with the settings that are written down now; ready afterwards."""
    names = [program.name for program in programs]
    with step(f"Restarting {', '.join(names)}"):
        stack.supervisor.configure(everything(stack), stack.account, keep=True, but=names)
        stack.supervisor.apply()
        wait_for(stack, programs, within=_READY_WITHIN)


def scale(stack: Stack, wishes: Sequence[str]) -> None:
    """Have `SERVICE.ROLE=N` true for each wish. Processes that stay are not touched."""
    counts = dict(parsed(wish) for wish in wishes)
    require_running(stack)
    with exclusive(stack.home), step(f"Scaling {', '.join(wishes)}"):
        before = everything(stack)
        stack.choose(counts=stack.choices.counts | counts)
        after = everything(stack)
        # Those that shall go stay until the gateway has stopped sending them requests.
        _run(stack, {program.name: program for program in (*before, *after)}.values())
        wait_for(
            stack, [program for program in after if program not in before], within=_READY_WITHIN
        )
        _tell_gateway(stack)
        _run(stack, after)
        description.write(stack)


def psql(stack: Stack, role: str, arguments: Sequence[str]) -> None:
    """Become psql, logged in as that service (or as postgres, the superuser)."""
    if role not in (*SERVICES, postgres.SUPERUSER):
        raise Failure(f"There is no {role!r}; choose one of {', '.join(SERVICES)} or postgres.")
    require_running(stack)
    beside = binaries.require(binaries.POSTGRES).folder / "psql"
    program = str(beside) if beside.exists() else shutil.which("psql")
    if program is None:
        raise Failure("psql is missing; install postgresql-client.")
    address = ["-h", HOST, "-p", str(stack.ports["postgres"]), "-U", role, "-d", postgres.DATABASE]
    environment = dict(os.environ) | {"PGPASSWORD": postgres.password(stack, role)}
    os.execve(program, [program, *address, *arguments], environment)  # noqa: S606  # nosec B606


def parsed(wish: str) -> tuple[str, int]:
    """`ordering.http=3` as its parts; refuses what does not exist or is too much."""
    match = _WISH.match(wish)
    kinds = {f"{item.service}.{item.role}" for item in processes()}
    known = [*sorted(kinds), "gateway.http"]
    if match is None or f"{match['service']}.{match['role']}" not in known:
        raise Failure(f"{wish!r} is not SERVICE.ROLE=N with one of {', '.join(known)}.")
    most = _MOST.get(match["role"], _MOST_OF_OTHERS)
    if not 1 <= int(match["count"]) <= most:
        raise Failure(f"{match['service']}.{match['role']} can run 1 to {most} times.")
    return f"{match['service']}.{match['role']}", int(match["count"])


def _run(stack: Stack, programs: Iterable[Program]) -> None:
    stack.supervisor.configure(list(programs), stack.account, keep=True)
    stack.supervisor.apply()


def _tell_gateway(stack: Stack) -> None:
    if nginx.prepare(stack, upstreams(stack)):
        stack.supervisor.signal(nginx.NAME, "HUP")


def require_running(stack: Stack) -> None:
    """Raises Failure unless the stack runs."""
    if not stack.supervisor.running():
        raise Failure("The stack is not running; start it with ./oja up.")
