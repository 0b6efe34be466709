"""The shape of requests and answers."""

from marshmallow import Schema, fields, post_load, validate

from notifier.domain.alert import AlertKind
from notifier.domain.letter import Audience, Template
from notifier.domain.mail import MailStatus
from notifier.domain.staff import NEEDED
from notifier.domain.template import Source
from oja_web.fields import AwareDateTime, QueryBoolean, StrictSchema, UUIDString
from oja_web.pagination import PageQuery, page_schema

MAX_SOURCE = 64 * 1024  # characters

_TEMPLATE = validate.OneOf([template.value for template in Template])
_STATUS = validate.OneOf([status.value for status in MailStatus])
_KIND = validate.OneOf([kind.value for kind in AlertKind])
_ALERT_MAIL = fields.String(validate=validate.OneOf([template.value for template in NEEDED]))


class NotificationQuery(PageQuery):
    recipient = fields.String(load_default=None, validate=validate.Length(min=1, max=254))
    template = fields.String(load_default=None, validate=_TEMPLATE)
    status = fields.String(load_default=None, validate=_STATUS)
    order_id = UUIDString(load_default=None)


class NotificationSchema(Schema):
    """`doubts` counts the attempts whose outcome nobody knows; each may have left a copy."""

    id = UUIDString()
    kind = fields.String(validate=validate.OneOf(["event", "resend", "test"]))
    event_id = UUIDString()
    template = fields.String()
    template_version = fields.String()
    recipient = fields.String()
    subject = fields.String()
    status = fields.String(validate=_STATUS)
    attempts = fields.Integer()
    doubts = fields.Integer()
    message_id = fields.String()
    sha256 = fields.String(metadata={"description": "Of the bytes that are sent"})
    order_id = UUIDString(allow_none=True)
    resend_of = UUIDString(allow_none=True)
    requested_by = fields.String(allow_none=True)
    last_error = fields.String(allow_none=True)
    created_at = AwareDateTime()
    next_attempt_at = AwareDateTime(allow_none=True)
    sent_at = AwareDateTime(allow_none=True)
    failed_at = AwareDateTime(allow_none=True)


NotificationPageSchema = page_schema(NotificationSchema, "NotificationPage")


class EmailTemplateSchema(Schema):
    name = fields.String()
    audience = fields.String(validate=validate.OneOf([each.value for each in Audience]))
    version = fields.String()
    subject = fields.String(metadata={"description": "As written, with its variables"})
    is_edited = fields.Boolean(metadata={"description": "False: as it is shipped"})
    edited_at = AwareDateTime(allow_none=True)
    edited_by = fields.String(allow_none=True)


EmailTemplatePageSchema = page_schema(EmailTemplateSchema, "EmailTemplatePage")


class WholeEmailTemplateSchema(EmailTemplateSchema):
    text = fields.String()
    html = fields.String()
    variables = fields.List(
        fields.String(), metadata={"description": "What the template may speak of"}
    )


class TemplateSourceSchema(StrictSchema):
    """Jinja2; `text` and `html` may extend the layout and use the parts that are shipped."""

    subject = fields.String(
        required=True,
        validate=[validate.Length(min=1, max=300), validate.ContainsNoneOf("\r\n")],
    )
    text = fields.String(required=True, validate=validate.Length(min=1, max=MAX_SOURCE))
    html = fields.String(required=True, validate=validate.Length(min=1, max=MAX_SOURCE))

    @post_load
    def make(self, data: dict[str, str], **_: object) -> Source:
        return Source(**data)


class ExampleSchema(StrictSchema):
    """Without `draft`: the template in use. Without `order_id`: about the sample."""

    draft = fields.Nested(TemplateSourceSchema, load_default=None)
    order_id = UUIDString(load_default=None)


class WordsSchema(Schema):
    """A mail in its final words. A one-time link shows as a place-holder."""

    template_version = fields.String()
    subject = fields.String()
    text = fields.String()
    html = fields.String()


class AlertQuery(PageQuery):
    kind = fields.String(load_default=None, validate=_KIND)
    acknowledged = QueryBoolean(load_default=None)


class AlertSchema(Schema):
    id = UUIDString()
    kind = fields.String(validate=_KIND)
    title = fields.String()
    detail = fields.String()
    order_id = UUIDString(allow_none=True)
    raised_at = AwareDateTime()
    acknowledged_at = AwareDateTime(allow_none=True)
    acknowledged_by = fields.String(allow_none=True)


AlertPageSchema = page_schema(AlertSchema, "AlertPage")


class MutedAlertsSchema(StrictSchema):
    """Names of email templates."""

    muted = fields.List(_ALERT_MAIL, required=True, validate=validate.Length(max=len(NEEDED)))


class AlertPreferencesSchema(Schema):
    """Names of email templates."""

    muted = fields.List(_ALERT_MAIL)
    mailed = fields.List(
        _ALERT_MAIL, metadata={"description": "What your permissions let you know, less the muted"}
    )
