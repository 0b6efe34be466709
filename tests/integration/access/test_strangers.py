"""What belongs to others is not there: S27 for ids in the path, S28 in bodies and queries."""

import re
from typing import Any
from uuid import uuid4

import pytest
from werkzeug.test import TestResponse

from tests.contract.access import Route, matrix
from tests.integration.access.belongings import (
    ADDRESS,
    BODIES,
    MAKERS,
    a_payment,
    an_address_that_ordering_knows,
    an_order_to_pay,
    fill_cart,
)
from tests.support.five_apps import FiveApps, Person

OWNED = [route for route in matrix() if route.stranger == "404"]
ID = re.compile(r"<(?:\w+:)?(\w+)>")


@pytest.fixture(scope="module")
def ada(shop: FiveApps) -> Person:
    return shop.person("customer")


@pytest.fixture(scope="module")
def eve(shop: FiveApps) -> Person:
    return shop.person("customer")


def ask(
    shop: FiveApps, route: Route, variables: dict[str, str], headers: dict[str, str]
) -> TestResponse:
    path = ID.sub(lambda name: variables[name[1]], route.path)
    body = BODIES.get((route.method, route.path))
    return shop.call(route.service, route.method, path, headers, json=body)


def plain(problem: TestResponse) -> dict[str, Any]:
    """The refusal without what differs from call to call."""
    return {
        key: value
        for key, value in problem.get_json().items()
        if key not in {"instance", "request_id"}
    }


@pytest.mark.parametrize("route", OWNED, ids=str)
def test_s27_a_stranger_gets_the_answer_of_an_unknown_id(
    shop: FiveApps, ada: Person, eve: Person, route: Route
) -> None:
    at_console = route.needs == "session"
    owner = shop.person("support") if at_console else ada
    stranger = shop.console(shop.person("support")) if at_console else eve.bearer
    belonging = MAKERS[route.path](shop, owner)
    last = ID.findall(route.path)[-1]
    unknown = {**belonging, last: str(uuid4())}

    foreign, missing = (ask(shop, route, ids, stranger) for ids in (belonging, unknown))

    assert foreign.status_code == 404
    assert plain(foreign) == plain(missing)
    mine = ask(shop, route, belonging, shop.console(owner) if at_console else owner.bearer)
    assert mine.status_code < 300, mine.text


def test_s27_every_route_to_something_owned_is_tried() -> None:
    assert {route.path for route in OWNED} == set(MAKERS)


def test_s28_nobody_pays_or_sees_the_order_of_another_by_naming_it_in_a_body(
    shop: FiveApps, ada: Person, eve: Person
) -> None:
    order = an_order_to_pay(shop, ada)
    headers = eve.bearer | {"Idempotency-Key": uuid4().hex}

    foreign = shop.call("payments", "POST", "/api/pay", headers, json=order)
    missing = shop.call(
        "payments",
        "POST",
        "/api/pay",
        eve.bearer | {"Idempotency-Key": uuid4().hex},
        json={"order_id": str(uuid4())},
    )

    assert foreign.status_code == 404
    assert plain(foreign) == plain(missing)


def test_s28_a_list_about_the_order_of_another_is_empty(
    shop: FiveApps, ada: Person, eve: Person
) -> None:
    order_id = a_payment(shop, ada)["order_id"]

    def payments_seen_by(person: Person) -> list[Any]:
        path = f"/api/payments?order_id={order_id}"
        items: list[Any] = shop.call("payments", "GET", path, person.bearer).get_json()["items"]
        return items

    assert len(payments_seen_by(ada)) == 1
    assert payments_seen_by(eve) == []


def test_s28_nobody_has_an_order_sent_to_the_saved_address_of_another(
    shop: FiveApps, ada: Person, eve: Person
) -> None:
    address = an_address_that_ordering_knows(shop, ada)
    for person in (ada, eve):
        fill_cart(shop, person)

    def checkout(person: Person, address_id: str) -> TestResponse:
        headers = person.bearer | {"Idempotency-Key": uuid4().hex}
        body = {"address_id": address_id}
        return shop.call("ordering", "POST", "/api/checkout", headers, json=body)

    unknown_id = str(uuid4())
    foreign, missing = checkout(eve, address["address_id"]), checkout(eve, unknown_id)

    assert foreign.status_code == 422
    assert ADDRESS["line1"] not in foreign.text
    assert str(plain(foreign)).replace(address["address_id"], unknown_id) == str(plain(missing))
    assert checkout(ada, address["address_id"]).status_code == 201


def test_s37_the_same_key_of_two_people_is_two_keys(
    shop: FiveApps, ada: Person, eve: Person
) -> None:
    key = {"Idempotency-Key": uuid4().hex}
    orders = {person.id: an_order_to_pay(shop, person) for person in (ada, eve)}

    answers = [
        shop.call("payments", "POST", "/api/pay", each.bearer | key, json=orders[each.id])
        for each in (ada, eve)
    ]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].get_json()["reference"] != answers[1].get_json()["reference"]
