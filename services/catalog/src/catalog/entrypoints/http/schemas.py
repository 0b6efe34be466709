"""The shape of what everybody sends and gets."""

from marshmallow import Schema, fields, validate

from catalog.domain.product import ProductStatus
from catalog.domain.review import ReviewStatus
from catalog.use_cases.queries import Sort
from oja_web.fields import (
    AwareDateTime,
    Money,
    QueryBoolean,
    QueryInteger,
    StrictInteger,
    StrictSchema,
    Text,
    UUIDString,
)
from oja_web.pagination import PageQuery, page_schema

PRODUCT_STATUS = validate.OneOf([status.value for status in ProductStatus])
REVIEW_STATUS = validate.OneOf([status.value for status in ReviewStatus])


class ReviewWriteSchema(StrictSchema):
    """Title and body are plain text: nothing in them is ever rendered."""

    rating = StrictInteger(min=1, max=5, required=True)
    title = Text(min=0, max=120, load_default="")
    body = Text(min=0, max=5_000, multiline=True, load_default="")


class ReviewPatchSchema(StrictSchema):
    rating = StrictInteger(min=1, max=5)
    title = Text(min=0, max=120)
    body = Text(min=0, max=5_000, multiline=True)


class ProductQuery(PageQuery):
    q = Text(min=0, max=200, load_default=None)
    category = fields.String(load_default=None, validate=validate.Length(max=100))
    tag = fields.List(
        fields.String(validate=validate.Length(max=50)),
        load_default=list,
        validate=validate.Length(max=20),
    )
    min_price = QueryInteger(min=0, load_default=None)
    max_price = QueryInteger(min=0, load_default=None)
    min_rating = QueryInteger(min=1, max=5, load_default=None)
    featured = QueryBoolean(load_default=None)
    in_stock = QueryBoolean(load_default=None)
    sort = fields.Enum(Sort, by_value=True, load_default=None)
    facets = QueryBoolean(load_default=False)


class CategoryRefSchema(Schema):
    id = UUIDString()
    slug = fields.String()
    name = fields.String()


class RatingSchema(Schema):
    average = fields.Float()
    count = fields.Integer()


class ImageSchema(Schema):
    id = UUIDString()
    url = fields.String()
    thumbnail_url = fields.String()
    alt = fields.String()
    position = fields.Integer()


class VariantSchema(Schema):
    sku = fields.String()
    options = fields.Dict(keys=fields.String(), values=fields.String())
    price = Money()
    compare_at_price = Money()
    in_stock = fields.Boolean()
    available = fields.Integer()


class ProductListItemSchema(Schema):
    """`sku` is there when the product has only one. `price` is that of the cheapest variant."""

    id = UUIDString()
    slug = fields.String()
    name = fields.String()
    sku = fields.String()
    category = fields.Nested(CategoryRefSchema, allow_none=True)
    tags = fields.List(fields.String())
    featured = fields.Boolean()
    price = Money()
    rating = fields.Nested(RatingSchema)
    in_stock = fields.Boolean()
    images = fields.List(fields.Nested(ImageSchema))
    status = fields.String(validate=PRODUCT_STATUS)
    created_at = AwareDateTime()
    updated_at = AwareDateTime()


class ProductSchema(Schema):
    id = UUIDString()
    slug = fields.String()
    name = fields.String()
    description = fields.String()
    category = fields.Nested(CategoryRefSchema, allow_none=True)
    tags = fields.List(fields.String())
    featured = fields.Boolean()
    price = Money()
    rating = fields.Nested(RatingSchema)
    in_stock = fields.Boolean()
    images = fields.List(fields.Nested(ImageSchema))
    variants = fields.List(fields.Nested(VariantSchema))
    status = fields.String(validate=PRODUCT_STATUS)
    created_at = AwareDateTime()
    updated_at = AwareDateTime()


class CategoryCountSchema(Schema):
    """`count` includes what is in the categories inside."""

    slug = fields.String()
    name = fields.String()
    count = fields.Integer()


class PriceRangeSchema(Schema):
    """Minor units, both included: what `min_price` and `max_price` take."""

    min = fields.Integer()
    max = fields.Integer()


class PriceBandSchema(PriceRangeSchema):
    count = fields.Integer()


class FacetsSchema(Schema):
    """Only what has products in it."""

    categories = fields.List(fields.Nested(CategoryCountSchema))
    tags = fields.List(fields.Nested(lambda: TagSchema()))
    prices = fields.List(fields.Nested(PriceBandSchema))
    price_range = fields.Nested(PriceRangeSchema, allow_none=True)


class ProductPageSchema(page_schema(ProductListItemSchema, "ProductPage")):  # type: ignore[misc]
    """`suggestion` is there when nothing matched `q` as it was typed: what was searched instead."""

    suggestion = fields.String()
    facets = fields.Nested(FacetsSchema)


class CategoryBranchSchema(Schema):
    id = UUIDString()
    slug = fields.String()
    name = fields.String()
    children = fields.List(fields.Nested(lambda: CategoryBranchSchema()))


class CategoryTreeSchema(Schema):
    items = fields.List(fields.Nested(CategoryBranchSchema))


class TagSchema(Schema):
    name = fields.String()
    count = fields.Integer()


class TagListSchema(Schema):
    items = fields.List(fields.Nested(TagSchema))


class ReviewSchema(Schema):
    """`author` is what the public sees of the customer's name."""

    id = UUIDString()
    product_id = UUIDString()
    rating = fields.Integer()
    title = fields.String()
    body = fields.String()
    author = fields.String()
    verified_purchase = fields.Boolean()
    status = fields.String(validate=REVIEW_STATUS)
    created_at = AwareDateTime()
    updated_at = AwareDateTime()


ReviewPageSchema = page_schema(ReviewSchema, "ReviewPage")
