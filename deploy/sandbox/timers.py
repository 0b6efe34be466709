"""Items that become due: a queue ordered by time."""

import heapq
import threading
import time


class Timers:
    """Threads wait in `take` until the earliest id is due. The books hold the truth, not this."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._heap: list[tuple[float, int]] = []
        self._closed = False

    def put(self, item: int, due_at: float) -> None:
        with self._changed:
            heapq.heappush(self._heap, (due_at, item))
            self._changed.notify()

    def take(self) -> int | None:
        """The next due id, or None once closed."""
        with self._changed:
            while not self._closed:
                wait = self._heap[0][0] - time.time() if self._heap else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._heap)[1]
                self._changed.wait(wait)
            return None

    def clear(self) -> None:
        with self._changed:
            self._heap.clear()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
