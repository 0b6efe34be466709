"""Orders for staff: everybody's, with ETags."""

from typing import Any
from uuid import UUID

from flask import Response

from oja_web.auth import requires
from oja_web.blueprint import Blueprint
from oja_web.etag import changes_what_was_seen, if_match, set_etag
from oja_web.strict_json import json_response
from ordering.domain.order import Order
from ordering.entrypoints.http import presenters
from ordering.entrypoints.http.dependencies import deps
from ordering.entrypoints.http.moves import move
from ordering.entrypoints.http.orders import page_of_orders
from ordering.entrypoints.http.schemas import (
    MoveSchema,
    OrderPageSchema,
    OrderQuery,
    OrderSchema,
    StaffTimelineSchema,
)

blp = Blueprint(
    "admin-orders", __name__, url_prefix="/api/admin/orders", description="Orders for staff"
)


@blp.get("")
@requires("orders:read")
@blp.arguments(OrderQuery, location="query")
@blp.response(200, OrderPageSchema)
def list_all_orders(query: dict[str, Any]) -> Response:
    """Everybody's orders, newest first"""
    return page_of_orders(query, None)


@blp.get("/<uuid:order_id>")
@requires("orders:read")
@blp.response(200, OrderSchema)
def show_any_order(order_id: UUID) -> Response:
    """Any order; send its ETag back when you change it"""
    return _tagged(deps().queries.order(order_id))


@blp.get("/<uuid:order_id>/timeline")
@requires("orders:read")
@blp.response(200, StaffTimelineSchema)
def show_any_timeline(order_id: UUID) -> Response:
    """What happened to an order, through whom and why

    `cause` is the id of the event that led to it, null if somebody asked for it. `events` is what
    was told of the order; the mails that followed are at `/api/admin/notifications?order_id=`.
    """
    queries = deps().queries
    queries.order(order_id)
    shown = presenters.staff_timeline(queries.history(order_id), queries.told(order_id))
    return json_response(shown)


@blp.patch("/<uuid:order_id>")
@requires("orders:write")
@changes_what_was_seen
@blp.arguments(MoveSchema)
@blp.response(200, OrderSchema)
def move_any_order(body: dict[str, Any], order_id: UUID) -> Response:
    """Ship, complete or cancel an order that you have seen (If-Match)"""
    return _tagged(move(order_id, body, if_match))


def _tagged(order: Order) -> Response:
    return set_etag(json_response(presenters.order(order)), order.version)
