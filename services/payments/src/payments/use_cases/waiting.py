"""Customers who wait until the news of their order is here. However many of a process do, they
share one look at the database at a time."""

import threading
import time
from concurrent.futures import Future
from uuid import UUID

from payments.use_cases.ports import NewUnitOfWork, Standing

LOOK_EVERY = 0.05  # seconds


class Lookout:
    """Looks from a background thread, started on first use, for as long as somebody waits."""

    def __init__(self, unit_of_work: NewUnitOfWork, *, every: float = LOOK_EVERY) -> None:
        self._unit_of_work = unit_of_work
        self._every = every
        self._waiting: dict[Future[Standing], UUID] = {}
        self._wanted = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def wait(self, order_id: UUID, seconds: float) -> Standing | None:
        """How the order stands when no news of it is missing any more; None after so long.

        Raises what the look at the database raises.
        """
        news: Future[Standing] = Future()
        with self._lock:
            self._waiting[news] = order_id
            self._start()
        self._wanted.set()
        try:
            return news.result(seconds)
        except TimeoutError:
            return None
        finally:
            with self._lock:
                self._waiting.pop(news, None)

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="lookout", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            self._wanted.wait()
            time.sleep(self._every)
            with self._lock:
                waiting = dict(self._waiting)
                if not waiting:
                    self._wanted.clear()
            if waiting:
                self._look_for(waiting)

    def _look_for(self, waiting: dict[Future[Standing], UUID]) -> None:
        try:
            with self._unit_of_work.at_once() as uow:
                seen = uow.orders.look(set(waiting.values()))
        except Exception as error:  # it is theirs who wait
            for news in waiting:
                self._no_more(news).set_exception(error)
            return
        for news, order_id in waiting.items():
            standing = seen.get(order_id)
            if standing is not None and not standing.order.misses_news:
                self._no_more(news).set_result(standing)

    def _no_more(self, news: Future[Standing]) -> Future[Standing]:
        with self._lock:
            self._waiting.pop(news, None)
        return news
