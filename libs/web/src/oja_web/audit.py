"""The audit log of a service for staff: one list, the same in all services."""

from dataclasses import asdict
from typing import Any

from flask import Response
from marshmallow import Schema, fields

from oja_events.audit import AuditReader
from oja_web.auth import requires
from oja_web.blueprint import Blueprint
from oja_web.fields import AwareDateTime, Text, UUIDString
from oja_web.pagination import PageQuery, decode_cursor, encode_cursor, page, page_schema
from oja_web.strict_json import json_response


class AuditQuery(PageQuery):
    actor_id = UUIDString(load_default=None)
    target_id = Text(max=200, load_default=None)
    action = Text(max=64, load_default=None)


class AuditRecordSchema(Schema):
    id = fields.Integer()
    at = AwareDateTime()
    action = fields.String()
    actor_id = UUIDString(allow_none=True)
    target_id = fields.String(
        allow_none=True, metadata={"description": "The id or name of what was changed"}
    )
    address = fields.String(allow_none=True)
    request_id = fields.String(allow_none=True)
    detail = fields.Dict(metadata={"description": "What was before and after, as it applies"})


AuditPageSchema = page_schema(AuditRecordSchema, "AuditPage")


def audit_blueprint(url: str, log: AuditReader) -> Blueprint:
    """`GET url` for staff with `audit:read`."""
    blp = Blueprint("admin-audit", __name__, description="What staff have changed")

    @blp.get(url)
    @requires("audit:read")
    @blp.arguments(AuditQuery, location="query")
    @blp.response(200, AuditPageSchema)
    def list_audit(query: dict[str, Any]) -> Response:
        """Who changed what, when and from where; the newest first"""
        cursor = decode_cursor(query["cursor"], [int])
        found = log.page(
            size=query["size"],
            actor_id=query["actor_id"],
            target_id=query["target_id"],
            action=query["action"],
            after=cursor[0] if cursor else None,
            with_total=query["total"],
        )
        following = encode_cursor([found.next]) if found.next else None
        return json_response(page([asdict(item) for item in found.items], following, found.total))

    return blp
