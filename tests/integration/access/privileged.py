"""One good call for every route by which somebody with a permission changes something."""

import io
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

from PIL import Image
from sqlalchemy import text

from catalog.use_cases.ports import Picture, StoredImage
from notifier.entrypoints.consumer import SUBSCRIPTIONS
from payments.domain.values import Money
from tests.integration.access.belongings import a_payment, a_review, an_order
from tests.support import notifier as news
from tests.support.five_apps import FiveApps, Person


@dataclass(frozen=True)
class Call:
    """What is asked, and the id or name by which the audit log knows what was changed (None: it
    is made by the call)."""

    variables: dict[str, str] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    target: str | None = None


Make = Callable[[FiveApps, Person], Call]


class Shelf:
    """An image store that keeps nothing."""

    def upload(self, picture: Picture, public_id: str) -> StoredImage:
        return StoredImage(
            public_id, f"https://img.test/{public_id}", f"https://img.test/{public_id}"
        )

    def remove(self, public_id: str) -> None:
        pass


def with_shelf(shop: FiveApps) -> None:
    app = shop.apps["catalog"]
    app.extensions["catalog"] = replace(app.extensions["catalog"], images=Shelf())


def seen(shop: FiveApps, service: str, path: str, boss: Person) -> dict[str, str]:
    """If-Match with the tag of what is there now."""
    answer = shop.call(service, "GET", path, boss.bearer)
    assert answer.status_code == 200, answer.text
    return {"If-Match": answer.headers["ETag"]}


def made(
    shop: FiveApps, service: str, path: str, boss: Person, status: int = 201, **options: Any
) -> dict[str, Any]:
    answer = shop.call(service, "POST", path, boss.bearer, **options)
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.get_json()
    return body


def a_category(shop: FiveApps, boss: Person) -> str:
    path = "/api/admin/categories"
    return str(made(shop, "catalog", path, boss, json={"name": f"Shelf {uuid4().hex}"})["id"])


def product_body() -> dict[str, Any]:
    variant = {"sku": f"SKU-{uuid4().hex[:12]}", "price": {"amount": 100, "currency": "NGN"}}
    return {"name": "Basket", "status": "published", "variants": [variant]}


def a_product(shop: FiveApps, boss: Person) -> dict[str, Any]:
    return made(shop, "catalog", "/api/admin/products", boss, json=product_body())


def picture() -> dict[str, Any]:
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(out, "PNG")
    return {
        "data": {"file": (io.BytesIO(out.getvalue()), "a.png"), "alt": "A basket"},
        "content_type": "multipart/form-data",
    }


def change_category(shop: FiveApps, boss: Person) -> Call:
    category = a_category(shop, boss)
    tag = seen(shop, "catalog", f"/api/admin/categories/{category}", boss)
    return Call({"category_id": category}, {"json": {"position": 3}}, tag, category)


def remove_category(shop: FiveApps, boss: Person) -> Call:
    category = a_category(shop, boss)
    tag = seen(shop, "catalog", f"/api/admin/categories/{category}", boss)
    return Call({"category_id": category}, {}, tag, category)


def set_threshold(shop: FiveApps, boss: Person) -> Call:
    sku = a_product(shop, boss)["variants"][0]["sku"]
    tag = seen(shop, "catalog", f"/api/admin/inventory/{sku}", boss)
    return Call({"sku": sku}, {"json": {"low_stock_threshold": 7}}, tag, sku)


def adjust_stock(shop: FiveApps, boss: Person) -> Call:
    sku = a_product(shop, boss)["variants"][0]["sku"]
    return Call({"sku": sku}, {"json": {"delta": 5, "reason": "restock"}}, target=sku)


def _on_product(shop: FiveApps, boss: Person, options: dict[str, Any]) -> Call:
    product = a_product(shop, boss)["id"]
    tag = seen(shop, "catalog", f"/api/admin/products/{product}", boss)
    return Call({"product_id": product}, options, tag, product)


def replace_product(shop: FiveApps, boss: Person) -> Call:
    return _on_product(shop, boss, {"json": {**product_body(), "name": "Bolga basket"}})


def change_product(shop: FiveApps, boss: Person) -> Call:
    return _on_product(shop, boss, {"json": {"featured": True}})


def archive_product(shop: FiveApps, boss: Person) -> Call:
    return _on_product(shop, boss, {})


def add_image(shop: FiveApps, boss: Person) -> Call:
    with_shelf(shop)
    product = a_product(shop, boss)["id"]
    return Call({"product_id": product}, picture(), target=product)


