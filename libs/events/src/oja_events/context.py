"""What the code that runs right now is part of: one journey, one cause, and who asked for it.

The web entrypoint and the consumer set it; the outbox copies the journey into every envelope, the
audit log writes down who asked.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Trace:
    """`correlation_id` names the whole journey, `causation_id` the event that led here."""

    correlation_id: str
    causation_id: str | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks, and from which network address."""

    user_id: UUID
    address: str | None = None


actor: ContextVar[Actor | None] = ContextVar("oja_actor", default=None)
trace: ContextVar[Trace | None] = ContextVar("oja_trace", default=None)


@contextmanager
def use_trace(current: Trace) -> Iterator[Trace]:
    """Make `current` the trace of everything inside the block."""
    token = trace.set(current)
    try:
        yield current
    finally:
        trace.reset(token)


@contextmanager
def act_as(current: Actor) -> Iterator[Actor]:
    """Make `current` the one who asks for everything inside the block."""
    token = actor.set(current)
    try:
        yield current
    finally:
        actor.reset(token)
