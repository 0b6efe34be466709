"""Customers who wait until an order is as they need it. However many of a process do, they share
one look at the database at a time."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from uuid import UUID

from payments.use_cases.ports import NewUnitOfWork, Standing

LOOK_EVERY = 0.05  # seconds


@dataclass(frozen=True, slots=True, eq=False)
class _Wish:
    order_id: UUID
    fits: Callable[[Standing], bool]
    standing: Future[Standing] = field(default_factory=Future)


class Lookout:
    """Looks from a background thread, started on first use, for as long as somebody waits.

    Who waits holds a thread of the web server: `places` is how many may.
    """

    def __init__(
        self, unit_of_work: NewUnitOfWork, *, places: int, every: float = LOOK_EVERY
    ) -> None:
        self._unit_of_work = unit_of_work
        self._every = every
        self._places = threading.BoundedSemaphore(places)
        self._wishes: set[_Wish] = set()
        self._wanted = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def wait(
        self, order_id: UUID, seconds: float, fits: Callable[[Standing], bool]
    ) -> Standing | None:
        """See the port."""
        if not self._places.acquire(blocking=False):
            return None
        try:
            return self._wait(_Wish(order_id, fits), seconds)
        finally:
            self._places.release()

    def _wait(self, wish: _Wish, seconds: float) -> Standing | None:
        with self._lock:
            self._wishes.add(wish)
            self._start()
        self._wanted.set()
        try:
            return wish.standing.result(seconds)
        except TimeoutError:
            return None
        finally:
            self._drop(wish)

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="lookout", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            self._wanted.wait()
            time.sleep(self._every)
            with self._lock:
                wishes = set(self._wishes)
                if not wishes:
                    self._wanted.clear()
            if wishes:
                self._look_for(wishes)

    def _look_for(self, wishes: set[_Wish]) -> None:
        try:
            with self._unit_of_work.at_once() as uow:
                seen = uow.orders.look({wish.order_id for wish in wishes})
        except Exception as error:  # it is theirs who wait
            for wish in wishes:
                self._drop(wish)
                wish.standing.set_exception(error)
            return
        for wish in wishes:
            standing = seen.get(wish.order_id)
            if standing is not None and wish.fits(standing):
                self._drop(wish)
                wish.standing.set_result(standing)

    def _drop(self, wish: _Wish) -> None:
        with self._lock:
            self._wishes.discard(wish)
