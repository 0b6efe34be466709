"""Which address reaches which service, and that no other spelling reaches any."""

import re

import pytest

from tests.contract.access import Route, matrix
from tests.integration.gateway.conftest import Shop

PATHS = {
    "identity": """
        /api/auth/register /api/auth/login /api/auth/refresh /api/auth/logout /api/auth/email/verify
        /api/auth/email/resend /api/auth/password/forgot /api/auth/password/reset
        /api/auth/password/change /api/auth/me /api/auth/me/addresses /api/auth/me/addresses/1
        /api/auth/jwks.json /api/admin/session /api/admin/users /api/admin/users/1
        /api/admin/roles /api/admin/roles/support /api/admin/permissions /api/admin/audit""",
    "catalog": """
        /api/products /api/products?q=a&category=b /api/products/red-shirt /api/categories /api/tags
        /api/products/1/reviews /api/products/1/reviews/2 /api/admin/products /api/admin/products/1
        /api/admin/products/1/images /api/admin/products/1/images/2 /api/admin/categories
        /api/admin/inventory?low_stock=true /api/admin/inventory/SHIRT-M
        /api/admin/inventory/SHIRT-M/movements /api/admin/inventory/SHIRT-M/adjustments
        /api/admin/products/import /api/admin/imports/1 /api/admin/products/export
        /api/admin/reviews/1 /api/admin/audit/catalog""",
    "ordering": """
        /api/cart /api/cart/items /api/cart/items/SHIRT-M /api/checkout /api/orders /api/orders/1
        /api/orders/1/cancel /api/orders/1/timeline /api/admin/orders /api/admin/orders/1
        /api/admin/audit/ordering""",
    "payments": """
        /api/pay /api/payments?order_id=1 /api/payments/ref /api/paystack/webhook
        /api/admin/payments /api/admin/payments/ref /api/admin/payments/ref/refunds
        /api/admin/audit/payments /api/admin/books""",
    "notifier": """
        /api/admin/notifications /api/admin/notifications/1/resend /api/admin/email-templates
        /api/admin/email-templates/welcome /api/admin/email-templates/welcome/preview
        /api/admin/alerts /api/admin/alerts/1/acknowledge /api/admin/audit/notifier""",
}
ELSEWHERE = """
    /api /api/ /api/payment /api/carts /api/productsx /api/paystack /api/paystack/webhooks
    /api/admin /api/admin/sessions /api/admin/order /api/authx /openapi /openapi/
    /openapi.json /openapi/redis.json /internal /internal/session /internal/readyz
    /internal/readyz/all /internal/events /metrics /debug /livez /.session /.problem/404
    /.git/config /nginx_status /healthz/x /docsx
"""
ODD_SPELLINGS = r"""
    //internal/session /internal//session /./internal/session /api/../internal/session
    /api/products/../../internal/session /api/products/..;/internal /api/products;/internal
    /api/products/%2e%2e/%2e%2e/internal/session /api/products/%2E%2E/x /api/products/.%2e/x
    /api/products%2f..%2f..%2finternal /api/products/%2Finternal /api/products/..%2finternal
    /api/products/..%5c..%5cinternal /api/products\..\internal /api/products/%5Cinternal
    /api/products/%252e%252e/internal /internal/../api/products /internal/%2e%2e/api/products
    /internal/session/../../api/products /%69nternal/session /%49nternal/session
    /INTERNAL/session /Internal/session /API/products /Api/products /api//products
    /api/products//x /api/products/./x /api/products/x/. /api/products/x/.. /api/products/..
    /api/products/x%00 /api/products/x%0a /api/products/x%0D%0Ax /api/products/%3b/internal
    /../internal /..;/internal /api/products/%zz /api/products/%2 /api/products/{x}
    /api/products/<x> /api/products/"x" /api/products/x#y
    /api/products/%c0%ae%c0%ae/%2e%2e/internal
"""
TABLE = [(path, service) for service, paths in PATHS.items() for path in paths.split()]


@pytest.mark.parametrize(("path", "service"), TABLE)
def test_a_path_of_the_contract_reaches_its_service_as_it_was_written(
    shop: Shop, path: str, service: str
):
    answer = shop.gateway.get(path)

    assert answer.json() == {"service": service}
    assert shop.reached() == [service]
    assert shop.the_only_request().target == path


@pytest.mark.parametrize("service", PATHS)
def test_every_service_shows_its_openapi_document(shop: Shop, service: str):
    answer = shop.gateway.get(f"/openapi/{service}.json")

    assert answer.json() == {"service": service}
    assert shop.the_only_request().target == "/openapi.json"


