"""Products over HTTP: what everybody sees, and what staff may do."""

import pytest

from oja_web.testing import problem
from tests.integration.catalog.conftest import a_variant

EDIT = "/api/admin/products/"


def url_of(response):
    return EDIT + response.json["id"]


def test_a_product_looks_as_the_contract_says(client, staff, tag):
    shelf = staff.open("POST", "/api/admin/categories", json={"name": f"Shelf {tag}"}).json
    variant = a_variant(
        options={"size": "M"},
        compare_at_price={"amount": 990_000, "currency": "NGN"},
        initial_stock=4,
    )
    created = staff.create(
        variant,
        a_variant(amount=900_000, options={"size": "L"}),
        name="Bolga basket",
        description="Straw.",
        category=shelf["slug"],
        tags=[tag, "straw"],
        featured=True,
    ).json

    shown = client.get(f"/api/products/{created['slug']}").json

    assert shown == created
    assert shown == {
        "id": created["id"],
        "slug": created["slug"],
        "name": "Bolga basket",
        "description": "Straw.",
        "category": {"id": shelf["id"], "slug": shelf["slug"], "name": f"Shelf {tag}"},
        "tags": [tag, "straw"],
        "featured": True,
        "price": {"amount": 900_000, "currency": "NGN"},
        "rating": {"average": 0, "count": 0},
        "in_stock": True,
        "images": [],
        "variants": [
            {
                "sku": variant["sku"],
                "options": {"size": "M"},
                "price": {"amount": 950_000, "currency": "NGN"},
                "compare_at_price": {"amount": 990_000, "currency": "NGN"},
                "in_stock": True,
                "available": 4,
            },
            {
                "sku": created["variants"][1]["sku"],
                "options": {"size": "L"},
                "price": {"amount": 900_000, "currency": "NGN"},
                "in_stock": False,
                "available": 0,
            },
        ],
        "status": "published",
        "created_at": created["created_at"],
        "updated_at": created["updated_at"],
    }


def test_a_list_item_leaves_out_the_long_parts_and_names_a_sole_sku(client, staff, tag):
    sole = staff.create(name="One", tags=[tag]).json
    staff.create(
        a_variant(options={"size": "M"}), a_variant(options={"size": "L"}), name="Two", tags=[tag]
    )

    two, one = client.get("/api/products", query_string={"tag": tag}).json["items"]

    assert one.pop("sku") == sole["variants"][0]["sku"]
    assert one.keys() == two.keys() == sole.keys() - {"description", "variants"}


def test_who_has_the_newest_version_gets_304_until_something_visible_changes(client, staff, shop):
    sku = a_variant(initial_stock=5)["sku"]
    created = staff.create(a_variant(sku, initial_stock=5)).json
    for url in (f"/api/products/{created['id']}", "/api/products", "/api/categories", "/api/tags"):
        tag = client.get(url).headers["ETag"]
        again = client.get(url, headers={"If-None-Match": tag})
        assert (again.status_code, again.data) == (304, b"")

    url = f"/api/products/{created['slug']}"
    tag = client.get(url).headers["ETag"]
    body = {"delta": -1, "reason": "damage"}
    staff.open("POST", f"/api/admin/inventory/{sku}/adjustments", json=body)
    fresh = client.get(url, headers={"If-None-Match": tag})

    assert fresh.status_code == 200
    assert fresh.json["variants"][0]["available"] == 4


@pytest.mark.parametrize("status", ["draft", "archived"])
def test_the_public_sees_published_products_only(client, staff, tag, status):
    hidden = staff.create(status=status, tags=[tag]).json

    for key in (hidden["id"], hidden["slug"], "no-such-product"):
        problem(client.get(f"/api/products/{key}"), 404, "not_found")
    assert client.get("/api/products", query_string={"tag": tag}).json["items"] == []
    listed = staff.open("GET", "/api/admin/products", query_string={"tag": tag, "status": status})
    assert [item["id"] for item in listed.json["items"]] == [hidden["id"]]
    assert staff.open("GET", EDIT + hidden["id"]).json == hidden


