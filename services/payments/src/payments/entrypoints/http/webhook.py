"""Where Paystack tells that something happened."""

import hashlib
import hmac
import re

from flask import Response, request

from oja_web.auth import public
from oja_web.blueprint import Blueprint
from oja_web.context import request_id
from oja_web.problems import Problem
from oja_web.strict_json import json_response
from oja_web.throttling import unlimited
from payments.entrypoints.http.dependencies import deps
from payments.entrypoints.http.schemas import ReceivedSchema
from payments.use_cases import webhooks

blp = Blueprint("webhook", __name__, url_prefix="/api/paystack", description="For Paystack only")

HEADER = "X-Paystack-Signature"
_HEX_SHA512 = re.compile(rb"[0-9a-f]{128}")


@blp.post("/webhook")
@public
@unlimited  # all of Paystack's events come from three addresses, and none may be lost
@blp.response(200, ReceivedSchema)
@blp.alt_response(401, "UNAUTHORIZED")
def receive_webhook() -> Response:
    """Take in an event from Paystack

    It must be signed with our key. It is stored and answered at once, and applied a moment later
    from what Paystack itself says then.
    """
    # The signature covers the bytes as they came: nothing may parse them before it is checked.
    body = request.get_data(cache=True)
    if not is_signed(body, request.headers.getlist(HEADER), deps().settings.paystack_secret_key):
        raise Problem(401, "invalid_signature", "The signature is missing or wrong.")
    uow = deps().unit_of_work.at_once()
    webhooks.receive(body, request_id(), uow=uow, provider=deps().provider)
    deps().bell.ring()
    return json_response({"received": True})


def is_signed(body: bytes, given: list[str], key: str) -> bool:
    """Whether exactly one signature was given, and it is ours of these bytes."""
    if len(given) != 1:
        return False
    # Headers reach us as Latin-1; what was sent twice has a comma in it and fits no more.
    signature = given[0].encode("latin-1", errors="replace")
    expected = hmac.new(key.encode(), body, hashlib.sha512).hexdigest().encode()
    return bool(_HEX_SHA512.fullmatch(signature)) and hmac.compare_digest(signature, expected)
