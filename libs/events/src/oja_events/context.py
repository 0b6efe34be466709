"""What the code that runs right now is part of: one journey, one cause.

The web entrypoint and the consumer set it; the outbox copies it into every envelope.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Trace:
    """`correlation_id` names the whole journey, `causation_id` the event that led here."""

    correlation_id: str
    causation_id: str | None = None
    traceparent: str | None = None


trace: ContextVar[Trace | None] = ContextVar("oja_trace", default=None)


@contextmanager
def use_trace(current: Trace) -> Iterator[Trace]:
    """Make `current` the trace of everything inside the block."""
    token = trace.set(current)
    try:
        yield current
    finally:
        trace.reset(token)
