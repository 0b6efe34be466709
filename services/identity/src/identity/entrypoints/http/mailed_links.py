"""Links that come by mail: to verify an address, to get back in without the password."""

import hmac
from typing import Any

from flask import Response, request

from identity.domain.one_time_request import Purpose
from identity.entrypoints.emails import canonical_email
from identity.entrypoints.http.dependencies import deps
from identity.entrypoints.http.schemas import (
    ForgottenPasswordSchema,
    LinkRequestSchema,
    OneTimeTokenSchema,
    PasswordResetSchema,
)
from identity.use_cases.commands import mailed_links
from oja_web.auth import caller, caller_if_any, declare_access, public, signed_in
from oja_web.blueprint import Blueprint
from oja_web.problems import Problem
from oja_web.strict_json import json_response
from oja_web.throttling import limited

# In the fragment, so that no server on the way, ours included, sees the secret in an address.
PAGES = {
    Purpose.VERIFY_EMAIL: "/account/verify-email#token=",
    Purpose.RESET_PASSWORD: "/account/reset-password#token=",
    Purpose.CHANGE_EMAIL: "/account/confirm-email#token=",
}

blp = Blueprint(
    "mailed-links", __name__, url_prefix="/api/auth", description="Links that come by mail"
)


@blp.post("/email/verify")
@public
@limited("reset", by_address=True, closed=True)
@blp.arguments(OneTimeTokenSchema)
@blp.response(204)
def verify_email(body: dict[str, Any]) -> None:
    """Prove that the address is yours, with the token of the link in our mail

    Works once, for an hour. If you are signed in, it must be your own link.
    """
    by = caller_if_any()
    mailed_links.verify_email(
        body["token"],
        caller=by.user_id if by else None,
        address=request.remote_addr,
        uow=deps().unit_of_work(),
    )


@blp.post("/email/resend")
@signed_in
@limited("resend", closed=True)
@blp.response(202)
def resend_verification() -> Response:
    """Get the mail with the link again; earlier links stop working"""
    mailed_links.resend_verification(caller().user_id, uow=deps().unit_of_work())
    return Response(status=202)


@blp.post("/password/forgot")
@public
@limited("reset", by_address=True, closed=True)
@blp.arguments(ForgottenPasswordSchema)
@blp.response(202)
def forgot_password(body: dict[str, Any]) -> Response:
    """Get a mail with a link for another password, if there is such an account

    The answer is the same whether there is one or not. Earlier links stop working. Who asks again
    and again gets no more mails for a while.
    """
    email = canonical_email(body["email"])
    if deps().attempts.may_mail(email):
        mailed_links.forgot_password(email, address=request.remote_addr, uow=deps().unit_of_work())
    return Response(status=202)


@blp.post("/password/reset")
@public
@limited("reset", by_address=True, closed=True)
@blp.arguments(PasswordResetSchema)
@blp.response(204)
def reset_password(body: dict[str, Any]) -> None:
    """Take another password, with the token of the link in our mail

    Works once, for an hour. Ends every session and token of yours: sign in anew.
    """
    mailed_links.reset_password(
        body["token"],
        body["password"],
        address=request.remote_addr,
        policy=deps().policy,
        hasher=deps().hasher,
        uow=deps().unit_of_work(),
    )


def _issue_link() -> Response:
    """For notifier, when the mail leaves: the link that belongs to a request, good for an hour."""
    _refuse_strangers()
    body = LinkRequestSchema().load(request.get_json())
    purpose, secret = mailed_links.issue_link(body["request_id"], uow=deps().unit_of_work())
    return json_response({"url": f"{deps().settings.storefront_url}{PAGES[purpose]}{secret}"})


issue_link = declare_access(_issue_link, "internal", security=[])


def _refuse_strangers() -> None:
    shown = request.headers.get("Authorization", "").encode()
    if not hmac.compare_digest(shown, f"Bearer {deps().settings.internal_token}".encode()):
        raise Problem(
            401, "unauthenticated", "For services only.", headers={"WWW-Authenticate": "Bearer"}
        )
