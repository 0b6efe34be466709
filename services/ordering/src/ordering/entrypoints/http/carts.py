"""The signed-in customer's cart."""

from typing import Any

from flask import Response

from oja_web.auth import caller, signed_in
from oja_web.blueprint import Blueprint
from oja_web.strict_json import json_response
from ordering.entrypoints.http import presenters
from ordering.entrypoints.http.dependencies import deps
from ordering.entrypoints.http.schemas import CartSchema, ItemSchema, QuantitySchema
from ordering.use_cases import commands

blp = Blueprint("cart", __name__, url_prefix="/api/cart", description="What a customer wants")


@blp.get("")
@signed_in
@blp.response(200, CartSchema)
def show_cart() -> Response:
    """Your cart, at today's prices"""
    return json_response(presenters.cart(deps().queries.cart(caller().user_id)))


@blp.delete("")
@signed_in
@blp.response(204)
def clear_cart() -> None:
    """Empty your cart"""
    commands.clear_cart(caller().user_id, uow=deps().unit_of_work())


@blp.post("/items")
@signed_in
@blp.arguments(ItemSchema)
@blp.response(200, CartSchema)
def add_item(body: dict[str, Any]) -> Response:
    """Add to what is in your cart"""
    view = commands.add_to_cart(
        caller().user_id, body["sku"], body["quantity"], uow=deps().unit_of_work()
    )
    return json_response(presenters.cart(view))


@blp.patch("/items/<sku>")
@signed_in
@blp.arguments(QuantitySchema)
@blp.response(200, CartSchema)
def set_quantity(body: dict[str, Any], sku: str) -> Response:
    """Set how many of an item you want"""
    view = commands.set_quantity(caller().user_id, sku, body["quantity"], uow=deps().unit_of_work())
    return json_response(presenters.cart(view))


@blp.delete("/items/<sku>")
@signed_in
@blp.response(200, CartSchema)
def remove_item(sku: str) -> Response:
    """Take an item out of your cart"""
    view = commands.remove_from_cart(caller().user_id, sku, uow=deps().unit_of_work())
    return json_response(presenters.cart(view))
