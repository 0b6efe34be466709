"""Signing in: how many, how fast, and how much memory a storm of sign-ins takes."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from statistics import median, quantiles
from threading import Event, Thread

from identity.adapters.hashing import Argon2Hasher
from identity.settings import HashingSettings
from stack.benchmarks.bench import REPEATS, Bench
from stack.benchmarks.usage import memory_of
from stack.context import Stack
from stack.failure import Failure
from stack.ports import HOST
from stack.report import out

_PASSWORD = "a horse of course"  # noqa: S105  # nosec B105  nobody's
_AT_A_TIME = 16
_STORM = 200
_SAMPLE_EVERY = 0.05


@dataclass(frozen=True, slots=True)
class Crowd:
    """What became of many who signed in: sign-ins per second, their milliseconds, the answers."""

    per_second: float
    p50: float
    p99: float
    answers: Counter[int]


def run(bench: Bench) -> None:
    """Metrics: see benchmarks/README.md."""
    port, email = bench.stack.ports["gateway"], "ada@example.com"
    _register(port, email)
    add, count = bench.results.add, 60 if bench.quick else 240
    alone = median(_alone(count) for _ in range(REPEATS))
    out.print(f"  {_AT_A_TIME} people at a time")
    runs = [_crowd(port, email, count, _AT_A_TIME) for _ in range(REPEATS)]
    add("logins", median(each.per_second for each in runs), "/s", ("argon2_alone", alone))
    add("login_p50", median(each.p50 for each in runs), "ms")
    add("login_p99", median(each.p99 for each in runs), "ms")
    out.print(f"  {_STORM} people at once")
    idle = _memory(bench.stack)
    with _watched(lambda: _memory(bench.stack)) as peak:
        storm = _crowd(port, email, _STORM, _STORM)
    add("storm_answered", storm.answers[200], f"of {_STORM}")
    add("storm_p99", storm.p99, "ms")
    add("memory_in_the_storm", max(peak), "MiB", ("memory_idle", idle))


def _register(port: int, email: str) -> None:
    person = {"email": email, "first_name": "Ada", "last_name": "Obi"}
    body = {**person, "password": _PASSWORD, "password_confirm": _PASSWORD}
    status = _post(port, "/api/auth/register", body)
    if status != 201:
        raise Failure(f"The account of the benchmark was refused: {status}.")


def _alone(count: int) -> float:
    """Verifications per second with the parameters and the cap of a process, and nothing else."""
    cost = HashingSettings()
    hasher = Argon2Hasher(
        memory_kib=cost.memory_kib,
        time_cost=cost.time_cost,
        parallelism=cost.parallelism,
        concurrency=cost.concurrency,
    )
    expected = hasher.hash(_PASSWORD)
    began = time.monotonic()
    with ThreadPoolExecutor(cost.concurrency) as pool:
        list(pool.map(lambda _: hasher.verify(_PASSWORD, expected), range(count)))
    return count / (time.monotonic() - began)


def _crowd(port: int, email: str, count: int, at_a_time: int) -> Crowd:
    def log_in(_number: int) -> tuple[int, float]:
        began = time.monotonic()
        status = _post(port, "/api/auth/login", {"email": email, "password": _PASSWORD})
        return status, (time.monotonic() - began) * 1000

    began = time.monotonic()
    with ThreadPoolExecutor(at_a_time) as pool:
        answers = list(pool.map(log_in, range(count)))
    seconds = time.monotonic() - began
    statuses = Counter(status for status, _ in answers)
    cuts = quantiles([took for _, took in answers], n=100, method="inclusive")
    return Crowd(statuses[200] / seconds, cuts[49], cuts[98], statuses)


def _post(port: int, path: str, body: dict[str, str]) -> int:
    connection = HTTPConnection(HOST, port, timeout=120)
    try:
        connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()


@contextmanager
def _watched(look: Callable[[], float]) -> Iterator[list[float]]:
    """What was seen again and again while the block ran."""
    seen, enough = [look()], Event()

    def watch() -> None:
        while not enough.wait(_SAMPLE_EVERY):
            seen.append(look())

    watching = Thread(target=watch)
    watching.start()
    try:
        yield seen
    finally:
        enough.set()
        watching.join()


def _memory(stack: Stack) -> float:
    pids = stack.supervisor.pids()
    return memory_of([pid for name, pid in pids.items() if name.startswith("identity-http")])
