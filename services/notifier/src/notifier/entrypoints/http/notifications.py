"""Every mail that the shop has sent or will send."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from flask import Response

from notifier.entrypoints.http.dependencies import deps
from notifier.entrypoints.http.schemas import (
    NotificationPageSchema,
    NotificationQuery,
    NotificationSchema,
)
from notifier.use_cases import commands
from oja_web.auth import caller, requires
from oja_web.blueprint import Blueprint
from oja_web.pagination import decode_cursor, encode_cursor, page
from oja_web.strict_json import json_response

blp = Blueprint(
    "notifications",
    __name__,
    url_prefix="/api/admin/notifications",
    description="Every mail that the shop has sent or will send",
)


@blp.get("")
@requires("notifications:read")
@blp.arguments(NotificationQuery, location="query")
@blp.response(200, NotificationPageSchema)
def list_notifications(query: dict[str, Any]) -> Response:
    """Mails, newest first"""
    cursor = decode_cursor(query["cursor"], [UUID])
    found = deps().queries.mails(
        size=query["size"],
        recipient=query["recipient"],
        template=query["template"],
        status=query["status"],
        order_id=query["order_id"],
        after=cursor[0] if cursor else None,
        with_total=query["total"],
    )
    next_cursor = encode_cursor([found.next]) if found.next else None
    return json_response(page([asdict(mail) for mail in found.items], next_cursor, found.total))


@blp.post("/<uuid:mail_id>/resend")
@requires("notifications:write")
@blp.response(201, NotificationSchema)
@blp.alt_response(409, "CONFLICT")
def resend_notification(mail_id: UUID) -> Response:
    """Send a mail once more, in the same words

    Only a mail whose sending has ended, well or badly, and of which something is left: mails to
    somebody who closed their account are empty (`mail_erased`). The answer is the new mail.
    """
    copy_id = commands.resend_mail(mail_id, by=caller().email, uow=deps().unit_of_work())
    return json_response(asdict(deps().queries.mail(copy_id)), 201)
