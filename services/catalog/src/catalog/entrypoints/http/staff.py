"""Products for staff: drafts and archived ones as well, with ETags."""

from typing import Any
from uuid import UUID

from flask import Response

from catalog.entrypoints.http import presenters
from catalog.entrypoints.http.dependencies import deps
from catalog.entrypoints.http.drafts import product_draft
from catalog.entrypoints.http.products import page_of_products
from catalog.entrypoints.http.schemas import ProductPageSchema, ProductSchema
from catalog.entrypoints.http.schemas_of_staff import (
    ProductPatchSchema,
    ProductWriteSchema,
    StaffProductQuery,
)
from catalog.use_cases import commands
from oja_web.auth import caller, requires
from oja_web.blueprint import Blueprint
from oja_web.etag import changes_what_was_seen, if_match, set_etag
from oja_web.strict_json import json_response

blp = Blueprint(
    "admin-products", __name__, url_prefix="/api/admin/products", description="Products for staff"
)


@blp.get("")
@requires("products:read")
@blp.arguments(StaffProductQuery, location="query")
@blp.response(200, ProductPageSchema)
def list_all_products(query: dict[str, Any]) -> Response:
    """All products, of any status unless you name one"""
    return json_response(page_of_products(query, query["status"]))


@blp.post("")
@requires("products:write")
@blp.arguments(ProductWriteSchema)
@blp.response(201, ProductSchema)
def create_product(body: dict[str, Any]) -> Response:
    """Add a product

    It is a draft unless `status` says otherwise. Several variants need options that differ.
    """
    product_id = commands.create_product(
        product_draft(body), by=_staff(), currency=_currency(), uow=deps().unit_of_work()
    )
    return _tagged(product_id, 201, {"Location": f"/api/admin/products/{product_id}"})


@blp.get("/<uuid:product_id>")
@requires("products:read")
@blp.response(200, ProductSchema)
def show_any_product(product_id: UUID) -> Response:
    """Any product; send its ETag back when you change it"""
    return _tagged(product_id)


@blp.put("/<uuid:product_id>")
@requires("products:write")
@changes_what_was_seen
@blp.arguments(ProductWriteSchema)
@blp.response(200, ProductSchema)
def replace_product(body: dict[str, Any], product_id: UUID) -> Response:
    """Replace what is written about a product that you have seen (If-Match)

    A variant that is left out is no longer offered. Stock stays as it is, and so does `status`
    unless you name it.
    """
    return _change(product_id, body)


@blp.patch("/<uuid:product_id>")
@requires("products:write")
@changes_what_was_seen
@blp.arguments(ProductPatchSchema)
@blp.response(200, ProductSchema)
def change_product(body: dict[str, Any], product_id: UUID) -> Response:
    """Change some of what is written about a product that you have seen (If-Match)"""
    return _change(product_id, body)


@blp.delete("/<uuid:product_id>")
@requires("products:write")
@changes_what_was_seen
@blp.response(204)
def archive_product(product_id: UUID) -> None:
    """Take a product that you have seen out of the shop (If-Match)

    It stays as `archived`, so that orders and carts can still name it.
    """
    commands.archive_product(product_id, precondition=if_match, uow=deps().unit_of_work())


def _change(product_id: UUID, body: dict[str, Any]) -> Response:
    commands.change_product(
        product_id,
        product_draft(body),
        by=_staff(),
        currency=_currency(),
        precondition=if_match,
        uow=deps().unit_of_work(),
    )
    return _tagged(product_id)


def _tagged(product_id: UUID, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """The tag names what staff edit: units that customers buy meanwhile do not make it stale."""
    row = deps().queries.product(product_id, public=False)
    return set_etag(json_response(presenters.product(row), status, headers), row["version"])


def _staff() -> str:
    return f"staff {caller().user_id}"


def _currency() -> str:
    return deps().settings.currency
