"""Paystack's answers: understood, or refused when they are not what is documented."""

import itertools
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace, TracebackType
from typing import Any, Self

import pytest
import requests

from payments.adapters import paystack_http
from payments.adapters.breaker import Breaker
from payments.adapters.paystack import Paystack
from payments.adapters.paystack_http import MAX_ANSWER_BYTES, PaystackHTTP
from payments.adapters.paystack_shapes import charge_from, event_from, event_key, refund_from
from payments.domain.charge import ChargeState
from payments.domain.refund import RefundStatus
from payments.domain.values import Money
from payments.use_cases.errors import (
    DuplicateReference,
    ProviderError,
    ProviderRefused,
    ProviderUnavailable,
    ProviderUnclear,
)
from tests.unit.payments.fakes import a_payment

KEY = "sk_test_secret"


class Answer:
    """What a session gets back."""

    def __init__(self, status: int = 200, body: Any = b"", **headers: str) -> None:
        self.status_code = status
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.headers = headers

    def iter_content(self, size: int) -> Iterator[bytes]:
        for start in range(0, len(self.body), size):
            yield self.body[start : start + size]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


class Wire:
    """Records what is sent and answers with what it was given."""

    def __init__(self) -> None:
        self.answers: list[Answer | Exception] = []
        self.sent: list[tuple[requests.PreparedRequest, dict[str, Any]]] = []

    def send(self, request: requests.PreparedRequest, **rest: Any) -> Answer:
        self.sent.append((request, rest))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    wire = Wire()
    monkeypatch.setattr(
        requests.Session, "send", lambda _session, request, **rest: wire.send(request, **rest)
    )
    return wire


@pytest.fixture
def paystack() -> Paystack:
    return Paystack(PaystackHTTP("https://api.example.com", KEY, Breaker()), KEY)


def charge(**changes: Any) -> dict[str, Any]:
    return {
        "id": 5012345678,
        "domain": "test",
        "status": "success",
        "reference": "oj-1-1",
        "amount": 250000,
        "currency": "NGN",
        "paid_at": "2026-11-20T10:15:04.000Z",
        "channel": "card",
        "metadata": {"order_id": "42"},
        **changes,
    }


def good(data: Any) -> Answer:
    return Answer(200, {"status": True, "message": "ok", "data": data})


def test_initialize_sends_the_whole_truth(wire: Wire, paystack: Paystack):
    payment = a_payment()
    payment.callback_url = "https://shop.example.com/"
    page = {"authorization_url": "https://x/y", "access_code": "y", "reference": payment.reference}
    wire.answers = [good(page)]

    opened = paystack.initialize(payment)

    ((request, rest),) = wire.sent
    assert request.method == "POST"
    assert request.url == "https://api.example.com/transaction/initialize"
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert request.headers["Content-Type"] == "application/json"
    assert json.loads(request.body) == {
        "email": "ada@example.com",
        "amount": 450_000,
        "currency": "NGN",
        "reference": payment.reference,
        "callback_url": "https://shop.example.com/",
        "metadata": json.dumps(
            {"order_id": str(payment.bill.order_id), "order_number": payment.bill.number}
        ),
    }
    assert rest["allow_redirects"] is False
    assert rest["timeout"] == (2, 5)
    assert opened.authorization_url == "https://x/y"


def test_s44_references_are_encoded_in_addresses(wire: Wire, paystack: Paystack):
    wire.answers = [Answer(400, {"status": False, "message": "Transaction reference not found."})]

    assert paystack.charge("../../balance?a=b#c") is None

    ((request, _),) = wire.sent
    assert request.url.endswith("/transaction/verify/..%2F..%2Fbalance%3Fa%3Db%23c")


def test_a_charge_is_read_with_all_that_must_fit(wire: Wire, paystack: Paystack):
    wire.answers = [good(charge())]

    found = paystack.charge("oj-1-1")

    assert found is not None
    assert (found.state, found.amount) == (ChargeState.CAPTURED, Money(250000, "NGN"))
    assert (found.mode, found.order_id, found.provider_id) == ("test", "42", 5012345678)
    assert found.paid_at == datetime(2026, 11, 20, 10, 15, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    "answer",
    [
        requests.ReadTimeout(),
        requests.ConnectTimeout(),
        requests.ConnectionError("reset"),
        requests.exceptions.ChunkedEncodingError(),
        Answer(302, b"", Location="https://evil.example.com/"),
        Answer(500, {"status": False, "message": "error"}),
        Answer(502, b"<html>Bad Gateway</html>"),
        Answer(200, b"<html>Welcome</html>"),
        Answer(200, b"[" * 100_000),
        Answer(200, b"[]"),
        Answer(200, b" " * (MAX_ANSWER_BYTES + 1)),
        good(None),
        good({"status": "success"}),
        good(charge(reference="oj-1-2")),
        good(charge(status="splendid")),
        good(charge(amount="many")),
        good(charge(amount=True)),
        good(charge(domain=None)),
    ],
)
def test_s44_an_answer_that_says_nothing_leaves_it_unclear(
    wire: Wire, paystack: Paystack, answer: Answer | Exception
):
    wire.answers = [answer]

    with pytest.raises(ProviderUnclear):
        paystack.charge("oj-1-1")


@pytest.mark.parametrize("status", [401, 403, 429])
def test_a_refused_key_or_too_many_calls_is_no_answer_about_the_payment(
    wire: Wire, paystack: Paystack, status: int
):
    wire.answers = [Answer(status, {"status": False, "message": "Invalid key"})]

    with pytest.raises(ProviderUnavailable) as raised:
        paystack.initialize(a_payment())
    assert not isinstance(raised.value, ProviderUnclear)


