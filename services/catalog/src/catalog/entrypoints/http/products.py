"""The shop window: what everybody may see."""

from typing import Any
from uuid import UUID

from flask import Response

from catalog.entrypoints.http import presenters
from catalog.entrypoints.http.dependencies import deps
from catalog.entrypoints.http.remembering import about
from catalog.entrypoints.http.schemas import (
    ProductPageSchema,
    ProductQuery,
    ProductSchema,
    TagListSchema,
)
from catalog.entrypoints.http.tagged import tagged
from catalog.use_cases.queries import Position, ProductFilter, Sort
from oja_web.auth import public
from oja_web.blueprint import Blueprint
from oja_web.pagination import decode_cursor, encode_cursor, page
from oja_web.problems import Problem
from oja_web.throttling import limited

blp = Blueprint("products", __name__, url_prefix="/api", description="Looking around in the shop")

# What the items of a list are sorted by, before their id.
_KEY_TYPES = {
    Sort.RELEVANCE: int,
    Sort.NEWEST: int,
    Sort.PRICE: int,
    Sort.PRICE_DOWN: int,
    Sort.RATING: int,
    Sort.NAME: str,
}


@blp.get("/products")
@public
@limited("browsing")
@blp.arguments(ProductQuery, location="query")
@blp.response(200, ProductPageSchema)
def list_products(query: dict[str, Any]) -> Response:
    """Find products

    All conditions must hold. `q` takes words, "a phrase" and `or`; the last word may be unfinished.
    `category` is a slug and includes what is inside of it; `tag` may be repeated. Prices are in
    minor units and mean the cheapest variant. If nothing matches `q`, but something matches words
    that look like it, that is the answer, and `suggestion` is what was searched for instead. By
    relevance the 2,000 newest matches are compared and listed. `facets` adds how many products
    there are per category, tag and band of prices, each as if nothing of its own kind had been
    asked for.
    """
    return tagged(page_of_products(query, status="published"))


@blp.get("/products/<key>")
@public
@limited("browsing")
@blp.response(200, ProductSchema)
def show_product(key: str) -> Response:
    """One product, by id or slug"""
    product = deps().queries.product(_id_or_slug(key), public=True)
    about.set(product["id"])
    return tagged(presenters.product(product))


@blp.get("/tags")
@public
@limited("browsing")
@blp.response(200, TagListSchema)
def list_tags() -> Response:
    """The tags of what is for sale, the most used first"""
    return tagged({"items": [dict(row) for row in deps().queries.tags()]})


def page_of_products(query: dict[str, Any], status: str | None) -> dict[str, Any]:
    """One page of list items; the same for the public and for staff."""
    q = (query["q"] or "").strip() or None
    sort = query["sort"] or (Sort.RELEVANCE if q else Sort.NEWEST)
    found = deps().queries.products(
        ProductFilter(
            q=q,
            category=query["category"],
            tags=tuple(query["tag"]),
            min_price=query["min_price"],
            max_price=query["max_price"],
            min_rating=query["min_rating"],
            featured=query["featured"],
            in_stock=query["in_stock"],
            status=status,
        ),
        sort=sort,
        size=query["size"],
        after=_position(query["cursor"], sort),
        with_total=query["total"],
        with_facets=query["facets"],
    )
    following = encode_cursor([sort.value, *found.next]) if found.next else None
    more = {
        "suggestion": found.suggestion,
        "facets": found.facets and presenters.facets(found.facets),
    }
    body = page([presenters.list_item(row) for row in found.items], following, found.total)
    return body | {name: value for name, value in more.items() if value is not None}


def _position(cursor: str | None, sort: Sort) -> Position | None:
    unpacked = decode_cursor(cursor, [str, _KEY_TYPES[sort], UUID])
    if unpacked is None:
        return None
    if unpacked[0] != sort.value:
        raise Problem(
            422,
            "invalid",
            "The cursor belongs to a list that is sorted differently.",
            errors={"cursor": ["Made for another sort."]},
        )
    return unpacked[1], unpacked[2]


def _id_or_slug(key: str) -> UUID | str:
    try:
        return UUID(key)
    except ValueError:
        return key
