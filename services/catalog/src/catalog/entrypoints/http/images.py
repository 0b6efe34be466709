"""Pictures of products, for staff."""

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import RAISE

from catalog.entrypoints.http import presenters
from catalog.entrypoints.http.dependencies import deps
from catalog.entrypoints.http.schemas import ImageSchema
from catalog.entrypoints.http.schemas_of_staff import (
    MOST_UNITS,
    ImageFileSchema,
    ImageFormSchema,
    ImagePatchFileSchema,
)
from catalog.entrypoints.http.uploads import form, takes_upload
from catalog.use_cases import images
from catalog.use_cases.images import ImageDraft, Studio
from oja_web.auth import requires
from oja_web.blueprint import Blueprint
from oja_web.etag import changes_what_was_seen, if_match, set_etag
from oja_web.fields import text_pattern
from oja_web.strict_json import json_response
from oja_web.throttling import limited

MAX_BYTES = 10 * 1024 * 1024

blp = Blueprint(
    "admin-images",
    __name__,
    url_prefix="/api/admin/products/<uuid:product_id>/images",
    description="Pictures of products for staff",
)


_PICTURE = {"file": {"type": "string", "format": "binary"}}
_WORDS = {
    "alt": {"type": "string", "maxLength": 300, "pattern": text_pattern(0)},
    "position": {"type": "integer", "minimum": 0, "maximum": MOST_UNITS},
}


@blp.post("")
@requires("products:write")
@limited("uploads")
@takes_upload({"multipart/form-data": form(_PICTURE | _WORDS, "file")}, max_bytes=MAX_BYTES)
@blp.arguments(ImageFileSchema, location="files", unknown=RAISE)
@blp.arguments(ImageFormSchema, location="form")
@blp.response(201, ImageSchema)
def add_image(files: dict[str, Any], form: dict[str, Any], product_id: UUID) -> Response:
    """Add a picture to a product: JPEG, PNG or WebP, up to 10 MiB and 25 million pixels

    It is written anew without metadata, and made smaller if it is larger than a screen. The ETag of
    the answer is the product's.
    """
    image_id = images.add_image(
        product_id, files["file"].stream, ImageDraft(**form), studio=_studio()
    )
    return _tagged(product_id, image_id, 201)


@blp.patch("/<uuid:image_id>")
@requires("products:write")
@limited("uploads")
@changes_what_was_seen
@takes_upload(
    {
        "multipart/form-data": form(_PICTURE | _WORDS),
        "application/x-www-form-urlencoded": form(_WORDS),
    },
    max_bytes=MAX_BYTES,
)
@blp.arguments(ImagePatchFileSchema, location="files", unknown=RAISE)
@blp.arguments(ImageFormSchema, location="form")
@blp.response(200, ImageSchema)
def change_image(
    files: dict[str, Any], form: dict[str, Any], product_id: UUID, image_id: UUID
) -> Response:
    """Describe, move or replace a picture of a product that you have seen (If-Match: the product's)

    The first picture stands for the product.
    """
    images.change_image(
        product_id,
        image_id,
        ImageDraft(**form),
        file=files["file"].stream if files else None,
        precondition=if_match,
        studio=_studio(),
    )
    return _tagged(product_id, image_id)


@blp.delete("/<uuid:image_id>")
@requires("products:write")
@changes_what_was_seen
@blp.response(204)
def remove_image(product_id: UUID, image_id: UUID) -> None:
    """Take a picture away from a product that you have seen (If-Match: the product's)"""
    images.remove_image(product_id, image_id, precondition=if_match, uow=deps().unit_of_work())


def _studio() -> Studio:
    return Studio(deps().pictures, deps().images, deps().unit_of_work)


def _tagged(product_id: UUID, image_id: UUID, status: int = 200) -> Response:
    row = deps().queries.product(product_id, public=False)
    shown = presenters.product(row)["images"]
    [image] = [each for each in shown if each["id"] == str(image_id)]
    return set_etag(json_response(image, status), row["version"])
