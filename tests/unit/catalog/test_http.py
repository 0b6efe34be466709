"""What is refused before anything is looked up."""

import pytest

from catalog.bootstrap import build
from catalog.entrypoints.http.app import create_app
from catalog.settings import Settings
from oja_web.testing import ISSUER, bearer, make_key_pair, make_token, problem

KEYS = make_key_pair()
ANYBODY, CUSTOMER = "anonymous", "customer"
REVIEWS = "/api/products/<uuid:product_id>/reviews"
PRODUCT = "/api/admin/products/018f0000-0000-7000-8000-000000000000"
CATEGORY = "/api/admin/categories/018f0000-0000-7000-8000-000000000000"

# Every route of the service, and what it takes to be let in.
ROUTES = {
    ("GET", "/api/products"): ANYBODY,
    ("GET", "/api/products/<key>"): ANYBODY,
    ("GET", REVIEWS): ANYBODY,
    ("POST", REVIEWS): CUSTOMER,
    ("PATCH", f"{REVIEWS}/<uuid:review_id>"): CUSTOMER,
    ("DELETE", f"{REVIEWS}/<uuid:review_id>"): CUSTOMER,
    ("GET", "/api/admin/reviews"): "reviews:write",
    ("GET", "/api/admin/reviews/<uuid:review_id>"): "reviews:write",
    ("PATCH", "/api/admin/reviews/<uuid:review_id>"): "reviews:write",
    ("GET", "/api/categories"): ANYBODY,
    ("GET", "/api/tags"): ANYBODY,
    ("GET", "/api/admin/products"): "products:read",
    ("POST", "/api/admin/products"): "products:write",
    ("POST", "/api/admin/products/import"): "products:write",
    ("GET", "/api/admin/products/export"): "products:read",
    ("GET", "/api/admin/imports/<uuid:import_id>"): "products:write",
    ("GET", "/api/admin/products/<uuid:product_id>"): "products:read",
    ("PUT", "/api/admin/products/<uuid:product_id>"): "products:write",
    ("PATCH", "/api/admin/products/<uuid:product_id>"): "products:write",
    ("DELETE", "/api/admin/products/<uuid:product_id>"): "products:write",
    ("POST", "/api/admin/products/<uuid:product_id>/images"): "products:write",
    ("PATCH", "/api/admin/products/<uuid:product_id>/images/<uuid:image_id>"): "products:write",
    ("DELETE", "/api/admin/products/<uuid:product_id>/images/<uuid:image_id>"): "products:write",
    ("GET", "/api/admin/audit/catalog"): "audit:read",
    ("GET", "/api/admin/categories"): "products:read",
    ("POST", "/api/admin/categories"): "products:write",
    ("GET", "/api/admin/categories/<uuid:category_id>"): "products:read",
    ("PATCH", "/api/admin/categories/<uuid:category_id>"): "products:write",
    ("DELETE", "/api/admin/categories/<uuid:category_id>"): "products:write",
    ("GET", "/api/admin/inventory"): "inventory:read",
    ("GET", "/api/admin/inventory/<sku>"): "inventory:read",
    ("PATCH", "/api/admin/inventory/<sku>"): "inventory:write",
    ("GET", "/api/admin/inventory/<sku>/movements"): "inventory:read",
    ("POST", "/api/admin/inventory/<sku>/adjustments"): "inventory:write",
}
PERMISSIONS = set(ROUTES.values()) - {ANYBODY, CUSTOMER}
GUARDED = [(*route, needed) for route, needed in ROUTES.items() if needed != ANYBODY]
FOR_STAFF = [route for route in GUARDED if route[2] != CUSTOMER]


@pytest.fixture(scope="module")
def app():
    settings = Settings(
        database_url="postgresql+psycopg2://nobody@127.0.0.1:1/none",
        broker_url="amqp://none",
        jwt_public_keys=KEYS.jwks,
        jwt_issuer=ISSUER,
        internal_token="t" * 40,
        feed_urls={},
    )
    return create_app(settings, build(settings))


@pytest.fixture
def client(app):
    return app.test_client()


def with_permissions(*permissions):
    return bearer(make_token(KEYS.private_pem, permissions=sorted(permissions)))


STAFF = with_permissions(*PERMISSIONS)


def concrete(rule):
    some_id = PRODUCT.rpartition("/")[2]
    return (
        rule.replace("<uuid:product_id>", some_id)
        .replace("<uuid:category_id>", some_id)
        .replace("<uuid:image_id>", some_id)
        .replace("<uuid:import_id>", some_id)
        .replace("<uuid:review_id>", some_id)
        .replace("<sku>", "BOLGA-S")
    )


def a_body(**changes):
    return {"name": "Basket", "variants": [a_variant()], **changes}


def a_variant(**changes):
    return {"sku": "BOLGA-S", "price": {"amount": 950_000, "currency": "NGN"}, **changes}


def test_these_are_all_the_routes(app):
    own = {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/api")
    }

    assert own == set(ROUTES)


@pytest.mark.parametrize(("method", "rule", "needed"), GUARDED)
def test_strangers_are_asked_to_sign_in(client, method, rule, needed):
    problem(client.open(concrete(rule), method=method), 401, "unauthenticated")


