"""Placing and following orders."""

from typing import Any
from uuid import UUID

from flask import Response

from oja_web.auth import caller, requires, signed_in
from oja_web.blueprint import Blueprint
from oja_web.idempotency import answer_once, idempotent
from oja_web.pagination import decode_cursor, encode_cursor, page
from oja_web.strict_json import json_response
from oja_web.throttling import limited
from ordering.domain.values import Address, Contact, Money
from ordering.entrypoints.http import presenters
from ordering.entrypoints.http.dependencies import deps
from ordering.entrypoints.http.moves import move
from ordering.entrypoints.http.schemas import (
    CheckoutSchema,
    MoveSchema,
    OrderPageSchema,
    OrderQuery,
    OrderSchema,
    TimelineSchema,
)
from ordering.use_cases import commands
from ordering.use_cases.ports import UnitOfWork

blp = Blueprint("orders", __name__, url_prefix="/api", description="Placing and following orders")


@blp.post("/checkout")
@signed_in
@limited("checkout")
@idempotent
@blp.arguments(CheckoutSchema)
@blp.response(201, OrderSchema)
def checkout(body: dict[str, Any]) -> Response:
    """Order what is in your cart

    Send an Idempotency-Key: repeated with the same key, the call answers with the same order. The
    stock is reserved a moment later; pay before `pay_before`.

    409 says what is in the way: `cart_empty`, `out_of_stock`, `price_changed`, `mixed_currencies`,
    or `nothing_to_pay` when all of it is free.
    """
    expected = body["expected_total"]

    def work(uow: UnitOfWork) -> Response:
        order = commands.place_order(
            caller().user_id,
            contact=Contact(caller().email, caller().name),
            shipping_address=body["address_id"] or Address(**body["shipping_address"]),
            note=body["note"],
            expected_total=Money(**expected) if expected else None,
            payment_window=deps().settings.payment_window,
            uow=uow,
        )
        location = {"Location": f"/api/orders/{order.id}"}
        return json_response(presenters.order(order), 201, location)

    return answer_once(deps().unit_of_work(), work)


@blp.get("/orders")
@signed_in
@blp.arguments(OrderQuery, location="query")
@blp.response(200, OrderPageSchema)
def list_orders(query: dict[str, Any]) -> Response:
    """Your orders, newest first"""
    return page_of_orders(query, caller().user_id)


@blp.get("/orders/<uuid:order_id>")
@signed_in
@blp.response(200, OrderSchema)
def show_order(order_id: UUID) -> Response:
    """One of your orders"""
    order = deps().queries.order(order_id, customer_id=caller().user_id)
    return json_response(presenters.order(order))


@blp.get("/orders/<uuid:order_id>/timeline")
@signed_in
@blp.response(200, TimelineSchema)
def show_timeline(order_id: UUID) -> Response:
    """What happened to one of your orders, oldest first"""
    deps().queries.order(order_id, customer_id=caller().user_id)
    history = deps().queries.history(order_id)
    return json_response(presenters.timeline(history))


@blp.post("/orders/<uuid:order_id>/cancel")
@signed_in
@blp.response(200, OrderSchema)
def cancel_order(order_id: UUID) -> Response:
    """Cancel one of your orders

    While it is pending or processing. Stock and money come back shortly after.
    """
    order = commands.cancel_order(order_id, by=caller().user_id, uow=deps().unit_of_work())
    return json_response(presenters.order(order))


@blp.patch("/orders/<uuid:order_id>")
@requires("orders:write")
@blp.arguments(MoveSchema)
@blp.response(200, OrderSchema)
def move_order(body: dict[str, Any], order_id: UUID) -> Response:
    """For staff: ship, complete or cancel an order"""
    return json_response(presenters.order(move(order_id, body, lambda version: None)))


def page_of_orders(query: dict[str, Any], customer_id: UUID | None) -> Response:
    """One page of this customer's orders, or of everybody's."""
    cursor = decode_cursor(query["cursor"], [UUID])
    found = deps().queries.orders(
        size=query["size"],
        customer_id=customer_id,
        status=presenters.inner_statuses(query["status"]),
        after=cursor[0] if cursor else None,
        with_total=query["total"],
    )
    next_cursor = encode_cursor([found.next]) if found.next else None
    return json_response(
        page([presenters.order(order) for order in found.orders], next_cursor, found.total)
    )
