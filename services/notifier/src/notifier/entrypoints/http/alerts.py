"""What staff should know."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from flask import Response

from notifier.domain.letter import Template
from notifier.domain.staff import may_get
from notifier.entrypoints.http.dependencies import deps
from notifier.entrypoints.http.schemas import (
    AlertPageSchema,
    AlertPreferencesSchema,
    AlertQuery,
    AlertSchema,
    MutedAlertsSchema,
)
from notifier.use_cases import commands
from oja_web.auth import caller, requires
from oja_web.blueprint import Blueprint
from oja_web.etag import changes_what_was_seen, if_match, set_etag
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


@blp.get("/preferences")
@requires("alerts:read")
@blp.response(200, AlertPreferencesSchema)
def show_preferences() -> Response:
    """Which alerts you get by mail; send the ETag back when you change it"""
    return _preferences()


@blp.put("/preferences")
@requires("alerts:read")
@changes_what_was_seen
@blp.arguments(MutedAlertsSchema)
@blp.response(200, AlertPreferencesSchema)
def change_preferences(body: dict[str, Any]) -> Response:
    """Say which alerts you do not want by mail (If-Match)

    They stay in the list of alerts. What your permissions do not let you know is not mailed to you
    either way.
    """
    commands.mute_alerts(
        caller().user_id,
        frozenset(map(Template, body["muted"])),
        precondition=if_match,
        uow=deps().unit_of_work(),
    )
    return _preferences()


def _preferences() -> Response:
    wishes = deps().queries.wishes(caller().user_id)
    mailed: list[Template] = [
        each for each in may_get(caller().permissions) if each not in wishes.muted
    ]
    shown = {"muted": sorted(wishes.muted), "mailed": sorted(mailed)}
    return set_etag(json_response(shown), wishes.version)
