"""The tree of categories, for everybody and for staff."""

from typing import Any
from uuid import UUID

from flask import Response

from catalog.entrypoints.http import presenters
from catalog.entrypoints.http.dependencies import deps
from catalog.entrypoints.http.schemas import CategoryTreeSchema
from catalog.entrypoints.http.schemas_of_staff import (
    CategoryListSchema,
    CategoryPatchSchema,
    CategorySchema,
    CategoryWriteSchema,
)
from catalog.entrypoints.http.tagged import tagged
from catalog.use_cases import commands
from catalog.use_cases.commands import CategoryDraft
from catalog.use_cases.errors import CategoryNotFound
from oja_web.auth import public, requires
from oja_web.blueprint import Blueprint
from oja_web.etag import changes_what_was_seen, if_match, set_etag
from oja_web.strict_json import json_response
from oja_web.throttling import limited

blp = Blueprint("categories", __name__, url_prefix="/api/categories", description="The shelves")
staff_blp = Blueprint(
    "admin-categories",
    __name__,
    url_prefix="/api/admin/categories",
    description="Categories for staff",
)


@blp.get("")
@public
@limited("browsing")
@blp.response(200, CategoryTreeSchema)
def show_tree() -> Response:
    """All categories, each with those inside of it"""
    return tagged(presenters.tree(deps().queries.categories()))


@staff_blp.get("")
@requires("products:read")
@staff_blp.response(200, CategoryListSchema)
def list_categories() -> Response:
    """All categories, each naming its parent"""
    return json_response({"items": presenters.categories(deps().queries.categories())})


@staff_blp.post("")
@requires("products:write")
@staff_blp.arguments(CategoryWriteSchema)
@staff_blp.response(201, CategorySchema)
def create_category(body: CategoryDraft) -> Response:
    """Add a category; they are inside each other in at most 10 levels"""
    category_id = commands.create_category(body, uow=deps().unit_of_work())
    return _tagged(category_id, 201, {"Location": f"/api/admin/categories/{category_id}"})


@staff_blp.get("/<uuid:category_id>")
@requires("products:read")
@staff_blp.response(200, CategorySchema)
def show_category(category_id: UUID) -> Response:
    """A category; send its ETag back when you change it"""
    return _tagged(category_id)


@staff_blp.patch("/<uuid:category_id>")
@requires("products:write")
@changes_what_was_seen
@staff_blp.arguments(CategoryPatchSchema)
@staff_blp.response(200, CategorySchema)
def change_category(body: CategoryDraft, category_id: UUID) -> Response:
    """Rename, order or move a category that you have seen, with all that is inside (If-Match)

    Its slug stays. Searches find what is in it by a new name some seconds later.
    """
    commands.change_category(category_id, body, precondition=if_match, uow=deps().unit_of_work())
    return _tagged(category_id)


@staff_blp.delete("/<uuid:category_id>")
@requires("products:write")
@changes_what_was_seen
@staff_blp.response(204)
def remove_category(category_id: UUID) -> None:
    """Remove a category that you have seen and that nothing is in (If-Match)

    409 `category_in_use` while products, archived ones too, or other categories are in it.
    """
    commands.remove_category(category_id, precondition=if_match, uow=deps().unit_of_work())


def _tagged(category_id: UUID, status: int = 200, headers: Any = None) -> Response:
    rows = deps().queries.categories()
    for row, shown in zip(rows, presenters.categories(rows), strict=True):
        if row["id"] == category_id:
            return set_etag(json_response(shown, status, headers), row["version"])
    raise CategoryNotFound(category_id)