def _on_image(shop: FiveApps, boss: Person, options: dict[str, Any]) -> Call:
    with_shelf(shop)
    product = a_product(shop, boss)["id"]
    images = f"/api/admin/products/{product}/images"
    image = made(shop, "catalog", images, boss, **picture())["id"]
    tag = seen(shop, "catalog", f"/api/admin/products/{product}", boss)
    return Call({"product_id": product, "image_id": image}, options, tag, product)


def change_image(shop: FiveApps, boss: Person) -> Call:
    form = {"data": {"alt": "Another"}, "content_type": "application/x-www-form-urlencoded"}
    return _on_image(shop, boss, form)


def remove_image(shop: FiveApps, boss: Person) -> Call:
    return _on_image(shop, boss, {})


def moderate_review(shop: FiveApps, boss: Person) -> Call:
    review = a_review(shop, shop.person("customer"))["review_id"]
    tag = seen(shop, "catalog", f"/api/admin/reviews/{review}", boss)
    return Call({"review_id": review}, {"json": {"status": "hidden"}}, tag, review)


def role_body(name: str) -> dict[str, Any]:
    return {"name": name, "description": "Packs", "permissions": ["orders:read"]}


def create_role(_shop: FiveApps, _boss: Person) -> Call:
    name = f"packer_{uuid4().hex[:8]}"
    return Call(options={"json": role_body(name)}, target=name)


def _on_role(shop: FiveApps, boss: Person, options: dict[str, Any]) -> Call:
    name = f"packer_{uuid4().hex[:8]}"
    made(shop, "identity", "/api/admin/roles", boss, json=role_body(name))
    tag = seen(shop, "identity", f"/api/admin/roles/{name}", boss)
    return Call({"name": name}, options, tag, name)


def change_role(shop: FiveApps, boss: Person) -> Call:
    return _on_role(shop, boss, {"json": {"description": "Packs and sends", "permissions": []}})


def delete_role(shop: FiveApps, boss: Person) -> Call:
    return _on_role(shop, boss, {})


def create_user(_shop: FiveApps, _boss: Person) -> Call:
    password = dict.fromkeys(("password", "password_confirm"), "a horse of course")
    body = {"email": f"bola.{uuid4().hex}@example.com", "first_name": "Bola", "last_name": "Ade"}
    return Call(options={"json": {**body, **password, "roles": ["support"]}})


def change_user(shop: FiveApps, boss: Person) -> Call:
    user = shop.person("customer").id
    tag = seen(shop, "identity", f"/api/admin/users/{user}", boss)
    return Call({"user_id": user}, {"json": {"is_active": False}}, tag, user)


def acknowledge_alert(shop: FiveApps, boss: Person) -> Call:
    engine = shop.deps["notifier"].engine
    alert = uuid4()
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO alerts (id, kind, occasion, title, detail, facts, raised_at)"
                " VALUES (:id, 'low_stock', :occasion, 'Low', 'Few left', '{}', now())"
            ),
            {"id": alert, "occasion": str(alert)},
        )
    return Call({"alert_id": str(alert)}, target=str(alert))


def mute_alerts(shop: FiveApps, boss: Person) -> Call:
    tag = seen(shop, "notifier", "/api/admin/alerts/preferences", boss)
    return Call(options={"json": {"muted": ["low_stock"]}}, headers=tag, target=boss.id)


def _on_template(shop: FiveApps, boss: Person, name: str, options: dict[str, Any]) -> Call:
    tag = seen(shop, "notifier", f"/api/admin/email-templates/{name}", boss)
    return Call({"name": name}, options, tag, name)


_WORDS = {"subject": "Hello", "text": "Welcome to the shop.", "html": "<p>Welcome.</p>"}


def change_template(shop: FiveApps, boss: Person) -> Call:
    return _on_template(shop, boss, "welcome", {"json": _WORDS})


def return_to_shipped(shop: FiveApps, boss: Person) -> Call:
    path = "/api/admin/email-templates/order_shipped"
    headers = {**boss.bearer, **seen(shop, "notifier", path, boss)}
    assert shop.call("notifier", "PUT", path, headers, json=_WORDS).status_code == 200
    return _on_template(shop, boss, "order_shipped", {})


def send_test_mail(_shop: FiveApps, _boss: Person) -> Call:
    return Call({"name": "order_received"}, {"json": {}}, target="order_received")


