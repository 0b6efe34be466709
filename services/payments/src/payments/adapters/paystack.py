"""Paystack, behind the PaymentProvider port. https://paystack.com/docs/api/"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from payments.adapters import paystack_shapes as shapes
from payments.adapters.paystack_http import NotKnown, PaystackHTTP
from payments.domain.charge import Charge
from payments.domain.payment import Payment
from payments.domain.refund import Refund
from payments.use_cases.errors import ProviderUnavailable, ProviderUnclear
from payments.use_cases.ports import Page, ProviderEvent, ProviderRefund

REFUNDS_PER_PAGE = 100


class Paystack:
    def __init__(self, http: PaystackHTTP, secret_key: str) -> None:
        self._http = http
        self._mode = "live" if secret_key.startswith("sk_live_") else "test"

    @property
    def mode(self) -> str:
        return self._mode

    def initialize(self, payment: Payment) -> Page:
        fields: dict[str, object] = {
            "email": payment.bill.contact.email,
            "amount": payment.amount.amount,
            # Left out, Paystack would silently take the account's own currency.
            "currency": payment.amount.currency,
            "reference": payment.reference,
            # As text, because in an object Paystack turns numbers into text.
            "metadata": json.dumps(
                {"order_id": str(payment.bill.order_id), "order_number": payment.bill.number}
            ),
        }
        if payment.callback_url:
            fields["callback_url"] = payment.callback_url
        data = self._http.post("/transaction/initialize", fields)
        try:
            return shapes.page_from(data, payment.reference)
        except ValueError as error:
            raise ProviderUnclear(f"unexpected answer from Paystack: {error}") from error

    def charge(self, reference: str, *, patience: float | None = None) -> Charge | None:
        path = f"/transaction/verify/{quote(reference, safe='')}"
        try:
            data = self._http.get(path, patience=patience)
            charge = shapes.charge_from(data)
        except NotKnown:
            return None
        except ValueError as error:
            raise ProviderUnclear(f"unexpected answer from Paystack: {error}") from error
        if charge.reference != reference:
            raise ProviderUnclear("Paystack answered about another reference")
        return charge

    def event_key(self, body: bytes) -> str:
        return shapes.event_key(body)

    def read_event(self, body: bytes) -> ProviderEvent:
        return shapes.event_from(body)

    def refund(self, refund: Refund) -> ProviderRefund:
        fields: dict[str, object] = {
            "transaction": refund.reference,
            "amount": refund.amount.amount,
            "currency": refund.amount.currency,
            "merchant_note": refund.note,
            "customer_note": f"Refund for order {refund.bill.number}",
        }
        return _refund(self._http.post("/refund", fields))

    def refund_by_id(self, provider_id: int) -> ProviderRefund:
        return _refund(self._look(f"/refund/{provider_id}"))

    def refunds(self, provider_id: int) -> list[ProviderRefund]:
        params = {"transaction": str(provider_id), "perPage": str(REFUNDS_PER_PAGE)}
        data = self._look("/refund", params)
        if not isinstance(data, list):
            raise ProviderUnclear("unexpected answer from Paystack: no list")
        return [_refund(each) for each in data]

    def _look(self, path: str, params: Mapping[str, str] | None = None) -> Any:
        """At something that Paystack has for sure."""
        try:
            return self._http.get(path, params)
        except NotKnown as error:
            raise ProviderUnavailable(f"Paystack forgot what it had: {error}") from error


def _refund(data: object) -> ProviderRefund:
    try:
        return shapes.refund_from(data)
    except ValueError as error:
        raise ProviderUnclear(f"unexpected answer from Paystack: {error}") from error
