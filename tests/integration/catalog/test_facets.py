"""What a list may be narrowed to next, and how much of it there is."""

import pytest

from tests.integration.catalog.conftest import a_variant


@pytest.fixture
def shelf(staff, tag):
    """Four products under one tag: cheap and dear, in a category and inside of it."""
    outer = category(staff, f"Music {tag}")
    inner = category(staff, f"Drums {tag}", outer["slug"])
    products = [
        ("Talking drum", 150_000, inner["slug"], ["loud"]),
        ("Djembe", 190_000, inner["slug"], ["loud", "wood"]),
        ("Kora", 600_000, outer["slug"], ["wood"]),
        ("Leaflet", 0, None, []),
    ]
    for name, amount, slug, tags in products:
        staff.create(a_variant(amount=amount), name=name, category=slug, tags=[tag, *tags])
    return {"outer": outer["slug"], "inner": inner["slug"]}


def category(staff, name, parent=None):
    body = {"name": name, "parent": parent}
    return staff.open("POST", "/api/admin/categories", json=body).json


def facets(client, **query):
    response = client.get("/api/products", query_string={"facets": "true", **query})
    assert response.status_code == 200, response.text
    return response.json["facets"]


def counts(entries, key):
    return {entry[key]: entry["count"] for entry in entries}


def test_a_list_has_facets_only_when_asked(client, shelf, tag):
    assert "facets" not in client.get("/api/products", query_string={"tag": tag}).json


def test_a_category_counts_what_is_inside_of_it_too(client, shelf, tag):
    found = facets(client, tag=tag)

    assert (
        counts(found["categories"], "slug").items()
        >= {shelf["outer"]: 3, shelf["inner"]: 2}.items()
    )


def test_prices_come_in_bands_that_can_be_asked_for(client, shelf, tag):
    found = facets(client, q="", tag=tag, category=shelf["outer"])

    assert found["prices"] == [
        {"min": 100_000, "max": 199_999, "count": 2},
        {"min": 500_000, "max": 999_999, "count": 1},
    ]
    assert found["price_range"] == {"min": 150_000, "max": 600_000}
    band = found["prices"][0]
    query = {"tag": tag, "min_price": band["min"], "max_price": band["max"], "total": "true"}
    assert client.get("/api/products", query_string=query).json["total"] == band["count"]


def test_free_things_have_a_band_of_their_own(client, shelf, tag):
    assert facets(client, tag=tag)["prices"][0] == {"min": 0, "max": 0, "count": 1}


def test_a_facet_ignores_its_own_selection_but_not_that_of_others(client, shelf, tag):
    found = facets(client, category=shelf["inner"], q=f"drums {tag}", max_price=160_000)

    assert counts(found["categories"], "slug").items() >= {shelf["inner"]: 1}.items()
    assert counts(found["tags"], "name") == {tag: 1, "loud": 1}
    assert found["prices"] == [{"min": 100_000, "max": 199_999, "count": 2}]
    assert found["price_range"] == {"min": 150_000, "max": 190_000}


def test_selected_tags_do_not_hide_the_others(client, shelf):
    found = facets(client, category=shelf["outer"], tag="loud")

    assert counts(found["tags"], "name").items() >= {"loud": 2, "wood": 2}.items()
    assert counts(found["categories"], "slug")[shelf["outer"]] == 2


def test_where_nothing_is_there_is_no_range(client):
    assert facets(client, category="no-such-category", q="nothing") == {
        "categories": [],
        "tags": [],
        "prices": [],
        "price_range": None,
    }