@pytest.mark.parametrize("path", ELSEWHERE.split())
def test_s56_nothing_else_is_there(shop: Shop, path: str):
    answer = shop.gateway.get(path)

    assert answer.status == 404
    assert answer.json()["code"] == "not_found"
    assert shop.reached() == []


@pytest.mark.parametrize("path", ODD_SPELLINGS.split())
def test_s56_no_odd_spelling_reaches_a_service(shop: Shop, path: str):
    answer = shop.gateway.get(path)

    assert answer.status in {400, 404}
    assert answer.json()["status"] == answer.status
    assert shop.reached() == []


@pytest.mark.parametrize(
    "target", ["http://shop.test/internal/session", "http://shop.test//internal"]
)
def test_an_absolute_address_is_held_to_the_same_rules(shop: Shop, target: str):
    assert shop.gateway.get(target).status in {400, 404}
    assert shop.reached() == []


def test_an_absolute_address_reaches_the_same_service(shop: Shop):
    shop.gateway.get("http://shop.test/api/products?q=a")

    assert shop.the_only_request().target == "/api/products?q=a"


@pytest.mark.parametrize(
    "path",
    ["/api/products/a%20b", "/api/products/%E1%BB%8D", "/api/cart/items/a.b~c_d:e@f!$&'()*+,=g",
     "/api/products/..a", "/api/products/...", "/api/products?next=/../%2e%2e//internal;x"],
)  # fmt: skip
def test_ordinary_escapes_and_any_query_pass_unchanged(shop: Shop, path: str):
    assert shop.gateway.get(path).status == 200
    assert shop.the_only_request().target == path


def test_a_very_long_path_is_judged_quickly_and_refused(shop: Shop):
    answer = shop.gateway.get("/api/products/" + "a%20" * 1900 + "/%2e")

    assert answer.status == 404


def test_the_front_door_leads_people_to_the_reference(shop: Shop):
    answer = shop.gateway.get("/", {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})

    assert (answer.status, answer.header("Location")) == (302, "/docs")
    assert shop.reached() == []


def test_the_front_door_tells_programs_where_everything_is(shop: Shop):
    answer = shop.gateway.get("/")

    assert (answer.status, answer.header("Content-Type")) == (200, "application/json")
    assert answer.json() == {
        "name": "Oja",
        "docs": "/docs",
        "ready": "/readyz",
        "asyncapi": "/asyncapi.json",
        "openapi": {service: f"/openapi/{service}.json" for service in PATHS},
    }
    assert shop.reached() == []


@pytest.mark.parametrize("route", matrix(), ids=str)
def test_s56_what_services_offer_outside_is_routed_and_nothing_internal(shop: Shop, route: Route):
    """A new route reaches nobody before the gateway knows of it."""
    path = re.sub(r"<[^>]+>", "0192f0c1-2a3b-7c4d-8e5f-0123456789ab", route.path)
    shop.gateway.get(path)

    outside = [route.service] if path.startswith("/api/") else []
    assert shop.reached() == outside


def test_healthz_is_the_gateway_itself(shop: Shop):
    answer = shop.gateway.get("/healthz")

    assert (answer.status, answer.json()) == (200, {"status": "ok"})
    assert shop.reached() == []


def test_readyz_asks_identity_about_all(shop: Shop):
    assert shop.gateway.get("/readyz").status == 200

    assert shop.the_only_request().target == "/internal/readyz/all"


def test_the_document_of_the_events_is_there_for_reading_only(shop: Shop):
    answer = shop.gateway.get("/asyncapi.json")

    assert answer.json() == {"asyncapi": "3.0.0"}
    assert answer.header("Content-Type") == "application/json"
    assert shop.gateway.request("POST", "/asyncapi.json").status == 405
    assert shop.reached() == []


@pytest.mark.parametrize("path", ["/docs", "/docs/", "/docs/index.html"])
def test_docs_shows_the_reference_under_a_policy_that_lets_only_its_own_scripts_run(
    shop: Shop, path: str
):
    answer = shop.gateway.get(path)

    assert answer.status == 200
    assert answer.header("Content-Type") == "text/html; charset=utf-8"
    policy = answer.header("Content-Security-Policy") or ""
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy


def test_docs_serves_files_and_nothing_above_them(shop: Shop):
    script = shop.gateway.get("/docs/swagger-ui-bundle.js")

    assert (script.header("Content-Type") or "").startswith("text/javascript")
    for escape in ("/docs/../nginx.conf", "/docs/..%2fnginx.conf", "/docs../nginx.conf", "/docs/x"):
        assert shop.gateway.get(escape).status in {400, 404}
