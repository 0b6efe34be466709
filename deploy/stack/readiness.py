"""Is it ready? Asked of each program in its own language."""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException

from stack.context import Stack
from stack.failure import Failure
from stack.ports import HOST, listens
from stack.program import Program
from stack.servers import postgres, rabbitmq, redis

_SERVERS: dict[str, Callable[[Stack], bool]] = {
    "postgres": postgres.ready,
    "rabbitmq": rabbitmq.ready,
    "redis": redis.ready,
}

# A program that needs more starts than this will not do better the next time.
_ATTEMPTS = 12


def is_ready(stack: Stack, program: Program) -> bool:
    """Whether the program does its work right now; False also while it does not run."""
    if program.ready in _SERVERS:
        return _SERVERS[program.ready](stack)
    if program.port is None:
        return bool(stack.supervisor.information().get(program.name, {}).get("pid"))
    if program.ready.startswith("/"):
        return answers(program.port, program.ready)
    return listens(program.port)


def all_ready(stack: Stack, programs: Iterable[Program]) -> dict[str, bool]:
    """The same for many at once, by name."""
    items = list(programs)
    with ThreadPoolExecutor(max_workers=16) as pool:
        answered = pool.map(lambda item: is_ready(stack, item), items)
    return dict(zip((item.name for item in items), answered, strict=True))


def wait_for(
    stack: Stack,
    programs: Iterable[Program],
    *,
    within: float,
    tell: Callable[[int, int], None] = lambda done, of: None,
) -> None:
    """Return once all are ready; `tell` hears how many already are."""
    waiting = list(programs)
    total = len(waiting)
    deadline = time.monotonic() + within
    hopeless = {item.name: stack.home.started(item.name) + _ATTEMPTS for item in waiting}
    while waiting:
        ready = all_ready(stack, waiting)
        waiting = [item for item in waiting if not ready[item.name]]
        tell(total - len(waiting), total)
        for item in waiting:
            if stack.home.started(item.name) > hopeless[item.name]:
                _give_up(stack, [item], "does not stay up")
        if waiting and time.monotonic() > deadline:
            _give_up(stack, waiting, f"not ready after {within:.0f} seconds")
        time.sleep(0.1 if waiting else 0)


def answers(port: int, path: str, *, timeout: float = 3.0) -> bool:
    """Whether GET answers 200 there."""
    connection = HTTPConnection(HOST, port, timeout=timeout)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def wait_until(condition: Callable[[], bool], *, within: float, every: float = 0.1) -> bool:
    """Ask until the answer is yes; False if it was not within that many seconds."""
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True


def _give_up(stack: Stack, waiting: list[Program], trouble: str) -> None:
    names = ", ".join(item.name for item in waiting)
    raise Failure(f"{names}: {trouble}.", log=stack.home.log / f"{waiting[0].name}.log")
