"""Finding products: words, filters, sorts, and pages that hold still while the shop moves."""

import itertools
from uuid import uuid4

import pytest

from oja_web.testing import problem
from tests.integration.catalog.conftest import a_variant


def found(client, **query):
    response = client.get("/api/products", query_string=query)
    assert response.status_code == 200, response.text
    return [item["name"] for item in response.json["items"]]


def walk(client, between=lambda: None, **query):
    """All items, page by page; `between` is called before every further page."""
    cursor = None
    while True:
        page = client.get(
            "/api/products", query_string=query | ({"cursor": cursor} if cursor else {})
        ).json
        yield from page["items"]
        cursor = page["next"]
        if cursor is None:
            return
        between()


@pytest.fixture(scope="module")
def shelf(staff):
    """Four products that differ in everything one can ask for, under a tag of their own."""
    tag = f"tag {uuid4().hex[:12]}"
    parent = category(staff, f"Cloth {uuid4().hex[:6]}")
    child = category(staff, f"Prints {uuid4().hex[:6]}", parent["slug"])
    staff.create(
        a_variant("ADR-001-IND", 500_000, initial_stock=3),
        name="Àdìrẹ wrapper",
        description="Dyed with indigo in Abẹ́òkúta.",
        category=child["slug"],
        tags=[tag, "handmade"],
        featured=True,
    )
    staff.create(
        a_variant(amount=200_000, initial_stock=3),
        name="Ankara shirt",
        category=parent["slug"],
        tags=[tag, "handmade", "men's wear"],
    )
    staff.create(a_variant(amount=800_000), name="Basket", tags=[tag], featured=True)
    staff.create(
        a_variant(amount=200_000, initial_stock=1), name="Àdìrẹ draft", tags=[tag], status="draft"
    )
    return {"tag": tag, "parent": parent["slug"], "child": child["slug"]}


def category(staff, name, parent=None):
    body = {"name": name, "parent": parent}
    return staff.open("POST", "/api/admin/categories", json=body).json


@pytest.mark.parametrize(
    "q",
    [
        "àdìrẹ",
        "ADIRE",
        "adi",
        "adire wrap",
        "wrapper adire",
        "abeokuta",
        "ADR-001-IND",
        "adr-00",
        '"adire wrapper"',
        "wrapper or nonsense",
        "prints",
    ],
)
def test_a_product_is_found_by_its_words_however_they_are_typed(client, shelf, q):
    assert found(client, q=q, tag=shelf["tag"]) == ["Àdìrẹ wrapper"]


@pytest.mark.parametrize("q", ["adire basket", '"wrapper adire"', "xylophone", "!!!"])
def test_other_words_find_nothing(client, shelf, q):
    assert found(client, q=q, tag=shelf["tag"]) == []


@pytest.mark.parametrize(
    ("q", "meant"),
    [
        ("wraper", "wrapper"),
        ("adire rapper", "adire wrapper"),
        ("ÀDÌRẸ wrappre", "adire wrapper"),
        ("baskt", "basket"),
    ],
)
def test_what_matches_nothing_is_searched_as_it_may_have_been_meant(client, shelf, q, meant):
    body = client.get("/api/products", query_string={"q": q, "tag": shelf["tag"]}).json

    assert body["suggestion"] == meant
    assert [item["name"] for item in body["items"]] == found(client, q=meant, tag=shelf["tag"])


def test_what_matches_something_is_left_as_it_is(client, shelf):
    body = client.get("/api/products", query_string={"q": "basket", "tag": shelf["tag"]}).json

    assert "suggestion" not in body


def test_a_suggestion_has_further_pages(client, staff, tag):
    for _ in range(3):
        staff.create(name="Marimbaphone", tags=[tag])

    seen = [item["id"] for item in walk(client, q="marimbafone", tag=tag, size=1)]

    assert len(seen) == len(set(seen)) == 3


def test_the_product_with_exactly_that_sku_comes_first(client, staff, tag):
    sku = f"KORA-{uuid4().hex[:8]}"
    staff.create(a_variant(sku), name="Older", tags=[tag])
    staff.create(name=f"{sku} {sku} strings", description=sku, tags=[tag, sku.lower()])

    assert found(client, q=sku.lower(), tag=tag) == ["Older", f"{sku} {sku} strings"]


