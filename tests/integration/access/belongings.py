"""Things that belong to somebody, made over the same routes that their owner uses."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text

from oja_events.contracts import Contact, Money
from oja_events.contracts.catalog import StockReserved
from oja_events.contracts.identity import AddressesChanged
from oja_events.contracts.ordering import OrderPlaced
from oja_events.envelope import decode
from tests.support.five_apps import FiveApps, Person
from tests.support.ordering import NOW, product_changed

ADDRESS = {
    "full_name": "Ada Obi",
    "phone": "+2348012345678",
    "line1": "12 Adeola Odeku Street",
    "city": "Lagos",
    "state": "Lagos",
    "country": "NG",
}
REVIEW = {"rating": 4, "title": "Well made", "body": "It holds what it promises."}


def an_address(shop: FiveApps, owner: Person) -> dict[str, str]:
    """The variables of its path, as for all of these."""
    made = _made(shop, "identity", "/api/auth/me/addresses", owner.bearer, ADDRESS)
    return {"address_id": made["id"]}


def a_review(shop: FiveApps, owner: Person) -> dict[str, str]:
    variant = {"sku": f"SKU-{uuid4().hex[:12]}", "price": {"amount": 100, "currency": "NGN"}}
    product = _made(
        shop,
        "catalog",
        "/api/admin/products",
        shop.person("admin").bearer,
        {"name": "Basket", "status": "published", "variants": [variant]},
    )
    path = f"/api/products/{product['id']}/reviews"
    made = _made(shop, "catalog", path, owner.bearer, REVIEW)
    return {"product_id": product["id"], "review_id": made["id"]}


def an_address_that_ordering_knows(shop: FiveApps, owner: Person) -> dict[str, str]:
    """As soon as the news of it has arrived."""
    address = an_address(shop, owner)
    with shop.deps["identity"].engine.connect() as connection:
        told = connection.scalar(
            text(
                "SELECT envelope FROM event_log WHERE subject = :id AND type = :type"
                " ORDER BY id DESC LIMIT 1"
            ),
            {"id": owner.id, "type": AddressesChanged.TYPE},
        )
    shop.hear("ordering", decode(bytes(told)).event())
    return address


def fill_cart(shop: FiveApps, owner: Person) -> None:
    sku = f"MUG-{uuid4().hex[:8]}"
    shop.hear("ordering", product_changed(uuid4(), {sku: (250_000, 5)}))
    put = shop.call(
        "ordering", "POST", "/api/cart/items", owner.bearer, json={"sku": sku, "quantity": 1}
    )
    assert put.status_code == 200, put.text


def an_order(shop: FiveApps, owner: Person) -> dict[str, str]:
    fill_cart(shop, owner)
    key = {"Idempotency-Key": uuid4().hex}
    body = {"shipping_address": ADDRESS}
    made = _made(shop, "ordering", "/api/checkout", owner.bearer | key, body)
    return {"order_id": made["id"]}


def an_order_to_pay(shop: FiveApps, owner: Person) -> dict[str, str]:
    """One that payments has heard of, with its stock held."""
    order_id, now = uuid4(), datetime.now(UTC)
    placed = OrderPlaced(
        order_id=order_id,
        number=f"OJ-{uuid4().hex[:10].upper()}",
        customer_id=UUID(owner.id),
        contact=Contact(email=owner.email, name="Ada Obi"),
        lines=(),
        total=Money(amount=450_000, currency="NGN"),
        placed_at=now,
        pay_before=now + timedelta(days=1),
    )
    shop.hear("payments", placed)
    shop.hear("payments", StockReserved(order_id=order_id, lines=(), reserved_at=NOW))
    return {"order_id": str(order_id)}


def a_payment(shop: FiveApps, owner: Person) -> dict[str, str]:
    order = an_order_to_pay(shop, owner)
    key = {"Idempotency-Key": uuid4().hex}
    made = _made(shop, "payments", "/api/pay", owner.bearer | key, order)
    return {"reference": made["reference"], **order}


def a_session(shop: FiveApps, owner: Person) -> dict[str, str]:
    """At the console; the owner must be of the staff."""
    listed = shop.call("identity", "GET", "/api/admin/session/all", shop.console(owner))
    return {"session_id": listed.get_json()["items"][0]["id"]}


MAKERS: dict[str, Callable[[FiveApps, Person], dict[str, str]]] = {
    "/api/auth/me/addresses/<uuid:address_id>": an_address,
    "/api/products/<uuid:product_id>/reviews/<uuid:review_id>": a_review,
    "/api/orders/<uuid:order_id>": an_order,
    "/api/orders/<uuid:order_id>/timeline": an_order,
    "/api/orders/<uuid:order_id>/cancel": an_order,
    "/api/payments/<reference>": a_payment,
    "/api/admin/session/<uuid:session_id>": a_session,
}
# What the owner himself would send; nothing where the path says it all.
BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("PUT", "/api/auth/me/addresses/<uuid:address_id>"): ADDRESS,
    ("PATCH", "/api/auth/me/addresses/<uuid:address_id>"): {"city": "Ibadan"},
    ("PATCH", "/api/products/<uuid:product_id>/reviews/<uuid:review_id>"): {"rating": 1},
}


def _made(
    shop: FiveApps, service: str, path: str, headers: dict[str, str], body: dict[str, Any]
) -> dict[str, Any]:
    answer = shop.call(service, "POST", path, headers, json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.get_json()
    return made
