"""What the consumer process does around its handler."""

import asyncio
from typing import Any, cast

import pytest
from sqlalchemy.exc import OperationalError

from oja_events import gathering
from oja_events.consuming import _Consumer
from oja_events.gathering import ATTEMPT_HEADER
from oja_events.repair import Repair
from tests.unit.events.test_receipts import FakeMessage

AWAY = OperationalError("INSERT", {}, Exception("timeout expired"))


class ParkingHandler:
    """Cannot park at first; keeps what it could."""

    def __init__(self, *troubles: Exception) -> None:
        self._troubles = list(troubles)
        self.parked: list[tuple[bytes, str, str]] = []

    def park(self, body: bytes, headers: Any, reason: str, error: str) -> None:
        if self._troubles:
            raise self._troubles.pop()
        self.parked.append((body, reason, error))


def a_consumer(handler: ParkingHandler) -> _Consumer:
    repair = cast(Repair, None)
    return _Consumer("ordering", {}, cast(Any, handler), "amqp://nowhere", ("", 0), repair)


@pytest.fixture(autouse=True)
def nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "HOLD_DELAYS", (0,))


@pytest.mark.parametrize("trouble", [AWAY, LookupError("a bug of ours")])
def test_what_the_broker_gave_up_on_is_held_until_it_is_parked(trouble: Exception) -> None:
    handler = ParkingHandler(trouble, trouble)

    asyncio.run(a_consumer(handler)._on_parked(cast(Any, FakeMessage(1, body=b"bytes"))))

    assert handler.parked == [(b"bytes", "crash", "given up by the broker")]


def test_what_failed_for_a_day_is_held_until_it_is_parked() -> None:
    handler = ParkingHandler(AWAY, AWAY)
    message = FakeMessage(1, body=b"bytes", headers={ATTEMPT_HEADER: 27})

    asyncio.run(a_consumer(handler)._try_later(cast(Any, message), "not yet"))

    assert handler.parked == [(b"bytes", "exhausted", "not yet")]
