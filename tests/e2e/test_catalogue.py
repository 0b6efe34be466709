"""What staff show and customers say about products, through the gateway."""

import csv
import io
from typing import Any
from uuid import uuid4

import requests
from PIL import Image

from tests.support.shop import TIMEOUT, Shop
from tests.support.waiting import wait_until


def product_with(shop: Shop, sku: str) -> Any:
    """The product as everybody sees it, once it can be found."""

    def found() -> Any:
        return shop.visitor().get("/api/products", q=sku).json()["items"]

    return wait_until(found, what=f"{sku} is found")[0]


def shown(shop: Shop, product: Any) -> Any:
    return shop.visitor().get(f"/api/products/{product['id']}").json()


def a_photo() -> bytes:
    exif = Image.Exif()
    exif[0x010F] = "A camera with a serial number"
    out = io.BytesIO()
    Image.new("RGB", (1200, 800), "indigo").save(out, "JPEG", exif=exif)
    return out.getvalue()


def test_a_picture_that_staff_upload_is_in_the_shop_and_its_thumbnail_loads(shop: Shop) -> None:
    product = product_with(shop, shop.staff.new_product(stock=1))
    path = f"/api/admin/products/{product['id']}/images"

    uploaded = shop.staff.request(
        "POST", path, files={"file": ("photo.jpg", a_photo())}, data={"alt": "Indigo cloth"}
    )

    assert uploaded.status_code == 201, uploaded.text
    image = uploaded.json()
    wait_until(lambda: shown(shop, product)["images"] == [image])
    thumbnail = requests.get(image["thumbnail_url"], timeout=TIMEOUT)
    assert thumbnail.headers["Content-Type"].startswith("image/")
    assert max(Image.open(io.BytesIO(thumbnail.content)).size) == 400
    assert b"serial number" not in requests.get(image["url"], timeout=TIMEOUT).content

    gone = shop.staff.request(
        "DELETE", f"{path}/{image['id']}", headers={"If_Match": uploaded.headers["ETag"]}
    )

    assert gone.status_code == 204, gone.text
    wait_until(lambda: shown(shop, product)["images"] == [])
    wait_until(
        lambda: requests.get(image["url"], timeout=TIMEOUT).status_code == 404,
        what="the picture is gone at Cloudinary",
    )


def test_a_review_by_somebody_who_has_the_goods_is_verified(shop: Shop) -> None:
    sku = shop.staff.new_product(stock=3)
    product = product_with(shop, sku)
    path = f"/api/products/{product['id']}/reviews"
    ada, ben = shop.customer(), shop.customer()
    order = ada.buy(sku)
    shop.pay(ada, order["id"])
    ada.await_status(order["id"], "processing", "paid")
    shop.staff.move(order["id"], status="shipped", tracking={"carrier": "GIG", "number": "1"})
    shop.staff.move(order["id"], status="completed")

    for customer, stars in ((ada, 5), (ben, 2)):
        posted = customer.post(path, {"rating": stars, "title": "<b>So</b>", "body": "It is."})
        assert posted.status_code == 201, posted.text

    def verified() -> dict[int, bool]:
        items = shop.visitor().get(path).json()["items"]
        return {item["rating"]: item["verified_purchase"] for item in items}

    wait_until(lambda: verified() == {5: True, 2: False})
    wait_until(lambda: shown(shop, product)["rating"] == {"average": 3.5, "count": 2})
    assert ada.post(path, {"rating": 1}).json()["code"] == "already_reviewed"


def test_products_are_found_by_the_new_name_of_their_category(shop: Shop) -> None:
    category = shop.staff.post("/api/admin/categories", {"name": "Drums"})
    path = f"/api/admin/categories/{category.json()['id']}"
    product = product_with(shop, shop.staff.new_product(stock=1))
    filed = f"/api/admin/products/{product['id']}"
    shelf = {"category": category.json()["slug"]}
    shop.staff.patch(filed, shelf, If_Match=shop.staff.get(filed).headers["ETag"])
    name = f"renamed{uuid4().hex[:12]}"

    renamed = shop.staff.patch(path, {"name": name}, If_Match=category.headers["ETag"])

    assert renamed.status_code == 200, renamed.text
    assert product_with(shop, name)["id"] == product["id"]


def test_a_table_that_staff_send_lands_line_by_line(shop: Shop) -> None:
    good, bad = (f"E2E-{uuid4().hex[:12].upper()}" for _ in range(2))
    out = io.StringIO()
    csv.writer(out).writerows(
        [
            ["sku", "name", "status", "price_amount", "initial_stock"],
            [good, "'=1+1", "published", "250000", "4"],
            [bad, "Free money", "published", "-1", "1"],
        ]
    )

    sent = shop.staff.request(
        "POST",
        "/api/admin/products/import",
        data=out.getvalue().encode(),
        headers={"Content_Type": "text/csv"},
    )

    assert sent.status_code == 202, sent.text

    def job() -> Any:
        return shop.staff.get(f"/api/admin/imports/{sent.json()['id']}").json()

    wait_until(lambda: job()["status"] == "done")
    assert (job()["created"], job()["failed"]) == (1, 1)
    assert [(error["line"], error["column"]) for error in job()["errors"]] == [(3, "price_amount")]
    assert product_with(shop, good)["name"] == "=1+1"
    exported = shop.staff.get("/api/admin/products/export").text
    [line] = [each for each in csv.reader(io.StringIO(exported, newline="")) if good in each]
    assert "'=1+1" in line
    assert shop.staff.stock(good)["on_hand"] == 4
