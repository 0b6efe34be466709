"""What a process knows of changes while the database does not answer."""

import time
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy.exc import OperationalError

from catalog.adapters import freshness as module
from catalog.adapters.freshness import EVERYTHING, Freshness

HANGS_SECONDS = 0.1


class HangingEngine:
    def __init__(self):
        self.asked = 0

    def begin(self):
        self.asked += 1
        time.sleep(HANGS_SECONDS)
        raise OperationalError("SELECT", {}, Exception("timeout"))


def test_many_who_ask_a_database_that_hangs_wait_for_one_answer(monkeypatch):
    # However long it takes until the last of them has asked.
    monkeypatch.setattr(module, "MOST_SECONDS_OLD", 60)
    engine = HangingEngine()
    freshness = Freshness(engine)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(freshness.keep_up, [b"sign"] * 8))

    assert engine.asked == 1
    assert freshness.counts.version(EVERYTHING) is None
