"""Closed accounts: who has forgotten whom, for staff."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from identity.bootstrap import Dependencies
from identity.entrypoints.consumer import message_handler
from oja_events.contracts import Event
from oja_events.contracts.catalog import CustomerReviewsErased
from oja_events.contracts.notifier import CustomerMailsErased
from oja_events.contracts.ordering import CustomerOrdersErased
from oja_events.contracts.payments import CustomerPaymentsErased
from oja_events.envelope import encode
from oja_events.handling import Result, Verdict
from oja_web.testing import problem
from tests.integration.identity.conftest import PASSWORD, Database, Person
from tests.support.notifier import envelope_of

ERASURES = "/api/admin/users/erasures"
NOW = datetime.now(UTC)
RECEIPTS: dict[str, Callable[..., Event]] = {
    "catalog": lambda who, **more: CustomerReviewsErased(**_receipt(who, more, reviews=2)),
    "ordering": lambda who, **more: CustomerOrdersErased(**_receipt(who, more, orders=3)),
    "payments": lambda who, **more: CustomerPaymentsErased(**_receipt(who, more, orders=3)),
    "notifier": lambda who, **more: CustomerMailsErased(**_receipt(who, more, mails=9)),
}


def _receipt(who: str, more: dict[str, Any], **records: int) -> dict[str, Any]:
    return {"customer_id": uuid.UUID(who), "erased_at": NOW, **records, **more}


@pytest.fixture
def hears(deps: Dependencies) -> Callable[[Event], None]:
    def handled(event: Event) -> None:
        answer = message_handler(deps).handle(encode(envelope_of(event)), {})
        assert answer == Result(Verdict.DONE)

    return handled


def erasure_of(staff: Person, user_id: str) -> Any:
    items = staff.call("GET", f"{ERASURES}?size=100").json["items"]
    return next((item for item in items if item["user_id"] == user_id), None)


def test_staff_see_which_services_have_forgotten_a_closed_account(
    support: Person, ada: Person, hears: Callable[[Event], None]
):
    assert erasure_of(support, ada.id) is None
    ada.call("DELETE", "/api/auth/me", {"password": PASSWORD})
    assert erasure_of(support, ada.id)["missing"] == list(RECEIPTS)

    for service in ("catalog", "payments"):
        hears(RECEIPTS[service](ada.id))

    seen = erasure_of(support, ada.id)
    assert seen["missing"] == ["ordering", "notifier"]
    assert {each["service"]: each["records"] for each in seen["receipts"]} == {
        "catalog": 2,
        "payments": 3,
    }


def test_what_still_has_something_to_do_is_found(
    support: Person, ada: Person, zoe: Person, hears: Callable[[Event], None]
):
    for person in (ada, zoe):
        person.call("DELETE", "/api/auth/me", {"password": PASSWORD})
    for receipt in RECEIPTS.values():
        hears(receipt(ada.id))

    def ids(query: str) -> set[str]:
        answer = support.call("GET", f"{ERASURES}?size=100&{query}")
        return {item["user_id"] for item in answer.json["items"]}

    assert ada.id in ids("finished=true") - ids("finished=false")
    assert zoe.id in ids("finished=false") - ids("finished=true")


def test_a_receipt_that_comes_twice_stays_the_first(
    support: Person, ada: Person, hears: Callable[[Event], None]
):
    ada.call("DELETE", "/api/auth/me", {"password": PASSWORD})

    hears(RECEIPTS["ordering"](ada.id))
    hears(RECEIPTS["ordering"](ada.id, orders=0, erased_at=NOW + timedelta(days=1)))

    [receipt] = erasure_of(support, ada.id)["receipts"]
    assert receipt["records"] == 3


def test_the_list_has_pages(support: Person, ada: Person, zoe: Person):
    for person in (ada, zoe):
        person.call("DELETE", "/api/auth/me", {"password": PASSWORD})

    first = support.call("GET", f"{ERASURES}?size=1&total=true").json
    second = support.call("GET", f"{ERASURES}?size=1&cursor={first['next']}").json

    assert first["total"] >= 2
    assert [page["items"][0]["user_id"] for page in (first, second)] == [zoe.id, ada.id]


def test_customers_do_not_see_who_left(ada: Person):
    problem(ada.call("GET", ERASURES), 403, "forbidden")


def test_closing_an_account_forgets_from_where_it_was_used(ada: Person, database: Database):
    known = "SELECT address FROM audit_log WHERE target_id = :id OR actor_id = CAST(:id AS uuid)"
    assert any(row.address for row in database.rows(known, id=ada.id))

    ada.call("DELETE", "/api/auth/me", {"password": PASSWORD})

    rows = database.rows(known, id=ada.id)
    assert rows
    assert not any(row.address for row in rows)
