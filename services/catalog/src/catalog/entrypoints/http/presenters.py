"""Products and stock as clients see them: plain data, ready to be encoded."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from catalog.use_cases.queries import Facets

Row = Mapping[str, Any]


def product(row: Row) -> dict[str, Any]:
    """The whole product."""
    return {
        **_head(row),
        "description": row["description"],
        **_body(row),
        "variants": [_variant(variant) for variant in row["variants"]],
        **_tail(row),
    }


def list_item(row: Row) -> dict[str, Any]:
    """A product without description and variants, but with its SKU if it has only one."""
    sole = {"sku": row["sole_sku"]} if row["sole_sku"] else {}
    return {**_head(row), **sole, **_body(row), **_tail(row)}


def facets(counted: Facets) -> dict[str, Any]:
    """What a list may be narrowed to next."""
    return {
        "categories": [
            {"slug": each.slug, "name": each.name, "count": each.count}
            for each in counted.categories
        ],
        "tags": [{"name": name, "count": count} for name, count in counted.tags],
        "prices": [
            {"min": band.lowest, "max": band.highest, "count": band.count} for band in counted.bands
        ],
        "price_range": None
        if counted.lowest is None
        else {"min": counted.lowest, "max": counted.highest},
    }


def tree(rows: Sequence[Row]) -> dict[str, Any]:
    """The categories, each with those inside of it."""
    inside: dict[UUID | None, list[Row]] = defaultdict(list)
    for row in rows:
        inside[row["parent_id"]].append(row)

    def branch(parent: UUID | None) -> list[dict[str, Any]]:
        return [
            {
                "id": row["id"],
                "slug": row["slug"],
                "name": row["name"],
                "children": branch(row["id"]),
            }
            for row in inside[parent]
        ]

    return {"items": branch(None)}


def categories(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The categories as staff edit them, each naming its parent."""
    slugs = {row["id"]: row["slug"] for row in rows}
    return [
        {
            "id": row["id"],
            "slug": row["slug"],
            "name": row["name"],
            "parent": slugs.get(row["parent_id"]),
            "position": row["position"],
        }
        for row in rows
    ]


def review(row: Row) -> dict[str, Any]:
    return {name: row[name] for name in _REVIEW}


def import_job(row: Row) -> dict[str, Any]:
    """An import with its progress, in percent of the lines that were sent."""
    done = row["status"] == "done"
    progress = 100 if done else min(99, 100 * row["line"] // max(row["size"], 1))
    return {name: row[name] for name in _IMPORT} | {"progress": progress}


def stock(row: Row) -> dict[str, Any]:
    return {name: row[name] for name in _STOCK}


def movement(row: Row) -> dict[str, Any]:
    return {name: row[name] for name in _MOVEMENT}


_STOCK = (
    "sku",
    "product_id",
    "name",
    "on_hand",
    "reserved",
    "available",
    "low_stock_threshold",
)
_REVIEW = (
    "id",
    "product_id",
    "rating",
    "title",
    "body",
    "author",
    "verified_purchase",
    "status",
    "created_at",
    "updated_at",
)
_IMPORT = (
    "id",
    "status",
    "dry_run",
    "lines",
    "created",
    "updated",
    "unchanged",
    "failed",
    "errors",
    "changes",
    "created_at",
    "started_at",
    "finished_at",
)
_MOVEMENT = ("at", "reason", "delta", "on_hand", "order_id", "note", "by")


def _head(row: Row) -> dict[str, Any]:
    return {"id": row["id"], "slug": row["slug"], "name": row["name"]}


def _body(row: Row) -> dict[str, Any]:
    return {
        "category": _category(row),
        "tags": row["tags"],
        "featured": row["featured"],
        "price": _money(row["price_amount"], row["currency"]),
        "rating": {"average": row["rating_average"] / 100, "count": row["rating_count"]},
        "in_stock": row["in_stock"],
        "images": row["images"] or [],
    }


def _tail(row: Row) -> dict[str, Any]:
    return {
        "status": row["status"],
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
    }


def _category(row: Row) -> dict[str, Any] | None:
    if row["category_id"] is None:
        return None
    return {"id": row["category_id"], "slug": row["category_slug"], "name": row["category_name"]}


def _variant(row: Row) -> dict[str, Any]:
    before = row["compare_at_amount"]
    earlier = {} if before is None else {"compare_at_price": _money(before, row["currency"])}
    return {
        "sku": row["sku"],
        "options": row["options"],
        "price": _money(row["price_amount"], row["currency"]),
        **earlier,
        "in_stock": row["available"] > 0,
        "available": row["available"],
    }


def _money(amount: int, currency: str) -> dict[str, Any]:
    return {"amount": amount, "currency": currency}
