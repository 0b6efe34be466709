"""Waiting for something to become true."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(
    condition: Callable[[], T], *, timeout: float = 60, what: str = "", pause: float = 0.02
) -> T:
    """The first truthy result of `condition`; raises AssertionError after `timeout` seconds. Give
    a longer `pause` between two looks to a condition that is a lot of work."""
    deadline = time.monotonic() + timeout
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: {what or condition}")
        time.sleep(pause)


class UntilIdle(threading.Event):
    """Stops a timer of a worker as soon as it finds nothing to do."""

    def wait(self, timeout: float | None = None) -> bool:
        self.set()
        return True
