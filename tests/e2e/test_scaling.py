"""More and fewer processes while customers go on shopping."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

import requests

from tests.support.servers import CHECKOUT
from tests.support.shop import Shop

# 3,000 requests a minute at most: half of LIMIT_BROWSING, for other tests browse as well.
PAUSE = 0.02


def oja(shop: Shop, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "stack", *arguments],
        cwd=CHECKOUT,
        env={**os.environ, "OJA_HOME": shop.description["home"]},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def pids(shop: Shop) -> dict[str, int]:
    processes: list[dict[str, Any]] = json.loads(oja(shop, "status", "--json"))["processes"]
    return {process["name"]: process["pid"] for process in processes}


@contextmanager
def somebody_browsing(shop: Shop) -> Iterator[Counter[int]]:
    """One customer who looks at products, as often as catalog allows; counts the answers by
    status."""
    answers: Counter[int] = Counter()
    enough = Event()

    def browse() -> None:
        # A new connection each time, for a gateway that reloads may close one that is idle; and a
        # cookie, for with one the gateway does not answer from its own memory.
        url = f"{shop.description['urls']['gateway']}/api/products"
        while not enough.wait(PAUSE):
            answer = requests.get(url, headers={"Cookie": "seen=1"}, timeout=15)
            answers[answer.status_code] += 1

    browsing = Thread(target=browse)
    browsing.start()
    try:
        yield answers
    finally:
        enough.set()
        browsing.join()


def test_customers_notice_nothing_when_processes_come_and_go(shop: Shop):
    before = pids(shop)

    with somebody_browsing(shop) as answers:
        oja(shop, "scale", "catalog.http=2", "notifier.consumer=2", "gateway.http=2")
        grown = pids(shop)
        oja(shop, "scale", "catalog.http=1", "notifier.consumer=1", "gateway.http=1")

    assert set(grown) - set(before) == {"catalog-http-2", "notifier-consumer-2"}
    assert before.items() <= grown.items(), "a process that stays is not touched"
    assert pids(shop) == before
    assert set(answers) == {200}
