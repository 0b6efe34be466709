"""A steady stream of customers, and visitors who only look."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor

from tests.chaos.nemesis.customers import Customer, Market, Person

_MOST_AT_ONCE = 12
_LOOKS_PER_SECOND = 4
_LOOKS = ("/api/products", "/api/categories", "/api/products/no-such")
_WANTS = {"keep": 12, "cancel": 3, "cancel unpaid": 2, "leave": 1, "be refunded": 2}


class Load:
    """Keeps so many orders a minute coming, and visitors who only look."""

    def __init__(self, market: Market, orders_per_minute: float) -> None:
        self._market = market
        self._pause = 60 / orders_per_minute
        self._pool = ThreadPoolExecutor(_MOST_AT_ONCE, thread_name_prefix="customer")
        self._busy = threading.Semaphore(_MOST_AT_ONCE)
        self._threads = [threading.Thread(target=work) for work in (self._send, self._look)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Nobody comes any more, and everybody brings his order to its end."""
        self._market.closing.set()
        for thread in self._threads:
            thread.join()
        self._pool.shutdown()

    def _send(self) -> None:
        wants, weights = list(_WANTS), list(_WANTS.values())
        while not self._market.closing.wait(random.uniform(0.5, 1.5) * self._pause):  # noqa: S311
            # With everybody waiting, nobody else comes: the load stays bounded.
            if self._busy.acquire(blocking=False):
                [want] = random.choices(wants, weights)  # noqa: S311
                customer = Customer(self._market, want)
                done = self._pool.submit(customer.go_shopping)
                done.add_done_callback(lambda _: self._busy.release())

    def _look(self) -> None:
        visitor = Person(self._market)
        while not self._market.closing.wait(1 / _LOOKS_PER_SECOND):
            visitor.try_once("GET", random.choice(_LOOKS), good=(200, 404))  # noqa: S311