def resend_mail(shop: FiveApps, boss: Person) -> Call:
    engine = shop.deps["notifier"].engine
    ada = news.customer_registered()
    envelope = news.envelope_of(ada)
    SUBSCRIPTIONS[type(ada)](ada, uow=shop.deps["notifier"].unit_of_work(handling=envelope))
    with engine.begin() as connection:
        mail: UUID = connection.execute(
            text(
                "UPDATE mails SET status = 'sent', sent_at = now(), next_attempt_at = NULL"
                " WHERE recipient = :who RETURNING id"
            ),
            {"who": ada.email},
        ).scalar_one()
    return Call({"mail_id": str(mail)}, target=str(mail))


def _cancelling(shop: FiveApps, boss: Person) -> Call:
    order = an_order(shop, shop.person("customer"))["order_id"]
    tag = seen(shop, "ordering", f"/api/admin/orders/{order}", boss)
    body = {"status": "cancelled", "reason": "the address does not exist"}
    return Call({"order_id": order}, {"json": body}, tag, order)


def refund(shop: FiveApps, _boss: Person) -> Call:
    customer = shop.person("customer")
    reference = a_payment(shop, customer)["reference"]
    paystack = shop.deps["payments"].provider
    paystack.capture(paystack.entries[reference], Money(450_000, "NGN"))
    looked = shop.call("payments", "GET", f"/api/payments/{reference}", customer.bearer)
    assert looked.get_json()["status"] == "succeeded"
    body = {"amount": {"amount": 50_000, "currency": "NGN"}, "reason": "a scratch"}
    key = {"Idempotency-Key": uuid4().hex}
    return Call({"reference": reference}, {"json": body}, key, reference)


_PRODUCTS, _ONE = "/api/admin/products", "/api/admin/products/<uuid:product_id>"
_IMAGE = f"{_ONE}/images/<uuid:image_id>"
_TEMPLATE = "/api/admin/email-templates/<string:name>"
CALLS: dict[tuple[str, str, str], Make] = {
    ("catalog", "POST", "/api/admin/categories"): lambda *_: Call(
        options={"json": {"name": f"Shelf {uuid4().hex}"}}
    ),
    ("catalog", "PATCH", "/api/admin/categories/<uuid:category_id>"): change_category,
    ("catalog", "DELETE", "/api/admin/categories/<uuid:category_id>"): remove_category,
    ("catalog", "PATCH", "/api/admin/inventory/<sku>"): set_threshold,
    ("catalog", "POST", "/api/admin/inventory/<sku>/adjustments"): adjust_stock,
    ("catalog", "POST", _PRODUCTS): lambda *_: Call(options={"json": product_body()}),
    ("catalog", "PUT", _ONE): replace_product,
    ("catalog", "PATCH", _ONE): change_product,
    ("catalog", "DELETE", _ONE): archive_product,
    ("catalog", "POST", f"{_ONE}/images"): add_image,
    ("catalog", "PATCH", _IMAGE): change_image,
    ("catalog", "DELETE", _IMAGE): remove_image,
    ("catalog", "POST", f"{_PRODUCTS}/import"): lambda *_: Call(
        options={"data": b"sku\nNOTHING\n", "content_type": "text/csv"}
    ),
    ("catalog", "PATCH", "/api/admin/reviews/<uuid:review_id>"): moderate_review,
    ("identity", "POST", "/api/admin/roles"): create_role,
    ("identity", "PUT", "/api/admin/roles/<name>"): change_role,
    ("identity", "DELETE", "/api/admin/roles/<name>"): delete_role,
    ("identity", "POST", "/api/admin/users"): create_user,
    ("identity", "PATCH", "/api/admin/users/<uuid:user_id>"): change_user,
    ("notifier", "POST", "/api/admin/alerts/<uuid:alert_id>/acknowledge"): acknowledge_alert,
    ("notifier", "PUT", "/api/admin/alerts/preferences"): mute_alerts,
    ("notifier", "PUT", _TEMPLATE): change_template,
    ("notifier", "DELETE", _TEMPLATE): return_to_shipped,
    ("notifier", "POST", f"{_TEMPLATE}/test"): send_test_mail,
    ("notifier", "POST", "/api/admin/notifications/<uuid:mail_id>/resend"): resend_mail,
    ("ordering", "PATCH", "/api/admin/orders/<uuid:order_id>"): _cancelling,
    ("ordering", "PATCH", "/api/orders/<uuid:order_id>"): _cancelling,
    ("payments", "POST", "/api/admin/payments/<reference>/refunds"): refund,
}
