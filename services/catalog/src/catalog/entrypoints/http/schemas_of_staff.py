"""The shape of what only staff send and get: stock, imports, decisions about reviews."""

from typing import Any

from marshmallow import Schema, fields, post_load, validate

from catalog.domain.review import STAFF_STATUSES, ReviewStatus
from catalog.domain.stock import STAFF_REASONS, Reason
from catalog.entrypoints.http.schemas import PRODUCT_STATUS, REVIEW_STATUS, ProductQuery
from oja_web.fields import (
    AwareDateTime,
    Money,
    QueryBoolean,
    QueryInteger,
    QuerySchema,
    StrictBoolean,
    StrictInteger,
    StrictSchema,
    Text,
    UUIDString,
)
from oja_web.pagination import PageQuery, page_schema

MOST_UNITS = 10**9
_SKU = validate.Regexp(
    r"^[A-Za-z0-9][A-Za-z0-9._-]*$", error="Must be letters, digits, dots, hyphens, underscores."
)


class Tags(fields.List[str]):
    """Different words or short phrases, in the order in which they were given."""

    def __init__(self, **options: Any) -> None:
        super().__init__(Text(max=50), validate=validate.Length(max=20), **options)

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> list[Any]:
        return list(dict.fromkeys(super()._deserialize(value, *args, **kwargs)))


class VariantWriteSchema(StrictSchema):
    """`initial_stock` counts only for a variant that is new; later, write adjustments."""

    sku = Text(max=64, required=True, validate=_SKU)
    options = fields.Dict(
        keys=Text(max=50), values=Text(max=100), load_default=dict, validate=validate.Length(max=5)
    )
    price = Money(required=True)
    compare_at_price = Money(load_default=None, allow_none=True)
    initial_stock = StrictInteger(min=0, max=MOST_UNITS, load_default=0)
    low_stock_threshold = StrictInteger(min=0, max=MOST_UNITS, load_default=None, allow_none=True)


def _variants(**options: Any) -> fields.List[Any]:
    return fields.List(
        fields.Nested(VariantWriteSchema), validate=validate.Length(min=1, max=100), **options
    )


class ProductPatchSchema(StrictSchema):
    """What is left out stays as it is; `variants` replaces all of them."""

    name = Text(max=200)
    description = Text(min=0, max=20_000, multiline=True)
    category = Text(max=100, allow_none=True)
    tags = Tags()
    featured = StrictBoolean()
    status = fields.String(validate=PRODUCT_STATUS)
    variants = _variants()


class ProductWriteSchema(StrictSchema):
    """Without `status` a new product is a draft, and a present one stays what it is."""

    name = Text(max=200, required=True)
    description = Text(min=0, max=20_000, multiline=True, load_default="")
    category = Text(max=100, load_default=None, allow_none=True)
    tags = Tags(load_default=list)
    featured = StrictBoolean(load_default=False)
    status = fields.String(validate=PRODUCT_STATUS)
    variants = _variants(required=True)


class CategoryPatchSchema(StrictSchema):
    """`parent` is the slug of another category, null for the top."""

    name = Text(max=100)
    parent = Text(max=100, allow_none=True)
    position = StrictInteger(min=0, max=MOST_UNITS)


class CategoryWriteSchema(StrictSchema):
    name = Text(max=100, required=True)
    parent = Text(max=100, load_default=None, allow_none=True)
    position = StrictInteger(min=0, max=MOST_UNITS, load_default=0)