@pytest.mark.parametrize(("method", "rule", "needed"), FOR_STAFF)
def test_every_other_permission_does_not_open_a_route(client, method, rule, needed):
    others = with_permissions(*(PERMISSIONS - {needed}))

    problem(client.open(concrete(rule), method=method, headers=others), 403, "forbidden")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (a_body(colour="red"), "colour"),
        (a_body(id="018f0000-0000-7000-8000-000000000000"), "id"),
        (a_body(name=""), "name"),
        (a_body(name=7), "name"),
        (a_body(status="sold"), "status"),
        (a_body(featured="yes"), "featured"),
        (a_body(tags=[f"tag {n}" for n in range(21)]), "tags"),
        (a_body(tags=["a\nb"]), "tags.0"),
        (a_body(variants=[]), "variants"),
        (a_body(variants=[a_variant(sku="a/b")]), "variants.0.sku"),
        (a_body(variants=[a_variant(sku="A B")]), "variants.0.sku"),
        (a_body(variants=[a_variant(on_hand=5)]), "variants.0.on_hand"),
        (a_body(variants=[a_variant(initial_stock=-1)]), "variants.0.initial_stock"),
        (a_body(variants=[a_variant(initial_stock=1.0)]), "variants.0.initial_stock"),
        (a_body(variants=[a_variant(options={"size": 5})]), "variants.0.options.size.value"),
        (
            a_body(variants=[a_variant(price={"amount": -1, "currency": "NGN"})]),
            "variants.0.price.amount",
        ),
        (
            a_body(variants=[a_variant(price={"amount": 9.5, "currency": "NGN"})]),
            "variants.0.price.amount",
        ),
        (
            a_body(variants=[a_variant(price={"amount": 10**16, "currency": "NGN"})]),
            "variants.0.price.amount",
        ),
        (
            a_body(variants=[a_variant(price={"amount": 9, "currency": "naira"})]),
            "variants.0.price.currency",
        ),
    ],
)
def test_a_bad_product_is_refused_with_the_field(client, body, field):
    answer = problem(client.post("/api/admin/products", json=body, headers=STAFF), 422, "invalid")

    assert list(answer["errors"]) == [field]


def post_price(client, amount):
    price = f'{{"amount": {amount}, "currency": "NGN"}}'
    body = f'{{"name": "x", "variants": [{{"sku": "A", "price": {price}}}]}}'
    return client.post(
        "/api/admin/products", data=body, content_type="application/json", headers=STAFF
    )


@pytest.mark.parametrize("amount", ["1" + "0" * 4000, "1e4000", "-1e4000", "1e3", "1" + "0" * 16])
def test_a_price_that_is_no_number_of_kobo_is_refused_where_it_stands(client, amount):
    answer = problem(post_price(client, amount), 422, "invalid")

    assert list(answer["errors"]) == ["variants.0.price.amount"]


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "0x1", "01"])
def test_what_json_has_no_word_for_is_malformed(client, amount):
    problem(post_price(client, amount), 400, "malformed_json")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"delta": 0, "reason": "restock"}, "delta"),
        ({"delta": "5", "reason": "restock"}, "delta"),
        ({"delta": 10**10, "reason": "restock"}, "delta"),
        ({"delta": 5}, "reason"),
        ({"delta": 5, "reason": "gift"}, "reason"),
        ({"delta": 5, "reason": "sale"}, "reason"),
        ({"delta": 5, "reason": "initial"}, "reason"),
        ({"delta": 5, "reason": "restock", "sku": "B"}, "sku"),
    ],
)
def test_a_bad_adjustment_is_refused_with_the_field(client, body, field):
    url = "/api/admin/inventory/BOLGA-S/adjustments"

    answer = problem(client.post(url, json=body, headers=STAFF), 422, "invalid")

    assert list(answer["errors"]) == [field]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"sort": "price;drop table products"}, "sort"),
        ({"sort": ""}, "sort"),
        ({"size": "0"}, "size"),
        ({"size": "101"}, "size"),
        ({"size": "-5"}, "size"),
        ({"min_price": "NaN"}, "min_price"),
        ({"min_price": "-1"}, "min_price"),
        ({"max_price": "1" + "0" * 4000}, "max_price"),
        ({"max_price": "1e5"}, "max_price"),
        ({"min_rating": "6"}, "min_rating"),
        ({"featured": "maybe"}, "featured"),
        ({"in_stock": "1"}, "in_stock"),
        ({"q": "x" * 10_000}, "q"),
        ({"category": "x" * 10_000}, "category"),
        ({"cursor": "' OR 1=1"}, "cursor"),
        ({"cursor": "AAAA"}, "cursor"),
        ({"cursor": "W10"}, "cursor"),
        ({"tag": ["x"] * 21}, "tag"),
        ({"q": ["a", "b"]}, "q"),
    ],
)
def test_a_bad_query_is_refused_with_the_field(client, query, field):
    answer = problem(client.get("/api/products", query_string=query), 422, "invalid")

    assert list(answer["errors"]) == [field]


def test_the_settings_name_what_is_missing():
    with pytest.raises(Exception, match="catalog needs 'DATABASE_URL'"):
        Settings.from_env({})


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "rating"),
        ({"rating": 0}, "rating"),
        ({"rating": 6}, "rating"),
        ({"rating": 4.5}, "rating"),
        ({"rating": True}, "rating"),
        ({"rating": 5, "title": "x" * 121}, "title"),
        ({"rating": 5, "title": "a\nb"}, "title"),
        ({"rating": 5, "body": "x" * 5001}, "body"),
        ({"rating": 5, "verified_purchase": True}, "verified_purchase"),
        ({"rating": 5, "status": "published"}, "status"),
    ],
)
def test_a_bad_review_is_refused_with_the_field(client, body, field):
    answer = problem(client.post(concrete(REVIEWS), json=body, headers=STAFF), 422, "invalid")

    assert list(answer["errors"]) == [field]


def test_staff_publish_or_hide_a_review_and_nothing_else(client):
    url = concrete("/api/admin/reviews/<uuid:review_id>")

    for body in ({"status": "pending"}, {"status": "gone"}, {}, {"status": "hidden", "rating": 1}):
        seen = {**STAFF, "If-Match": '"v1"'}
        problem(client.patch(url, json=body, headers=seen), 422, "invalid")
