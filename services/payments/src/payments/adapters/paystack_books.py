"""Paystack's own lists of what came and what went back, for the auditor."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from oja_events.books.money import BookedRefund, Capture
from oja_events.books.report import SourceAway
from payments.adapters import paystack_shapes as shapes
from payments.adapters.paystack import Paystack
from payments.adapters.paystack_http import PaystackHTTP
from payments.domain.charge import Charge, ChargeState
from payments.use_cases.errors import ProviderRefused, ProviderUnavailable

PER_PAGE = 100
_MONEY_CAME = (ChargeState.CAPTURED, ChargeState.RETURNED)


class PaystackBooks:
    """Reads, and nothing else."""

    def __init__(self, http: PaystackHTTP, secret_key: str) -> None:
        self._http = http
        self._paystack = Paystack(http, secret_key)

    def captures(self, start: datetime, end: datetime) -> Iterator[Capture]:
        """Of the payments that were begun then. Raises SourceAway, as all here."""
        for status in ("success", "reversed"):
            for shown in self._pages("/transaction", {"status": status, **_within(start, end)}):
                if capture := _capture(_read(shapes.charge_from, shown)):
                    yield capture

    def refunds(self, start: datetime, end: datetime) -> Iterator[BookedRefund]:
        for shown in self._pages("/refund", _within(start, end)):
            yield _refund(shown)

    def capture(self, reference: str) -> Capture | None:
        if not reference:
            return None
        try:
            charge = self._paystack.charge(reference)
        except ProviderUnavailable as error:
            raise SourceAway(f"Paystack: {error}") from None
        return _capture(charge) if charge else None

    def refunds_of(self, provider_id: int) -> list[BookedRefund]:
        return [_refund(each) for each in self._pages("/refund", {"transaction": str(provider_id)})]

    def _pages(self, path: str, query: dict[str, str]) -> Iterator[Any]:
        """`to` is in the past, so nothing moves from one page to another meanwhile."""
        page = 1
        while rows := self._page(path, {**query, "perPage": str(PER_PAGE), "page": str(page)}):
            yield from rows
            if len(rows) < PER_PAGE:
                return
            page += 1

    def _page(self, path: str, query: dict[str, str]) -> list[Any]:
        try:
            rows = self._http.get(path, query)
        except (ProviderUnavailable, ProviderRefused) as error:
            raise SourceAway(f"Paystack: {error}") from None
        if not isinstance(rows, list):
            raise SourceAway("Paystack: unexpected answer, no list")
        return rows


def _within(start: datetime, end: datetime) -> dict[str, str]:
    return {"from": _moment(start), "to": _moment(end)}


def _moment(moment: datetime) -> str:
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _capture(charge: Charge) -> Capture | None:
    if charge.state not in _MONEY_CAME or charge.provider_id is None:
        return None
    return Capture(
        charge.reference,
        charge.provider_id,
        charge.amount.amount,
        charge.amount.currency,
        charge.order_id,
    )


def _refund(shown: Any) -> BookedRefund:
    refund = _read(shapes.refund_from, shown)
    capture_id = _read(shapes.refunded_capture, shown)
    return BookedRefund(refund.id, capture_id, refund.amount, refund.status.value)


def _read(shape: Any, shown: Any) -> Any:
    try:
        return shape(shown)
    except ValueError as error:
        raise SourceAway(f"Paystack: unexpected answer: {error}") from None
