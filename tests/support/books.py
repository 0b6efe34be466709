"""The Books of a running shop, as `./oja audit` sees them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from oja_events.books.audit import audit
from oja_events.books.report import Report
from stack.context import Stack
from stack.home import Home
from stack.operating.books import books
from tests.support.shop import Shop
from tests.support.waiting import wait_until

# Feeds are compared twice a minute, and only what is older than a minute.
COMPARED_WITHIN = 180.0
# What payments asks Paystack about again in hours may wait; what is told may not.
_TOLD = {"reservations", "mails", "deliveries"}


def audit_of(shop: Shop) -> Report:
    """What an auditor finds right now."""
    with books(Stack(Home(Path(shop.description["home"])), env={})) as (sources, provider):
        return audit(sources, provider)


def red(report: Report) -> dict[str, list[str]]:
    """What is wrong, by rule."""
    return {
        verdict.rule: [f"{fault.id}: {fault.detail}" for fault in verdict.faults]
        for verdict in report.verdicts
        if verdict.faults
    }


def settled(report: Report) -> bool:
    """Whether everybody has heard of everything, so that all of it was judged."""
    return report.status != "unknown" and not any(
        verdict.waiting for verdict in report.verdicts if verdict.rule in _TOLD
    )


@pytest.fixture(scope="session", autouse=True)
def green_books(shop: Shop) -> Iterator[None]:
    """Whatever the tests have done to the shop, everything adds up in the end."""
    yield
    wait_until(
        lambda: settled(audit_of(shop)),
        timeout=COMPARED_WITHIN,
        what="everybody has heard everything",
        pause=3,
    )
    assert red(audit_of(shop)) == {}