def test_a_duplicate_reference_is_told_from_other_refusals(wire: Wire, paystack: Paystack):
    duplicate = {"status": False, "message": "Duplicate Transaction Reference"}
    invalid = {"status": False, "message": "Invalid Amount Sent", "code": "invalid_amount"}
    wire.answers = [Answer(400, duplicate), Answer(400, invalid)]

    with pytest.raises(DuplicateReference):
        paystack.initialize(a_payment())
    with pytest.raises(ProviderRefused, match="Invalid Amount Sent") as raised:
        paystack.initialize(a_payment())
    assert raised.value.code == "invalid_amount"


def test_s44_a_slow_drip_is_cut_off(
    wire: Wire, paystack: Paystack, monkeypatch: pytest.MonkeyPatch
):
    times = itertools.count(0, 100)
    monkeypatch.setattr(paystack_http, "time", SimpleNamespace(monotonic=lambda: next(times)))
    wire.answers = [good(charge())]

    with pytest.raises(ProviderUnclear, match="slow"):
        paystack.charge("oj-1-1")


def test_after_several_failures_paystack_is_left_alone_for_a_while(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
):
    breaker = Breaker(threshold=2, pause=60)
    paystack = Paystack(PaystackHTTP("https://api.example.com", KEY, breaker), KEY)
    wire.answers = [requests.ReadTimeout(), requests.ReadTimeout()]
    for _ in range(5):
        with pytest.raises(ProviderUnavailable):
            paystack.charge("oj-1-1")
    assert len(wire.sent) == 2

    monkeypatch.setattr(breaker, "_closed_again_at", 0.0)  # the pause is over
    wire.answers = [good(charge()), requests.ReadTimeout(), good(charge())]
    assert paystack.charge("oj-1-1")
    with pytest.raises(ProviderUnavailable):
        paystack.charge("oj-1-1")
    assert paystack.charge("oj-1-1"), "one failure after a success does not open it again"


def test_a_refusal_is_an_answer_and_does_not_count_as_failure(wire: Wire):
    paystack = Paystack(
        PaystackHTTP("https://api.example.com", KEY, Breaker(threshold=1, pause=60)), KEY
    )
    refusal = {"status": False, "message": "Invalid Amount Sent"}
    wire.answers = [Answer(400, refusal), Answer(400, refusal)]

    for _ in range(2):
        with pytest.raises(ProviderRefused):
            paystack.initialize(a_payment())


def test_a_refusal_between_failures_means_that_paystack_is_there(wire: Wire):
    breaker = Breaker(threshold=2, pause=60)
    paystack = Paystack(PaystackHTTP("https://api.example.com", KEY, breaker), KEY)
    refusal = Answer(400, {"status": False, "message": "Invalid Amount Sent"})
    away = requests.ReadTimeout()
    wire.answers = [away, refusal, away, refusal]

    for _ in wire.answers.copy():
        with pytest.raises(ProviderError):
            paystack.initialize(a_payment())

    assert len(wire.sent) == 4


@pytest.mark.parametrize("message", ["Validation error", "Transaction not found"])
def test_a_question_that_is_refused_is_not_answered(wire: Wire, paystack: Paystack, message: str):
    """What it was about is as unknown as before: nothing that has an end may end by it."""
    refusal = Answer(400, {"status": False, "message": message})
    looks = [lambda: paystack.refund_by_id(81), lambda: paystack.refunds(5012345678)]
    if "not found" not in message:
        looks.append(lambda: paystack.charge("oj-1-1"))

    for look in looks:
        wire.answers = [refusal]
        with pytest.raises(ProviderUnavailable):
            look()


@pytest.mark.parametrize(("key", "mode"), [("sk_test_1", "test"), ("sk_live_1", "live")])
def test_the_key_decides_the_mode(key: str, mode: str):
    assert Paystack(PaystackHTTP("https://x", key, Breaker()), key).mode == mode


@pytest.mark.parametrize(
    ("metadata", "order_id"),
    [
        ({"order_id": 42}, "42"),
        ('{"order_id": "42"}', "42"),
        ("", None),
        (0, None),
        (None, None),
        ("{", None),
        ([], None),
    ],
)
def test_metadata_comes_in_many_forms(metadata: object, order_id: str | None):
    assert charge_from(charge(metadata=metadata)).order_id == order_id


@pytest.mark.parametrize("amount", [5000, "5000"])
def test_a_refunds_amount_is_text_in_some_events(amount: object):
    refund = refund_from({"id": "81", "status": "needs-attention", "amount": amount})

    assert (refund.id, refund.status) == (81, RefundStatus.NEEDS_ATTENTION)
    assert refund.amount == 5000


def test_an_event_is_known_by_its_name_and_what_it_is_about():
    body = json.dumps({"event": "charge.success", "data": charge()}).encode()

    assert event_key(body) == "charge.success:5012345678"
    assert event_from(body).reference == "oj-1-1"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"[" * 100_000, b'{"event": "a", "data": {}}'])
def test_an_event_without_an_id_is_known_by_its_bytes(body: bytes):
    assert event_key(body).startswith("sha256:")
    assert event_key(body) != event_key(body + b" ")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        (
            "refund.processed",
            {"status": "processed", "transaction_reference": "oj-1-1", "id": "81"},
        ),
        (
            "charge.dispute.create",
            {"id": 81, "transaction_reference": None, "transaction": {"reference": "oj-1-1"}},
        ),
    ],
)
def test_refunds_and_disputes_name_their_payment_in_other_fields(name: str, data: object):
    event = event_from(json.dumps({"event": name, "data": data}).encode())

    assert (event.reference, event.charge) == ("oj-1-1", None)
