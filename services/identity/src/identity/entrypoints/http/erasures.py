"""Closed accounts for staff: who has forgotten whom."""

from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Response

from identity.entrypoints.http.dependencies import deps
from identity.entrypoints.http.schemas import ErasurePageSchema, ErasureQuery
from oja_web.auth import requires
from oja_web.blueprint import Blueprint
from oja_web.pagination import decode_cursor, encode_cursor, page
from oja_web.strict_json import json_response

blp = Blueprint(
    "admin-erasures", __name__, url_prefix="/api/admin/users", description="Closed accounts"
)


@blp.get("/erasures")
@requires("users:read")
@blp.arguments(ErasureQuery, location="query")
@blp.response(200, ErasurePageSchema)
def list_erasures(query: dict[str, Any]) -> Response:
    """Accounts that were closed, newest first, with the receipts of every other service

    `missing` names the services that still have something to do, for instance a parcel to deliver
    first; `finished=false` finds those accounts.
    """
    cursor = decode_cursor(query["cursor"], [datetime, UUID])
    found = deps().queries.erasures(
        size=query["size"],
        finished=query["finished"],
        after=cursor and (cursor[0], cursor[1]),
        with_total=query["total"],
    )
    following = encode_cursor(found.next) if found.next else None
    return json_response(page([asdict(item) for item in found.items], following, found.total))
