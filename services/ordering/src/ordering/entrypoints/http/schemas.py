"""The shape of requests and answers."""

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from oja_web.fields import (
    AwareDateTime,
    Country,
    Money,
    Quantity,
    StrictSchema,
    Text,
    UUIDString,
)
from oja_web.pagination import PageQuery, page_schema
from ordering.entrypoints.http.presenters import STATUSES


class ItemSchema(StrictSchema):
    sku = Text(max=64, required=True)
    quantity = Quantity(required=True)


class QuantitySchema(StrictSchema):
    quantity = Quantity(required=True)


class AddressSchema(StrictSchema):
    full_name = Text(max=200, required=True)
    phone = Text(max=32, required=True)
    line1 = Text(max=200, required=True)
    line2 = Text(max=200, load_default=None, allow_none=True)
    city = Text(max=100, required=True)
    state = Text(max=100, required=True)
    postal_code = Text(max=20, load_default=None, allow_none=True)
    country = Country(required=True)


class CheckoutSchema(StrictSchema):
    """Where to: an address, or the id of one that the account keeps."""

    shipping_address = fields.Nested(AddressSchema, load_default=None)
    address_id = UUIDString(load_default=None)
    note = Text(max=1000, multiline=True, load_default=None, allow_none=True)
    expected_total = Money(load_default=None, allow_none=True)

    @validates_schema
    def names_one_address(self, data: dict[str, object], **_: object) -> None:
        if (data["shipping_address"] is None) is (data["address_id"] is None):
            raise ValidationError(
                {"shipping_address": ["Send either this or `address_id`, and not both."]}
            )


class TrackingSchema(StrictSchema):
    carrier = Text(max=100, required=True)
    number = Text(max=100, required=True)
    url = fields.URL(
        schemes={"http", "https"},
        load_default=None,
        allow_none=True,
        metadata={"format": "uri"},
    )


class MoveSchema(StrictSchema):
    """Where staff want an order to be."""

    status = fields.String(
        required=True, validate=validate.OneOf(["shipped", "completed", "cancelled"])
    )
    tracking = fields.Nested(TrackingSchema, load_default=None, allow_none=True)
    reason = Text(max=500, load_default=None, allow_none=True)

    @validates_schema
    def fits(self, data: dict[str, object], **_: object) -> None:
        if data["status"] == "cancelled" and not data["reason"]:
            raise ValidationError({"reason": ["Say why the order is cancelled."]})
        if data["status"] != "shipped" and data["tracking"]:
            raise ValidationError({"tracking": ["Only a shipped order has tracking."]})


class OrderQuery(PageQuery):
    status = fields.String(validate=validate.OneOf(sorted(STATUSES)), load_default=None)


class CartLineSchema(Schema):
    sku = fields.String()
    product_id = UUIDString(allow_none=True)
    name = fields.String(allow_none=True)
    image_url = fields.String(allow_none=True)
    options = fields.Dict(keys=fields.String(), values=fields.String())
    quantity = fields.Integer()
    unit_price = Money()
    line_total = Money()
    available = fields.Integer()
    problems = fields.List(fields.String())


class CartSchema(Schema):
    items = fields.List(fields.Nested(CartLineSchema))
    item_count = fields.Integer()
    subtotal = Money()
    problems = fields.List(fields.String())


class OrderLineSchema(Schema):
    sku = fields.String()
    product_id = UUIDString()
    name = fields.String()
    options = fields.Dict(keys=fields.String(), values=fields.String())
    quantity = fields.Integer()
    unit_price = Money()
    line_total = Money()


class OrderSchema(Schema):
    id = UUIDString()
    number = fields.String()
    status = fields.String(validate=validate.OneOf(sorted(STATUSES)))
    payment_status = fields.String(
        validate=validate.OneOf(["unpaid", "paid", "refund_pending", "refunded"])
    )
    items = fields.List(fields.Nested(OrderLineSchema))
    subtotal = Money()
    shipping_total = Money()
    total = Money()
    shipping_address = fields.Nested(AddressSchema)
    note = fields.String(allow_none=True)
    tracking = fields.Nested(TrackingSchema, allow_none=True)
    cancel_reason = fields.String(allow_none=True)
    pay_before = AwareDateTime()
    placed_at = AwareDateTime()
    paid_at = AwareDateTime(allow_none=True)
    shipped_at = AwareDateTime(allow_none=True)
    completed_at = AwareDateTime(allow_none=True)
    cancelled_at = AwareDateTime(allow_none=True)


OrderPageSchema = page_schema(OrderSchema, "OrderPage")


class TimelineEntrySchema(Schema):
    at = AwareDateTime()
    type = fields.String()
    title = fields.String()
    detail = fields.String(allow_none=True)


class TimelineSchema(Schema):
    items = fields.List(fields.Nested(TimelineEntrySchema))


class StaffTimelineEntrySchema(TimelineEntrySchema):
    cause = UUIDString(allow_none=True)


class ToldEventSchema(Schema):
    id = UUIDString()
    type = fields.String()
    at = AwareDateTime()
    cause = fields.String(allow_none=True)
    correlation_id = fields.String()


class StaffTimelineSchema(Schema):
    items = fields.List(fields.Nested(StaffTimelineEntrySchema))
    events = fields.List(fields.Nested(ToldEventSchema))