def test_changes_need_the_version_that_was_seen(staff):
    created = staff.create()
    url, tag = url_of(created), created.headers["ETag"]
    whole = {"name": "Other", "variants": [a_variant()]}

    for method, body in (("PATCH", {"name": "x"}), ("PUT", whole), ("DELETE", None)):
        problem(staff.open(method, url, json=body), 428, "precondition_required")
    changed = staff.open("PATCH", url, json={"name": "First"}, seen=tag)
    for method, body in (("PATCH", {"name": "x"}), ("PUT", whole), ("DELETE", None)):
        problem(staff.open(method, url, json=body, seen=tag), 412, "precondition_failed")

    assert changed.json["name"] == "First"
    assert changed.headers["ETag"] != tag
    assert staff.open("GET", url).json == changed.json


def test_units_that_are_sold_meanwhile_do_not_make_an_edit_stale(staff, shop):
    created = staff.create(a_variant(initial_stock=9))
    sku = created.json["variants"][0]["sku"]
    with shop.uow() as uow:
        uow.stock.reserve(created.json["id"], {sku: 2})
        uow.commit()

    changed = staff.open(
        "PATCH", url_of(created), json={"featured": True}, seen=created.headers["ETag"]
    )

    assert changed.status_code == 200
    assert changed.json["variants"][0]["available"] == 7


def test_a_patch_leaves_the_rest_alone_and_a_put_does_not(staff, tag):
    created = staff.create(description="Long.", tags=[tag], featured=True)

    patched = staff.open(
        "PATCH", url_of(created), json={"name": "New"}, seen=created.headers["ETag"]
    )
    assert patched.json["tags"] == [tag]
    assert patched.json["variants"] == created.json["variants"]

    whole = {"name": "Newest", "variants": [a_variant()]}
    put = staff.open("PUT", url_of(created), json=whole, seen=patched.headers["ETag"])
    assert (put.json["tags"], put.json["featured"], put.json["description"]) == ([], False, "")
    assert (put.json["status"], put.json["slug"]) == ("published", created.json["slug"])
    assert [v["sku"] for v in put.json["variants"]] == [whole["variants"][0]["sku"]]


def test_deleting_archives(client, staff):
    created = staff.create()

    gone = staff.open("DELETE", url_of(created), seen=created.headers["ETag"])

    assert (gone.status_code, gone.data) == (204, b"")
    assert staff.open("GET", url_of(created)).json["status"] == "archived"
    problem(client.get(f"/api/products/{created.json['slug']}"), 404, "not_found")


def test_a_price_change_is_seen_and_sorted_at_once(client, staff, tag):
    created = staff.create(a_variant(amount=500), tags=[tag])
    variant = created.json["variants"][0] | {"price": {"amount": 400, "currency": "NGN"}}
    body = {"variants": [{name: variant[name] for name in ("sku", "price", "options")}]}

    staff.open("PATCH", url_of(created), json=body, seen=created.headers["ETag"])

    [item] = client.get("/api/products", query_string={"tag": tag, "max_price": 400}).json["items"]
    assert item["price"] == {"amount": 400, "currency": "NGN"}


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"category": "nowhere"}, ["category"]),
        (
            {"variants": [a_variant() | {"price": {"amount": 5, "currency": "USD"}}]},
            ["variants.0.price.currency"],
        ),
        ({"variants": [a_variant("TWICE"), a_variant("TWICE")]}, None),
    ],
)
def test_what_cannot_be_sold_is_refused_with_the_fields(staff, changes, fields):
    body = {"name": "Basket", "variants": [a_variant()], **changes}

    answer = problem(staff.open("POST", "/api/admin/products", json=body), 422, "invalid")

    if fields:
        assert list(answer["errors"]) == fields
    else:
        assert "variants.0.sku" in answer["errors"]


def test_a_sku_of_another_product_is_refused_with_its_field(staff):
    sku = staff.create().json["variants"][0]["sku"]
    body = {"name": "Copy", "variants": [a_variant(options={"s": "1"}), a_variant(sku, options={})]}
    body["variants"][1]["options"] = {"s": "2"}

    answer = problem(staff.open("POST", "/api/admin/products", json=body), 422, "invalid")

    assert list(answer["errors"]) == ["variants.1.sku"]


def test_tags_are_counted_for_what_is_for_sale(client, staff, tag):
    staff.create(tags=[tag])
    staff.create(tags=[tag])
    staff.create(tags=[tag], status="draft")

    assert {"name": tag, "count": 2} in client.get("/api/tags").json["items"]


def test_names_that_are_the_same_get_slugs_that_differ(staff, tag):
    slugs = [staff.create(name=f"Same {tag}").json["slug"] for _ in range(3)]

    assert slugs == [slugs[0], f"{slugs[0]}-2", f"{slugs[0]}-3"]
