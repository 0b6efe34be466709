"""Keeps a provider that is slow or away from taking all threads along."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from payments.use_cases.errors import ProviderRefused, ProviderUnavailable


class Breaker:
    """After `threshold` failures in a row it refuses calls at once for `pause` seconds; then the
    next failure alone opens it again. At most `parallel` calls are under way together."""

    def __init__(self, *, threshold: int = 5, pause: float = 5.0, parallel: int = 3) -> None:
        self._threshold = threshold
        self._pause = pause
        self._places = threading.BoundedSemaphore(parallel)
        self._lock = threading.Lock()
        self._failures = 0
        self._closed_again_at = 0.0

    @contextmanager
    def call(self) -> Iterator[None]:
        """Around one call; a ProviderUnavailable out of it counts as a failure."""
        if time.monotonic() < self._closed_again_at:
            raise ProviderUnavailable("Paystack failed several times in a row; not asked")
        if not self._places.acquire(timeout=1.0):
            raise ProviderUnavailable("too many calls to Paystack are under way")
        try:
            yield
        except ProviderUnavailable:
            self._count_failure()
            raise
        except ProviderRefused:  # an answer all the same
            self._failures = 0
            raise
        else:
            self._failures = 0
        finally:
            self._places.release()

    def _count_failure(self) -> None:
        with self._lock:
            self._failures += 1
            if self._failures >= self._threshold:
                self._closed_again_at = time.monotonic() + self._pause
