"""Stock for staff: the counters, the ledger, and adjustments."""

from typing import Any

from flask import Response

from catalog.entrypoints.http import presenters
from catalog.entrypoints.http.dependencies import deps
from catalog.entrypoints.http.schemas_of_staff import (
    AdjustmentSchema,
    InventoryQuery,
    MovementPageSchema,
    RequestKeySchema,
    StockPageSchema,
    StockSchema,
    ThresholdSchema,
)
from catalog.use_cases import commands
from oja_web.auth import caller, requires
from oja_web.blueprint import Blueprint
from oja_web.etag import changes_what_was_seen, if_match, set_etag
from oja_web.pagination import PageQuery, decode_cursor, encode_cursor, page
from oja_web.strict_json import json_response

blp = Blueprint(
    "admin-inventory", __name__, url_prefix="/api/admin/inventory", description="Stock for staff"
)


@blp.get("")
@requires("inventory:read")
@blp.arguments(InventoryQuery, location="query")
@blp.response(200, StockPageSchema)
def list_inventory(query: dict[str, Any]) -> Response:
    """The stock of all that is offered, by SKU; `low_stock=true`: where it is low"""
    cursor = decode_cursor(query["cursor"], [str])
    found = deps().queries.inventory(
        size=query["size"],
        low_stock=query["low_stock"],
        after=cursor[0] if cursor else None,
        with_total=query["total"],
    )
    following = encode_cursor([found.next]) if found.next else None
    return json_response(
        page([presenters.stock(row) for row in found.items], following, found.total)
    )


@blp.get("/<sku>")
@requires("inventory:read")
@blp.response(200, StockSchema)
def show_stock(sku: str) -> Response:
    """The stock of one SKU; send its ETag back when you change the threshold"""
    return _tagged(sku)


@blp.patch("/<sku>")
@requires("inventory:write")
@changes_what_was_seen
@blp.arguments(ThresholdSchema)
@blp.response(200, StockSchema)
def set_threshold(body: dict[str, Any], sku: str) -> Response:
    """Set from when on the stock counts as low (If-Match)"""
    commands.set_threshold(
        sku, body["low_stock_threshold"], precondition=if_match, uow=deps().unit_of_work()
    )
    return _tagged(sku)


@blp.get("/<sku>/movements")
@requires("inventory:read")
@blp.arguments(PageQuery, location="query")
@blp.response(200, MovementPageSchema)
def list_movements(query: dict[str, Any], sku: str) -> Response:
    """Why there are so many: every movement, newest first"""
    cursor = decode_cursor(query["cursor"], [int])
    found = deps().queries.movements(
        sku,
        size=query["size"],
        after=cursor[0] if cursor else None,
        with_total=query["total"],
    )
    following = encode_cursor([found.next]) if found.next else None
    items = [presenters.movement(row) for row in found.items]
    return json_response(page(items, following, found.total))


@blp.post("/<sku>/adjustments")
@requires("inventory:write")
@blp.arguments(AdjustmentSchema)
@blp.arguments(RequestKeySchema, location="headers")
@blp.response(201, StockSchema)
def adjust_stock(body: dict[str, Any], headers: dict[str, Any], sku: str) -> Response:
    """Write what came in, went missing or was counted; the answer is the stock after it

    Units that are reserved for orders cannot be taken away. With an Idempotency-Key, sending it
    again changes nothing; the key belongs to the SKU and does not expire.
    """
    commands.adjust_stock(
        sku,
        body["delta"],
        body["reason"],
        note=body["note"],
        by=f"staff {caller().user_id}",
        key=headers["key"],
        uow=deps().unit_of_work(),
    )
    return _tagged(sku, 201)


def _tagged(sku: str, status: int = 200) -> Response:
    row = deps().queries.stock(sku)
    return set_etag(json_response(presenters.stock(row), status), row["version"])
