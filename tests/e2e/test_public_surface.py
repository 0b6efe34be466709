"""What anybody can reach at the gateway, and what nobody can."""

import pytest

from tests.support.shop import Shop, await_answer

SERVICES = ("catalog", "identity", "ordering", "payments", "notifier")


def test_the_shop_says_that_every_service_is_ready(shop: Shop) -> None:
    # Who takes longer than a second to say so is not ready at that moment.
    answer = await_answer(lambda: shop.visitor().get("/readyz"), 200)

    assert answer.json()["services"].keys() == set(SERVICES)


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_documents_its_api(shop: Shop, service: str) -> None:
    answer = shop.visitor().get(f"/openapi/{service}.json")

    assert answer.status_code == 200
    assert answer.json()["openapi"] == "3.1.0"


def test_the_reference_page_is_there(shop: Shop) -> None:
    assert shop.visitor().get("/docs").status_code == 200


def test_the_front_door_names_every_document(shop: Shop) -> None:
    answer = shop.visitor().get("/")

    assert answer.status_code == 200
    assert answer.json()["openapi"].keys() == set(SERVICES)


@pytest.mark.parametrize(
    "path",
    ["/internal/readyz", "/internal/session", "//internal/livez", "/metrics", "/api/internal"],
)
def test_internal_paths_are_not_public(shop: Shop, path: str) -> None:
    assert shop.visitor().get(path).status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/cart"),
        ("POST", "/api/checkout"),
        ("GET", "/api/orders"),
        ("GET", "/api/admin/orders"),
        ("POST", "/api/admin/products"),
        ("GET", "/api/admin/users"),
        ("GET", "/api/admin/payments"),
        ("GET", "/api/admin/notifications"),
        ("GET", "/api/payments"),
    ],
)
def test_strangers_are_asked_to_sign_in(shop: Shop, method: str, path: str) -> None:
    answer = shop.visitor().request(method, path)

    assert answer.status_code == 401
    assert answer.headers["Content-Type"].startswith("application/problem+json")


def test_a_customer_may_not_do_what_staff_may(shop: Shop) -> None:
    ada = shop.customer()

    assert ada.get("/api/admin/orders").status_code == 403
    assert ada.post("/api/admin/products", {}).status_code == 403


def test_nobody_sees_the_orders_of_others(shop: Shop) -> None:
    ada, eve = shop.customer(), shop.customer()
    order = ada.buy(shop.staff.new_product(stock=1))

    assert eve.get(f"/api/orders/{order['id']}").status_code == 404
    assert eve.post(f"/api/orders/{order['id']}/cancel").status_code == 404
    assert eve.await_payment(order["id"]).status_code == 404


HOSTILE = {
    "deeper than a parser can follow": (b"[" * 100_000, 400),
    "a key twice": (b'{"sku": "a", "sku": "b", "quantity": 1}', 400),
    "not a number": (b'{"sku": "a", "quantity": NaN}', 400),
    "a number without end": (b'{"sku": "a", "quantity": ' + b"9" * 5_000 + b"}", 422),
    "half a character": (b'{"sku": "\\ud800", "quantity": 1}', 400),
    "a NUL": (b'{"sku": "\\u0000", "quantity": 1}', 400),
    "no object": (b"[]", 422),
    "more than a mebibyte": (b'{"sku": "' + b"a" * 1024 * 1024 + b'"}', 413),
}


@pytest.mark.parametrize(("body", "status"), HOSTILE.values(), ids=list(HOSTILE))
def test_s45_hostile_bodies_are_refused_and_nobody_dies_of_them(
    shop: Shop, body: bytes, status: int
) -> None:
    ada = shop.customer()

    answer = ada.request(
        "POST", "/api/cart/items", data=body, headers={"Content_Type": "application/json"}
    )

    assert answer.status_code == status
    assert answer.json()["status"] == status
    assert ada.get("/api/cart").status_code == 200
