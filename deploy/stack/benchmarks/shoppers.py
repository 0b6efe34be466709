"""Shoppers, in a process of their own: `python -m stack.benchmarks.shoppers`, a job on standard
input and what came of it on standard output, both as JSON."""

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from http.client import HTTPConnection
from itertools import cycle, islice
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import jwt

ADDRESS = {
    "full_name": "Ada Obi",
    "phone": "+2348012345678",
    "line1": "12 Adeola Odeku Street",
    "city": "Lagos",
    "state": "Lagos",
    "country": "NG",
}
_TIMEOUT = 30
_READY_WITHIN = 20.0
_TOKEN_SECONDS = 900


@dataclass(frozen=True, slots=True)
class Job:
    """`shoppers` go shopping side by side, each order under another account, until `seconds` are
    over or, together, they have made `orders`. `pays`: up to the money, else up to the checkout.
    `pause` is how long each of them rests between two orders. `key` signs the access tokens."""

    gateway: str
    issuer: str
    key: str
    kid: str
    skus: list[str]
    shoppers: int
    pays: bool
    seconds: float = 60.0
    orders: int = 1_000_000
    pause: float = 0.0


@dataclass(slots=True)
class Told:
    """`calls` are milliseconds by what was asked for."""

    orders: int = 0
    seconds: float = 0.0
    calls: dict[str, list[float]] = field(default_factory=dict)


class Refused(Exception):
    """An answer that no shopper should get."""


class Site:
    """One origin, over one connection that is kept."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._connection = HTTPConnection(parts.hostname or "", parts.port or 80, timeout=_TIMEOUT)

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        self._connection.request("POST", path, body, dict(headers))
        answer = self._connection.getresponse()
        return answer.status, answer.read()


class Shopper:
    """Buys one thing after the other."""

    def __init__(self, job: Job, told: Told, lock: threading.Lock) -> None:
        self._job = job
        self._told = told
        self._lock = lock
        self._shop = Site(job.gateway)
        self._pages: dict[str, Site] = {}

    def buy(self, sku: str, token: str) -> None:
        self._ask("add", token, "/api/cart/items", {"sku": sku, "quantity": 1})
        order = self._ask("checkout", token, "/api/checkout", {"shipping_address": ADDRESS})
        if self._job.pays:
            self._press_pay(self._open_page(token, order["id"]))

    def _open_page(self, token: str, order_id: str) -> str:
        """Once the stock is held. The shop waits for that itself, up to 2 s."""
        until = time.monotonic() + _READY_WITHIN
        while True:
            answer = self._ask("pay", token, "/api/pay", {"order_id": order_id})
            if "authorization_url" in answer:
                page: str = answer["authorization_url"]
                return page
            if answer.get("code") != "order_not_ready" or time.monotonic() > until:
                raise Refused(f"pay: {answer}")

    def _press_pay(self, page: str) -> None:
        parts = urlsplit(page)
        site = self._pages.setdefault(parts.netloc, Site(page))
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        status, answer = site.post(parts.path, b"choice=pay", form)
        if status >= 400:
            raise Refused(f"page: {status} {answer[:300]!r}")

    def _ask(self, name: str, token: str, path: str, body: object) -> Any:
        headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "Idempotency-Key": uuid4().hex,
        }
        started = time.perf_counter()
        status, answer = self._shop.post(path, json.dumps(body).encode(), headers)
        took = (time.perf_counter() - started) * 1000
        if status >= 400 and b"order_not_ready" not in answer:
            raise Refused(f"{name}: {status} {answer[:300]!r}")
        with self._lock:
            self._told.calls.setdefault(name, []).append(took)
        return json.loads(answer)


def tokens(job: Job, count: int) -> Iterator[str]:
    """Access tokens of as many customers as there will be orders, made beforehand."""
    now = int(time.time())
    common = {"iss": job.issuer, "aud": "oja", "iat": now, "exp": now + _TOKEN_SECONDS}
    headers = {"kid": job.kid, "typ": "at+jwt"}
    for _ in range(count):
        customer = str(uuid4())
        claims = {
            **common,
            "sub": customer,
            "jti": uuid4().hex,
            "roles": ["customer"],
            "permissions": [],
            "email": f"{customer}@example.com",
            "name": "Ada Obi",
        }
        yield jwt.encode(claims, job.key, algorithm="EdDSA", headers=headers)


def shop(job: Job, most: int = 400) -> Told:
    """Let them all loose. `most` is more orders than anybody can make in a second."""
    count = min(job.orders, int(most * job.seconds))
    purchases = zip(cycle(job.skus), list(tokens(job, count)), strict=False)
    told, lock, failed = Told(), threading.Lock(), list[BaseException]()
    until = time.monotonic() + job.seconds

    def next_one() -> list[tuple[str, str]]:
        with lock:
            return [] if failed else list(islice(purchases, 1))

    def go() -> None:
        shopper = Shopper(job, told, lock)
        while time.monotonic() < until and (purchase := next_one()):
            shopper.buy(*purchase[0])
            with lock:
                told.orders += 1
            time.sleep(job.pause)

    started = time.monotonic()
    _together(job.shoppers, go, failed)
    told.seconds = time.monotonic() - started
    if failed:
        raise failed[0]
    return told


def _together(count: int, work: Callable[[], None], failed: list[BaseException]) -> None:
    def guarded() -> None:
        try:
            work()
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=guarded) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main() -> None:
    job = Job(**json.load(sys.stdin))
    json.dump(asdict(shop(job)), sys.stdout)


if __name__ == "__main__":
    main()
