"""What the person at the terminal sees: steps with their times, colour only on a terminal."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


class Step:
    """A running step; `detail` says how far it is."""

    def __init__(self, title: str) -> None:
        self.title = title
        self._started = time.monotonic()
        self._status = out.status(title) if out.is_terminal else None

    def detail(self, text: str) -> None:
        if self._status:
            self._status.update(f"{self.title} [dim]{text}[/dim]")

    def __enter__(self) -> "Step":
        if self._status:
            self._status.start()
        return self

    def __exit__(self, failure: object, *_: object) -> None:
        if self._status:
            self._status.stop()
        mark = "[red]✗[/red]" if failure else "[green]✓[/green]"
        out.print(f"{mark} {self.title} [dim]{time.monotonic() - self._started:.1f} s[/dim]")
        sys.stdout.flush()


@contextmanager
def step(title: str) -> Iterator[Step]:
    """Show a title while the block runs, then whether and how fast it was done."""
    with Step(title) as running:
        yield running


def failed(sentence: str, log: object = None) -> None:
    """One sentence on standard error, and where to read more."""
    err.print(f"[red]oja:[/red] {sentence}")
    if log:
        err.print(f"     See {log}")
