"""Runs the worker process of a service: the relay and whatever is due, as threads."""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence

from oja_events.health import serve_health

log = logging.getLogger(__name__)

# Whoever stops us kills after 45 s; all jobs together may finish what is in hand until then.
GRACEFUL_STOP = 40.0

Job = Callable[[threading.Event], None]
"""Runs until the event is set; returning earlier or raising ends the whole process."""


def every(seconds: float, work: Callable[[], int]) -> Job:
    """A job that calls `work` again and again, at once while it finds something to do.

    `work` says how much it did. Its errors are logged and waited out: the rows are still there.
    """

    name = getattr(work, "__qualname__", repr(work))

    def job(stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                done = work()
            except Exception:
                log.exception("timer failed, trying again", extra={"work": name})
                done = 0
            if not done:
                stop.wait(seconds)

    return job


def run_worker(jobs: Sequence[Job], *, health: tuple[str, int], ready: Callable[[], bool]) -> None:
    """Run the jobs until SIGTERM or SIGINT. A job that dies takes the process along, so that the
    supervisor starts all of them anew."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    threads = [threading.Thread(target=_run, args=(job, stop), daemon=True) for job in jobs]
    with serve_health(health, ready):
        for thread in threads:
            thread.start()
        stop.wait()
        ends = time.monotonic() + GRACEFUL_STOP
        for thread in threads:
            thread.join(timeout=max(0.0, ends - time.monotonic()))


def _run(job: Job, stop: threading.Event) -> None:
    try:
        job(stop)
    except BaseException:
        log.exception("worker job died")
    if not stop.is_set():
        os._exit(70)
