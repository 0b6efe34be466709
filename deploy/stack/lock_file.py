"""One `up`, `down` or `scale` at a time on one home."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from stack.failure import Failure
from stack.home import Home


@contextmanager
def exclusive(home: Home) -> Iterator[None]:
    """Hold the home for the block; whoever comes second is told so at once."""
    home.make()
    with (home.path / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Failure("Another oja command is changing this stack; wait for it.") from None
        yield