class ModerationSchema(StrictSchema):
    status = fields.String(
        required=True,
        validate=validate.OneOf(
            sorted(status.value for status in STAFF_STATUSES),
            error="Must be published or hidden.",
        ),
    )

    @post_load
    def as_status(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {"status": ReviewStatus(data["status"])}


class ImageFileSchema(StrictSchema):
    file = fields.Raw(required=True, metadata={"type": "string", "format": "binary"})


class ImagePatchFileSchema(StrictSchema):
    file = fields.Raw(metadata={"type": "string", "format": "binary"})


class ImageFormSchema(StrictSchema):
    """`position` counts from 0; the others make room."""

    alt = Text(min=0, max=300)
    position = QueryInteger(min=0, max=MOST_UNITS)


class AdjustmentSchema(StrictSchema):
    delta = StrictInteger(
        min=-MOST_UNITS,
        max=MOST_UNITS,
        required=True,
        validate=validate.NoneOf([0], error="Must not be 0."),
        metadata={"not": {"const": 0}},
    )
    reason = fields.String(
        required=True,
        validate=validate.OneOf(
            sorted(reason.value for reason in STAFF_REASONS), error="Not for staff to write."
        ),
    )
    note = Text(max=500, multiline=True, load_default=None, allow_none=True)

    @post_load
    def as_reason(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {**data, "reason": Reason(data["reason"])}


class ThresholdSchema(StrictSchema):
    low_stock_threshold = StrictInteger(min=0, max=MOST_UNITS, required=True)


class StaffProductQuery(ProductQuery):
    status = fields.String(validate=PRODUCT_STATUS, load_default=None)


class InventoryQuery(PageQuery):
    low_stock = QueryBoolean(load_default=False)


class StaffReviewQuery(PageQuery):
    status = fields.String(validate=REVIEW_STATUS, load_default=None)


class RequestKeySchema(QuerySchema):
    key = fields.String(
        data_key="Idempotency-Key",
        load_default=None,
        validate=validate.Regexp(
            r"[!-~]{1,255}\Z", error="Must be 1 to 255 visible ASCII characters."
        ),
    )


class ImportQuery(QuerySchema):
    dry_run = QueryBoolean(load_default=False)


class CategorySchema(Schema):
    id = UUIDString()
    slug = fields.String()
    name = fields.String()
    parent = fields.String(allow_none=True)
    position = fields.Integer()


class CategoryListSchema(Schema):
    items = fields.List(fields.Nested(CategorySchema))


class ImportErrorSchema(Schema):
    """Line 1 is the header."""

    line = fields.Integer()
    column = fields.String()
    reason = fields.String()


class ImportChangeSchema(Schema):
    """`fields` are the columns that differ."""

    line = fields.Integer()
    sku = fields.String()
    action = fields.String(validate=validate.OneOf(["create", "update"]))
    fields_ = fields.List(fields.String(), data_key="fields")


class ImportSchema(Schema):
    """`lines` are those that are done; each is created, updated, unchanged or failed. `progress` is
    in percent. `errors` has the first thousand; `changes` likewise, and only for a dry run."""

    id = UUIDString()
    status = fields.String(validate=validate.OneOf(["queued", "running", "done", "failed"]))
    dry_run = fields.Boolean()
    progress = fields.Integer()
    lines = fields.Integer()
    created = fields.Integer()
    updated = fields.Integer()
    unchanged = fields.Integer()
    failed = fields.Integer()
    errors_ = fields.List(fields.Nested(ImportErrorSchema), data_key="errors")
    changes = fields.List(fields.Nested(ImportChangeSchema))
    created_at = AwareDateTime()
    started_at = AwareDateTime(allow_none=True)
    finished_at = AwareDateTime(allow_none=True)


class StockSchema(Schema):
    sku = fields.String()
    product_id = UUIDString()
    name = fields.String()
    on_hand = fields.Integer()
    reserved = fields.Integer()
    available = fields.Integer()
    low_stock_threshold = fields.Integer()


StockPageSchema = page_schema(StockSchema, "StockPage")


class MovementSchema(Schema):
    """`on_hand` is the number after the movement."""

    at = AwareDateTime()
    reason = fields.Enum(Reason, by_value=True)
    delta = fields.Integer()
    on_hand = fields.Integer()
    order_id = UUIDString(allow_none=True)
    note = fields.String(allow_none=True)
    by = fields.String()


MovementPageSchema = page_schema(MovementSchema, "MovementPage")
