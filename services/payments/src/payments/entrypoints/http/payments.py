"""Paying an order, and seeing what became of it."""

from contextlib import suppress
from typing import Any
from uuid import UUID

from flask import Response

from oja_web.auth import caller, signed_in
from oja_web.blueprint import Blueprint
from oja_web.idempotency import answer_once_leased, idempotent
from oja_web.pagination import decode_cursor, encode_cursor, page
from oja_web.strict_json import json_response
from oja_web.throttling import limited
from payments.domain.payment import Payment
from payments.entrypoints.http import presenters
from payments.entrypoints.http.callbacks import check_callback
from payments.entrypoints.http.dependencies import deps
from payments.entrypoints.http.schemas import (
    OpenedPaymentSchema,
    PaymentPageSchema,
    PaymentQuery,
    PaymentSchema,
    PaySchema,
)
from payments.use_cases import opening, settling
from payments.use_cases.errors import ProviderUnavailable
from payments.use_cases.queries import PaymentPage

blp = Blueprint("payments", __name__, url_prefix="/api", description="Paying for orders")

LOOK_PATIENCE = 2.0  # seconds that a customer waits for Paystack's word on a pending payment


@blp.post("/pay")
@signed_in
@limited("pay", closed=True)
@idempotent
@blp.arguments(PaySchema)
@blp.response(201, OpenedPaymentSchema)
def pay(body: dict[str, Any]) -> Response:
    """Pay one of your orders

    Open `authorization_url` in a browser and pay there. As long as the payment is pending, further
    calls answer with the same one. For an order placed a moment ago the call waits up to 2 seconds
    until the items are set aside.
    """
    check_callback(body["callback_url"], deps().settings.callback_hosts)

    def work() -> Response:
        payment = opening.pay(
            body["order_id"],
            caller().user_id,
            body["callback_url"],
            unit_of_work=deps().unit_of_work,
            provider=deps().provider,
            lookout=deps().lookout,
        )
        location = {"Location": f"/api/payments/{payment.reference}"}
        return json_response(presenters.opened(payment), 201, location)

    return answer_once_leased(deps().engine, work)


@blp.get("/payments")
@signed_in
@blp.arguments(PaymentQuery, location="query")
@blp.response(200, PaymentPageSchema)
def list_payments(query: dict[str, Any]) -> Response:
    """Your payments, newest first

    With `order_id`, a pending one is checked with Paystack on the way.
    """
    found = find_page(query, caller().user_id)
    pending = [view.payment for view in found.payments if view.payment.is_pending]
    if query["order_id"] is not None and pending:
        _look(pending[0])
        found = find_page(query, caller().user_id)
    return answer_page(found)


@blp.get("/payments/<reference>")
@signed_in
@blp.response(200, PaymentSchema)
def show_payment(reference: str) -> Response:
    """One of your payments; a pending one is checked with Paystack on the way"""
    view = deps().queries.payment(reference, customer_id=caller().user_id)
    if view.payment.is_pending:
        _look(view.payment)
        view = deps().queries.payment(reference, customer_id=caller().user_id)
    return json_response(presenters.payment(view))


def find_page(query: dict[str, Any], customer_id: UUID | None) -> PaymentPage:
    """One page of this customer's payments, or of everybody's."""
    cursor = decode_cursor(query["cursor"], [UUID])
    return deps().queries.payments(
        size=query["size"],
        customer_id=customer_id,
        order_id=query["order_id"],
        after=cursor[0] if cursor else None,
        with_total=query["total"],
    )


def answer_page(found: PaymentPage) -> Response:
    next_cursor = encode_cursor([found.next]) if found.next else None
    items = [presenters.payment(view) for view in found.payments]
    return json_response(page(items, next_cursor, found.total))


def _look(payment: Payment) -> None:
    """Let Paystack say how it stands; what we know is good enough if it does not."""
    with suppress(ProviderUnavailable):
        settling.check(
            payment.reference,
            unit_of_work=deps().unit_of_work,
            provider=deps().provider,
            patience=LOOK_PATIENCE,
        )
