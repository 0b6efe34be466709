"""Gets the servers' binaries that this machine lacks."""

from collections.abc import Iterable

from stack.binaries import Kind, find
from stack.failure import Failure


def missing(kinds: Iterable[Kind]) -> None:
    lacking = [kind.name for kind in kinds if find(kind) is None]
    if lacking:
        raise Failure(f"Missing: {', '.join(lacking)}.")
