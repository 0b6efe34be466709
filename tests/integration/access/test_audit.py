"""S32: whatever somebody changes by a permission of theirs is in the audit log, in the same
transaction, and stays there."""

import re
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from stack.services import SERVICES
from tests.contract.access import Route, matrix
from tests.integration.access.privileged import CALLS, Call
from tests.support.five_apps import FiveApps, Person

# Shows a mail as it would be; nothing is kept of it.
CHANGES_NOTHING = {("notifier", "POST", "/api/admin/email-templates/<string:name>/preview")}
PRIVILEGED = [
    route
    for route in matrix()
    if ":" in route.needs and route.method != "GET" and route.key not in CHANGES_NOTHING
]
ADDRESS = "203.0.113.7"


@pytest.fixture(scope="module")
def boss(shop: FiveApps) -> Person:
    return shop.person("admin")


def log_of(shop: FiveApps, service: str) -> list[Any]:
    with shop.deps[service].engine.connect() as connection:
        return list(connection.execute(text("SELECT * FROM audit_log ORDER BY id")))


def path_of(route: Route, call: Call) -> str:
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda name: call.variables[name[1]], route.path)


@pytest.mark.parametrize("route", PRIVILEGED, ids=str)
def test_s32_every_privileged_change_is_written_down(
    shop: FiveApps, boss: Person, route: Route
) -> None:
    assert route.key in CALLS, "say in privileged.py how this route is used well"
    call = CALLS[route.key](shop, boss)
    known = len(log_of(shop, route.service))
    request_id = uuid4().hex
    headers = {
        "X-Request-ID": request_id,
        "X-Forwarded-For": ADDRESS,
        **boss.bearer,
        **call.headers,
    }

    answer = shop.call(route.service, route.method, path_of(route, call), headers, **call.options)

    assert answer.status_code in (200, 201, 202, 204), answer.text
    [row] = log_of(shop, route.service)[known:]
    assert (row.actor_id, row.address, row.request_id) == (UUID(boss.id), ADDRESS, request_id)
    assert row.target_id == (call.target or answer.get_json()["id"])
    assert row.detail["before"] != row.detail["after"]


def test_s32_what_is_refused_leaves_no_row(shop: FiveApps, boss: Person) -> None:
    call = CALLS["catalog", "PATCH", "/api/admin/products/<uuid:product_id>"](shop, boss)
    before = log_of(shop, "catalog")

    path = f"/api/admin/products/{call.variables['product_id']}"
    stale = {**boss.bearer, "If-Match": '"v99"'}
    answer = shop.call("catalog", "PATCH", path, stale, **call.options)

    assert answer.status_code == 412
    assert log_of(shop, "catalog") == before


@pytest.mark.parametrize("service", SERVICES)
def test_s32_the_log_of_every_service_is_read_with_audit_read(
    shop: FiveApps, boss: Person, service: str
) -> None:
    path = "/api/admin/audit" + ("" if service == "identity" else f"/{service}")
    mine = f"{path}?actor_id={boss.id}&size=1&total=true"

    first = shop.call(service, "GET", mine, boss.bearer).get_json()

    assert first["total"] >= 1
    [item] = first["items"]
    assert item["actor_id"] == boss.id
    assert {"id", "at", "action", "target_id", "address", "request_id", "detail"} <= item.keys()
    if first["next"]:
        second = shop.call(service, "GET", f"{mine}&cursor={first['next']}", boss.bearer)
        assert second.get_json()["items"][0]["id"] < item["id"]
    one_kind = shop.call(service, "GET", f"{path}?action={item['action']}", boss.bearer)
    assert {each["action"] for each in one_kind.get_json()["items"]} == {item["action"]}
    nobodys = shop.call(service, "GET", f"{path}?target_id=nothing", boss.bearer)
    assert nobodys.get_json()["items"] == []
