"""Payments for staff: everybody's, and sending money back."""

from typing import Any

from flask import Response

from oja_web.auth import caller, requires
from oja_web.blueprint import Blueprint
from oja_web.idempotency import answer_once, idempotent
from oja_web.strict_json import json_response
from oja_web.throttling import limited
from payments.domain.values import Money
from payments.entrypoints.http import presenters
from payments.entrypoints.http.dependencies import deps
from payments.entrypoints.http.payments import answer_page, find_page
from payments.entrypoints.http.schemas import (
    PaymentPageSchema,
    PaymentQuery,
    PaymentSchema,
    RefundRequestSchema,
    RefundSchema,
)
from payments.use_cases import refunding
from payments.use_cases.ports import UnitOfWork

blp = Blueprint(
    "admin-payments", __name__, url_prefix="/api/admin/payments", description="Payments for staff"
)


@blp.get("")
@requires("payments:read")
@blp.arguments(PaymentQuery, location="query")
@blp.response(200, PaymentPageSchema)
def list_all_payments(query: dict[str, Any]) -> Response:
    """Everybody's payments, newest first"""
    return answer_page(find_page(query, None))


@blp.get("/<reference>")
@requires("payments:read")
@blp.response(200, PaymentSchema)
def show_any_payment(reference: str) -> Response:
    """Any payment, with its refunds"""
    return json_response(presenters.payment(deps().queries.payment(reference)))


@blp.post("/<reference>/refunds")
@requires("payments:refund")
@limited("refunds", closed=True)
@idempotent
@blp.arguments(RefundRequestSchema)
@blp.response(201, RefundSchema)
def refund_payment(body: dict[str, Any], reference: str) -> Response:
    """Send money back

    All that is left of the payment, or a part. Never more than was paid and has not gone back yet.
    """
    amount = Money(**body["amount"]) if body["amount"] else None

    def work(uow: UnitOfWork) -> Response:
        refund = refunding.request_by_staff(
            reference, amount, body["reason"], by=f"staff {caller().user_id}", uow=uow
        )
        return json_response(presenters.refund(refund), 201)

    return answer_once(deps().unit_of_work(), work)
