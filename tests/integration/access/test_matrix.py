"""S26: what the matrix says of a route is what every kind of caller gets there."""

import hashlib
import hmac
import re
from typing import Any
from uuid import uuid4

import pytest
from werkzeug.test import TestResponse

from tests.contract.access import CALLERS, ROLES, Route, matrix
from tests.support.five_apps import FiveApps, Person

WEBHOOK = "/api/paystack/webhook"


def headers_of(who: str, shop: FiveApps, people: dict[str, Person]) -> dict[str, str]:
    if who in ROLES:
        return people[who].bearer
    return shop.console(people["admin"]) if who == "console" else {}


def ask(shop: FiveApps, route: Route, headers: dict[str, str]) -> TestResponse:
    """The call with ids that nobody has and an empty body: who may not is told so before that."""
    path = re.sub(r"<(?:(uuid):|string:)?\w+>", lambda kind: _some_id(kind[1]), route.path)
    options: dict[str, Any] = {}
    if route.method not in {"GET", "DELETE"}:
        options["json"] = {}
    if route.path == WEBHOOK:  # its callers show who they are in a way of their own
        headers = {**headers, **_signature(shop, b"{}")}
    return shop.call(route.service, route.method, path, headers, **options)


def _some_id(kind: str | None) -> str:
    return str(uuid4()) if kind == "uuid" else f"nothing-{uuid4().hex[:8]}"


def _signature(shop: FiveApps, body: bytes) -> dict[str, str]:
    key = shop.deps["payments"].settings.paystack_secret_key.encode()
    return {"X-Paystack-Signature": hmac.new(key, body, hashlib.sha512).hexdigest()}


@pytest.mark.parametrize("route", matrix(), ids=str)
def test_s26_everybody_gets_what_the_matrix_says(
    shop: FiveApps, people: dict[str, Person], route: Route
) -> None:
    got = {}
    for who in CALLERS:
        status = ask(shop, route, headers_of(who, shop, people)).status_code
        assert status < 500, f"{who}: {status}"
        got[who] = str(status) if status in {401, 403} else "yes"

    assert got == route.answers


def test_s26_a_role_without_permissions_is_a_customer(shop: FiveApps) -> None:
    nobody = shop.person()

    for route in matrix():
        if ":" in route.needs:
            assert ask(shop, route, nobody.bearer).status_code == 403, route
