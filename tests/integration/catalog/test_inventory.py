"""Stock for staff over HTTP."""

from uuid import UUID

import pytest

from oja_web.testing import problem
from tests.integration.catalog.conftest import a_variant
from tests.integration.catalog.test_stock import at_once

STOCK = "/api/admin/inventory/"


@pytest.fixture
def sku(staff):
    created = staff.create(a_variant(initial_stock=10, low_stock_threshold=3), name="Drum")
    return created.json["variants"][0]["sku"]


def adjust(staff, sku, key=None, **body):
    return staff.open("POST", f"{STOCK}{sku}/adjustments", json=body, key=key)


def everything(staff, url, **query):
    cursor = None
    while True:
        page = staff.open(
            "GET", url, query_string=query | ({"cursor": cursor} if cursor else {})
        ).json
        yield from page["items"]
        cursor = page["next"]
        if cursor is None:
            return


def test_stock_looks_as_the_contract_says(staff, sku):
    stock = staff.open("GET", STOCK + sku).json

    assert stock.pop("product_id")
    assert stock == {
        "sku": sku,
        "name": "Drum",
        "on_hand": 10,
        "reserved": 0,
        "available": 10,
        "low_stock_threshold": 3,
    }


def test_an_adjustment_is_written_into_the_ledger(staff, sku):
    answer = adjust(staff, sku, delta=-4, reason="damage", note="Water in the store.")

    assert answer.status_code == 201
    assert (answer.json["on_hand"], answer.json["available"]) == (6, 6)
    newest, first = staff.open("GET", f"{STOCK}{sku}/movements").json["items"]
    assert newest.pop("at") >= first.pop("at")
    for by in (newest.pop("by"), first["by"]):
        assert UUID(by.removeprefix("staff "))
    assert newest == {
        "reason": "damage",
        "delta": -4,
        "on_hand": 6,
        "order_id": None,
        "note": "Water in the store.",
    }
    assert (first["reason"], first["delta"], first["on_hand"]) == ("initial", 10, 10)


def test_more_than_there_is_cannot_be_taken_away(staff, sku):
    answer = problem(adjust(staff, sku, delta=-11, reason="correction"), 409, "insufficient_stock")

    assert "delta" in answer["errors"]
    assert staff.open("GET", STOCK + sku).json["on_hand"] == 10


def test_an_adjustment_whose_answer_was_lost_is_sent_again(staff, sku):
    first = adjust(staff, sku, key="delivery-7", delta=5, reason="restock")
    again = adjust(staff, sku, key="delivery-7", delta=5, reason="restock")
    other = adjust(staff, sku, key="delivery-7", delta=6, reason="restock")

    assert (first.json["on_hand"], again.status_code, again.json) == (15, 201, first.json)
    problem(other, 422, "idempotency_key_reused")
    problem(adjust(staff, sku, key="a b", delta=5, reason="restock"), 422, "invalid")


def test_the_same_adjustment_many_times_at_once_is_made_once(staff, sku):
    at_once([lambda: adjust(staff, sku, key="once", delta=5, reason="restock")] * 8)

    assert staff.open("GET", STOCK + sku).json["on_hand"] == 15


def test_the_threshold_is_changed_by_who_has_seen_the_stock(staff, sku):
    body = {"low_stock_threshold": 12}
    seen = staff.open("GET", STOCK + sku).headers["ETag"]

    problem(staff.open("PATCH", STOCK + sku, json=body), 428, "precondition_required")
    changed = staff.open("PATCH", STOCK + sku, json=body, seen=seen)
    problem(staff.open("PATCH", STOCK + sku, json=body, seen=seen), 412, "precondition_failed")

    assert changed.json["low_stock_threshold"] == 12
    low = [each["sku"] for each in everything(staff, STOCK[:-1], low_stock="true", size=100)]
    assert sku in low


def test_only_what_is_low_is_listed_as_low(staff, sku):
    low = [each["sku"] for each in everything(staff, STOCK[:-1], low_stock="true", size=100)]
    all_of_it = [each["sku"] for each in everything(staff, STOCK[:-1], size=7)]

    assert sku not in low
    assert sku in all_of_it
    assert all_of_it == sorted(set(all_of_it))


def test_movements_come_in_pages(staff, sku):
    for delta in (1, 2, 3, 4):
        adjust(staff, sku, delta=delta, reason="restock")

    deltas = [each["delta"] for each in everything(staff, f"{STOCK}{sku}/movements", size=2)]

    assert deltas == [4, 3, 2, 1, 10]


@pytest.mark.parametrize("cursor", ["x", "W10", "WzFd", "WyJhIl0"])
def test_made_up_cursors_are_refused_or_end_nowhere(staff, sku, cursor):
    for url in (STOCK[:-1], f"{STOCK}{sku}/movements"):
        response = staff.open("GET", url, query_string={"cursor": cursor})

        assert response.status_code in (200, 422)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("GET", "/movements", None),
        ("PATCH", "", {"low_stock_threshold": 1}),
        ("POST", "/adjustments", {"delta": 1, "reason": "restock"}),
    ],
)
def test_an_unknown_sku_is_not_found(staff, method, path, body):
    response = staff.open(method, f"{STOCK}NO-SUCH-SKU{path}", json=body, seen='"v1"')

    problem(response, 404, "not_found")
