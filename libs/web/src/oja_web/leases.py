"""Reservations of keys that are kept up while their work runs, and end soon after a death.

    claim ──▶ work ──▶ finish, release
                └─ every BEAT: locked_until = now + LEASE, by one thread for all of the process

A lease that must outlast the longest work would make a client wait that long after a kill; this one
is short, and a process that is alive renews it.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Engine

from oja_web.idempotency_store import RequestKey, keys_alone

log = logging.getLogger(__name__)

LEASE_SECONDS = 6.0
BEAT_SECONDS = LEASE_SECONDS / 3

_Held = tuple[Engine, RequestKey, datetime]

_held: set[_Held] = set()
_start = threading.Lock()
_thread: threading.Thread | None = None


@contextmanager
def kept_up(engine: Engine, key: RequestKey, claimed: datetime) -> Iterator[None]:
    """Renew the reservation for as long as the block runs."""
    held = (engine, key, claimed)
    _held.add(held)
    _beat_from_now_on()
    try:
        yield
    finally:
        _held.discard(held)


def _beat_from_now_on() -> None:
    global _thread
    with _start:
        if _thread is None:
            _thread = threading.Thread(target=_run, name="leases", daemon=True)
            _thread.start()


def _run() -> None:
    rest = threading.Event()
    known: set[_Held] = set()
    while not rest.wait(BEAT_SECONDS):
        # What is younger than a beat needs nothing yet; most work is done before that.
        now = set(_held)
        for held in known & now:
            _renew(*held)
        known = now


def _renew(engine: Engine, key: RequestKey, claimed: datetime) -> None:
    try:
        with keys_alone(engine) as keys:
            keys.renew(key, claimed, LEASE_SECONDS)
    except Exception:
        log.warning("reservation not renewed", exc_info=True)
