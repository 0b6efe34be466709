"""What customers say about products; one's own to change, all of them for staff to judge."""

from typing import Any
from uuid import UUID

from flask import Response

from catalog.domain.review import Opinion
from catalog.entrypoints.http import presenters
from catalog.entrypoints.http.dependencies import deps
from catalog.entrypoints.http.schemas import (
    ReviewPageSchema,
    ReviewPatchSchema,
    ReviewSchema,
    ReviewWriteSchema,
)
from catalog.entrypoints.http.schemas_of_staff import ModerationSchema, StaffReviewQuery
from catalog.entrypoints.http.tagged import tagged
from catalog.use_cases import reviews
from catalog.use_cases.queries import Page
from catalog.use_cases.reviews import OpinionDraft
from oja_web.auth import caller, public, requires, signed_in
from oja_web.blueprint import Blueprint
from oja_web.etag import changes_what_was_seen, if_match, set_etag
from oja_web.pagination import PageQuery, decode_cursor, encode_cursor, page
from oja_web.strict_json import json_response
from oja_web.throttling import limited

blp = Blueprint(
    "reviews",
    __name__,
    url_prefix="/api/products/<uuid:product_id>/reviews",
    description="What customers say",
)
staff_blp = Blueprint(
    "admin-reviews", __name__, url_prefix="/api/admin/reviews", description="Reviews for staff"
)


@blp.get("")
@public
@limited("browsing")
@blp.arguments(PageQuery, location="query")
@blp.response(200, ReviewPageSchema)
def list_reviews(query: dict[str, Any], product_id: UUID) -> Response:
    """What customers say about a product, newest first"""
    cursor = decode_cursor(query["cursor"], [UUID])
    found = deps().reviews.of_product(
        product_id,
        size=query["size"],
        after=cursor[0] if cursor else None,
        with_total=query["total"],
    )
    return tagged(_page(found))


@blp.post("")
@signed_in
@limited("reviews")
@blp.arguments(ReviewWriteSchema)
@blp.response(201, ReviewSchema)
def post_review(body: dict[str, Any], product_id: UUID) -> Response:
    """Say what you think of a product: once, later you can change it

    Title and body are plain text. It is visible at once unless the shop reads reviews first; then
    it is `pending`.
    """
    review_id = reviews.post_review(
        product_id,
        Opinion(**body),
        customer_id=caller().user_id,
        name=caller().name,
        moderated=deps().settings.reviews_moderated,
        uow=deps().unit_of_work(),
    )
    return _shown(review_id, 201)


@blp.patch("/<uuid:review_id>")
@signed_in
@limited("reviews")
@blp.arguments(ReviewPatchSchema)
@blp.response(200, ReviewSchema)
def change_review(body: OpinionDraft, product_id: UUID, review_id: UUID) -> Response:
    """Change your own review"""
    reviews.change_review(
        product_id,
        review_id,
        body,
        customer_id=caller().user_id,
        moderated=deps().settings.reviews_moderated,
        uow=deps().unit_of_work(),
    )
    return _shown(review_id)


@blp.delete("/<uuid:review_id>")
@signed_in
@limited("reviews")
@blp.response(204)
def withdraw_review(product_id: UUID, review_id: UUID) -> None:
    """Take your own review back"""
    reviews.withdraw_review(
        product_id, review_id, customer_id=caller().user_id, uow=deps().unit_of_work()
    )


@staff_blp.get("")
@requires("reviews:write")
@staff_blp.arguments(StaffReviewQuery, location="query")
@staff_blp.response(200, ReviewPageSchema)
def list_all_reviews(query: dict[str, Any]) -> Response:
    """All reviews, newest first; `status=pending`: those that wait for you"""
    cursor = decode_cursor(query["cursor"], [UUID])
    found = deps().reviews.all(
        status=query["status"],
        size=query["size"],
        after=cursor[0] if cursor else None,
        with_total=query["total"],
    )
    return json_response(_page(found))


@staff_blp.get("/<uuid:review_id>")
@requires("reviews:write")
@staff_blp.response(200, ReviewSchema)
def show_review(review_id: UUID) -> Response:
    """A review; send its ETag back when you decide about it"""
    return _shown(review_id)


@staff_blp.patch("/<uuid:review_id>")
@requires("reviews:write")
@changes_what_was_seen
@staff_blp.arguments(ModerationSchema)
@staff_blp.response(200, ReviewSchema)
def moderate_review(body: dict[str, Any], review_id: UUID) -> Response:
    """Show a review that you have seen, or hide it from everybody (If-Match)"""
    reviews.moderate_review(
        review_id, body["status"], precondition=if_match, uow=deps().unit_of_work()
    )
    return _shown(review_id)


def _page(found: Page) -> dict[str, Any]:
    following = encode_cursor([found.next]) if found.next else None
    return page([presenters.review(row) for row in found.items], following, found.total)


def _shown(review_id: UUID, status: int = 200) -> Response:
    row = deps().reviews.one(review_id)
    return set_etag(json_response(presenters.review(row), status), row["version"])
