"""What staff should know."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from flask import Response

from notifier.entrypoints.http.dependencies import deps
from notifier.entrypoints.http.schemas import AlertPageSchema, AlertQuery, AlertSchema
from notifier.use_cases import commands
from oja_web.auth import caller, requires
from oja_web.blueprint import Blueprint
from oja_web.pagination import decode_cursor, encode_cursor, page
from oja_web.strict_json import json_response

blp = Blueprint(
    "alerts", __name__, url_prefix="/api/admin/alerts", description="What staff should know"
)


@blp.get("")
@requires("alerts:read")
@blp.arguments(AlertQuery, location="query")
@blp.response(200, AlertPageSchema)
def list_alerts(query: dict[str, Any]) -> Response:
    """Alerts, newest first"""
    cursor = decode_cursor(query["cursor"], [UUID])
    found = deps().queries.alerts(
        size=query["size"],
        kind=query["kind"],
        acknowledged=query["acknowledged"],
        after=cursor[0] if cursor else None,
        with_total=query["total"],
    )
    next_cursor = encode_cursor([found.next]) if found.next else None
    return json_response(page([asdict(alert) for alert in found.items], next_cursor, found.total))


@blp.post("/<uuid:alert_id>/acknowledge")
@requires("alerts:read")
@blp.response(200, AlertSchema)
def acknowledge_alert(alert_id: UUID) -> Response:
    """Say that you have seen an alert

    Who said so first stays on record.
    """
    commands.acknowledge_alert(alert_id, by=caller().email, uow=deps().unit_of_work())
    return json_response(asdict(deps().queries.alert(alert_id)))
