"""The shape of requests and answers."""

from marshmallow import Schema, ValidationError, fields, validate

from oja_web.fields import AwareDateTime, Money, StrictSchema, Text, UUIDString
from oja_web.pagination import PageQuery, page_schema
from payments.domain.refund import RefundStatus

STATUSES = [
    "pending",
    "succeeded",
    "failed",
    "abandoned",
    "refund_pending",
    "refunded",
    "partially_refunded",
]

BOOKS_STATUSES = ["green", "red", "unknown"]


class PaySchema(StrictSchema):
    order_id = UUIDString(required=True)
    callback_url = Text(max=2000, load_default=None, allow_none=True)


class OpenedPaymentSchema(Schema):
    reference = fields.String()
    authorization_url = fields.String()
    access_code = fields.String()
    amount = Money()
    status = fields.String(validate=validate.OneOf(["pending"]))
    expires_at = AwareDateTime()


def _not_zero(money: dict[str, object]) -> None:
    if money["amount"] == 0:
        raise ValidationError({"amount": ["Must be more than 0."]})


class RefundRequestSchema(StrictSchema):
    """Without `amount`: all that has not gone back yet."""

    amount = Money(load_default=None, allow_none=True, validate=_not_zero)
    reason = Text(max=500, required=True)


class RefundSchema(Schema):
    id = UUIDString()
    amount = Money()
    status = fields.String(validate=validate.OneOf([each.value for each in RefundStatus]))
    reason = fields.String()


class PaymentSchema(Schema):
    reference = fields.String()
    order_id = UUIDString()
    amount = Money()
    status = fields.String(validate=validate.OneOf(STATUSES))
    channel = fields.String(allow_none=True)
    paid_at = AwareDateTime(allow_none=True)
    created_at = AwareDateTime()
    refunds = fields.List(fields.Nested(RefundSchema))


PaymentPageSchema = page_schema(PaymentSchema, "PaymentPage")


class PaymentQuery(PageQuery):
    order_id = UUIDString(load_default=None)


class FaultSchema(Schema):
    service = fields.String()
    id = fields.String(metadata={"description": "Of the order, event, SKU, payment ..."})
    detail = fields.String()
    mend = fields.String(metadata={"description": "The command that would put it right"})


class RuleSchema(Schema):
    rule = fields.String()
    says = fields.String(metadata={"description": "What is true while it is green"})
    status = fields.String(validate=validate.OneOf(BOOKS_STATUSES))
    checked = fields.Integer()
    waiting = fields.Integer(metadata={"description": "Not judged yet: news is under way"})
    faults = fields.List(fields.Nested(FaultSchema))
    error = fields.String(allow_none=True, metadata={"description": "Why it could not be judged"})


class BooksSchema(Schema):
    status = fields.String(validate=validate.OneOf(BOOKS_STATUSES))
    began_at = AwareDateTime(allow_none=True)
    since = AwareDateTime(allow_none=True, metadata={"description": "What is older is not judged"})
    seconds = fields.Float(allow_none=True)
    rules = fields.List(fields.Nested(RuleSchema))


class ReceivedSchema(Schema):
    received = fields.Boolean()