def test_a_word_in_the_name_counts_more_than_in_the_description(client, staff, tag):
    staff.create(name="Bowl", description="Goes with a calabash.", tags=[tag])
    staff.create(name="Calabash", tags=[tag])
    staff.create(name="Spoon", description="Calabash, calabash.", tags=[tag])

    assert found(client, q="calabash", tag=tag)[0] == "Calabash"


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, ["Basket", "Ankara shirt", "Àdìrẹ wrapper"]),
        ({"category": "parent"}, ["Ankara shirt", "Àdìrẹ wrapper"]),
        ({"category": "child"}, ["Àdìrẹ wrapper"]),
        ({"featured": "true"}, ["Basket", "Àdìrẹ wrapper"]),
        ({"featured": "false"}, ["Ankara shirt"]),
        ({"in_stock": "true"}, ["Ankara shirt", "Àdìrẹ wrapper"]),
        ({"in_stock": "false"}, ["Basket"]),
        ({"min_price": "500000"}, ["Basket", "Àdìrẹ wrapper"]),
        ({"max_price": "500000"}, ["Ankara shirt", "Àdìrẹ wrapper"]),
        ({"min_price": "200001", "max_price": "799999"}, ["Àdìrẹ wrapper"]),
        ({"min_price": "800000", "max_price": "200000"}, []),
        ({"min_rating": "1"}, []),
        ({"category": "parent", "featured": "true", "in_stock": "true"}, ["Àdìrẹ wrapper"]),
        ({"q": "handmade", "max_price": "300000"}, ["Ankara shirt"]),
        ({"category": "no-such-category"}, []),
    ],
)
def test_filters_combine(client, shelf, query, names):
    slug = query.get("category")
    asked = query | ({"category": shelf.get(slug, slug)} if slug else {})

    assert found(client, tag=shelf["tag"], sort="newest", **asked) == names


def test_every_named_tag_must_be_there(client, shelf):
    query = [("tag", shelf["tag"]), ("tag", "handmade"), ("tag", "men's wear")]

    response = client.get("/api/products", query_string=query)

    assert [item["name"] for item in response.json["items"]] == ["Ankara shirt"]


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        ("newest", ["Basket", "Ankara shirt", "Àdìrẹ wrapper"]),
        ("relevance", ["Basket", "Ankara shirt", "Àdìrẹ wrapper"]),
        ("price", ["Ankara shirt", "Àdìrẹ wrapper", "Basket"]),
        ("-price", ["Basket", "Àdìrẹ wrapper", "Ankara shirt"]),
        ("name", ["Àdìrẹ wrapper", "Ankara shirt", "Basket"]),
        ("rating", ["Basket", "Ankara shirt", "Àdìrẹ wrapper"]),
    ],
)
def test_lists_are_sorted_as_asked(client, shelf, sort, names):
    assert found(client, tag=shelf["tag"], sort=sort) == names


def test_the_total_is_told_only_when_asked(client, shelf):
    without = client.get("/api/products", query_string={"tag": shelf["tag"], "size": 1}).json
    counted = client.get(
        "/api/products", query_string={"tag": shelf["tag"], "size": 1, "total": "true"}
    ).json

    assert "total" not in without
    assert counted["total"] == 3


@pytest.mark.parametrize("sort", ["newest", "price", "-price", "name", "rating", "relevance"])
def test_a_walk_loses_and_repeats_nothing_while_products_come_in(client, staff, tag, sort):
    amounts = itertools.cycle([300, 100, 200])
    names = itertools.cycle(["Gourd", "Drum", "Kora drum drum"])

    def add():
        staff.create(a_variant(amount=next(amounts)), name=next(names), tags=[tag])

    for _ in range(7):
        add()
    query = {"tag": tag, "sort": sort, "size": 2} | ({"q": "d"} if sort == "relevance" else {})
    present = [item["id"] for item in walk(client, **query)]

    seen = [item["id"] for item in walk(client, add, **query)]

    assert len(seen) == len(set(seen))
    assert set(present) <= set(seen)
    if sort == "newest":
        assert seen == present


def test_a_cursor_belongs_to_its_sort(client, shelf):
    page = client.get(
        "/api/products", query_string={"tag": shelf["tag"], "size": 1, "sort": "price"}
    ).json

    response = client.get("/api/products", query_string={"cursor": page["next"], "sort": "-price"})

    assert "cursor" in problem(response, 422, "invalid")["errors"]


@pytest.mark.parametrize(
    "q",
    [
        "'",
        '"',
        '""',
        "%",
        "_",
        "\\",
        "!!!",
        ":*",
        "a:*",
        "a & | ! b",
        "& |",
        "(((",
        "<->",
        "-",
        "-basket",
        "or",
        "or or",
        "'; DROP TABLE products; --",
        "$$",
        "$1 %s %(q)s :q {0}",
        "½",
        "“curly” \u2019quotes\u2019",
        "ﷺ" * 60,
        "😀",
        "\u0301" * 50,
        "a" * 200,
        "' " * 100,
        "ß ø đ ł ɓ",
        "\t\n",
        " ",
    ],
)
@pytest.mark.parametrize("sort", ["relevance", "name"])
def test_s46_nothing_that_people_type_breaks_the_search(client, q, sort):
    response = client.get("/api/products", query_string={"q": q, "sort": sort})

    assert response.status_code in (200, 422), response.text


@pytest.mark.parametrize("parameter", ["q", "category", "tag", "cursor", "sort", "size"])
def test_half_characters_and_nul_are_refused(client, parameter):
    for raw in ("%00", "%ff", "%ed%a0%80"):
        response = client.get(f"/api/products?{parameter}={raw}")

        assert response.status_code in (200, 400, 422), response.text
