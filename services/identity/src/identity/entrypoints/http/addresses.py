"""The signed-in customer's addresses."""

from typing import Any
from uuid import UUID

from flask import Response

from identity.domain.values import PostalAddress
from identity.entrypoints.http import presenters
from identity.entrypoints.http.dependencies import deps
from identity.entrypoints.http.schemas import AddressInputSchema, AddressPageSchema, AddressSchema
from identity.use_cases.commands import address_books
from oja_web.auth import caller, signed_in
from oja_web.blueprint import Blueprint
from oja_web.pagination import page
from oja_web.strict_json import json_response

blp = Blueprint(
    "addresses", __name__, url_prefix="/api/auth/me/addresses", description="Your addresses"
)


@blp.get("")
@signed_in
@blp.response(200, AddressPageSchema)
def list_addresses() -> Response:
    """Your addresses, in the order in which you added them"""
    book = deps().queries.address_book(caller().user_id)
    return json_response(page(presenters.addresses(book), None))


@blp.post("")
@signed_in
@blp.arguments(AddressInputSchema)
@blp.response(201, AddressSchema)
@blp.alt_response(409, "CONFLICT")
def add_address(body: dict[str, Any]) -> Response:
    """Add an address; the first one becomes your default"""
    as_default = body.pop("is_default")
    address_id, book = address_books.add_address(
        caller().user_id, PostalAddress(**body), as_default=as_default, uow=deps().unit_of_work()
    )
    location = {"Location": f"/api/auth/me/addresses/{address_id}"}
    return json_response(presenters.address(book, address_id), 201, location)


@blp.get("/<uuid:address_id>")
@signed_in
@blp.response(200, AddressSchema)
@blp.alt_response(404, "NOT_FOUND")
def show_address(address_id: UUID) -> Response:
    """One of your addresses"""
    book = deps().queries.address_book(caller().user_id)
    return json_response(presenters.address(book, address_id))


@blp.put("/<uuid:address_id>")
@signed_in
@blp.arguments(AddressInputSchema)
@blp.response(200, AddressSchema)
@blp.alt_response(404, "NOT_FOUND")
def replace_address(body: dict[str, Any], address_id: UUID) -> Response:
    """Write one of your addresses anew"""
    as_default = body.pop("is_default")
    book = address_books.replace_address(
        caller().user_id,
        address_id,
        PostalAddress(**body),
        as_default=as_default,
        uow=deps().unit_of_work(),
    )
    return json_response(presenters.address(book, address_id))


@blp.patch("/<uuid:address_id>")
@signed_in
@blp.arguments(AddressInputSchema(partial=True))
@blp.response(200, AddressSchema)
@blp.alt_response(404, "NOT_FOUND")
def change_address(body: dict[str, Any], address_id: UUID) -> Response:
    """Change one of your addresses, or make it your default"""
    as_default = body.pop("is_default", False)
    book = address_books.change_address(
        caller().user_id, address_id, body, as_default=as_default, uow=deps().unit_of_work()
    )
    return json_response(presenters.address(book, address_id))


@blp.delete("/<uuid:address_id>")
@signed_in
@blp.response(204)
@blp.alt_response(404, "NOT_FOUND")
def remove_address(address_id: UUID) -> None:
    """Remove one of your addresses"""
    address_books.remove_address(caller().user_id, address_id, uow=deps().unit_of_work())
