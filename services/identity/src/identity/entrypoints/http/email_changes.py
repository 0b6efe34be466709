"""Another address for one's account."""

from typing import Any

from flask import Response, request

from identity.entrypoints.http.dependencies import deps
from identity.entrypoints.http.schemas import EmailChangeSchema, OneTimeTokenSchema
from identity.use_cases.commands import email_changes
from oja_web.auth import caller, caller_if_any, public, signed_in
from oja_web.blueprint import Blueprint
from oja_web.throttling import limited

blp = Blueprint(
    "email-changes", __name__, url_prefix="/api/auth/email", description="Another address"
)


@blp.post("/change")
@signed_in
@limited("confirm", closed=True)
@blp.arguments(EmailChangeSchema)
@blp.response(202)
def ask(body: dict[str, Any]) -> Response:
    """Get a mail with a link to the address that you want for your account

    Needs your password. Nothing changes before the link is opened; the answer is the same whether
    somebody else has that address or not. Earlier links stop working.
    """
    email_changes.ask(
        caller().user_id,
        body["email"],
        body["password"],
        address=request.remote_addr,
        attempts=deps().attempts,
        hasher=deps().hasher,
        uow=deps().unit_of_work(),
    )
    return Response(status=202)


@blp.post("/confirm")
@public
@limited("reset", by_address=True, closed=True)
@blp.arguments(OneTimeTokenSchema)
@blp.response(204)
@blp.alt_response(409, "CONFLICT")
def confirm(body: dict[str, Any]) -> None:
    """Take the new address, with the token of the link in our mail to it

    Works once, for an hour. Ends every session and token of yours: sign in anew, with the new
    address. The old one gets a notice. If you are signed in, it must be your own link.
    """
    by = caller_if_any()
    email_changes.confirm(
        body["token"],
        caller=by.user_id if by else None,
        address=request.remote_addr,
        uow=deps().unit_of_work(),
    )
