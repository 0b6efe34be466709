"""What Paystack tells, what is believed of it, and what becomes of it."""

import hashlib
import hmac
import json
from typing import Any

import pytest

from oja_web.testing import problem
from tests.integration.payments.running import PRICE, PaymentsService, delivered, together
from tests.integration.sandbox.running import PAYSTACK_SECRET, Sandbox
from tests.support.waiting import wait_until

SIGNATURE = "x-paystack-signature"


def sign(body: bytes, key: str = PAYSTACK_SECRET) -> str:
    return hmac.new(key.encode(), body, hashlib.sha512).hexdigest()


def send(payments: PaymentsService, body: bytes) -> None:
    """A webhook with a good signature, and the worker's turn after it."""
    assert payments.webhook(body, {SIGNATURE: sign(body)}).status_code == 200
    payments.apply_webhooks()


def stored(payments: PaymentsService) -> int:
    return int(payments.sql("SELECT count(*) FROM webhooks")[0][0])


def pay_on_the_page(sandbox: Sandbox, reference: str, **how: Any) -> None:
    sandbox.post(f"/_sandbox/paystack/transactions/{reference}/pay", **how)


def altered(body: bytes, **changes: Any) -> bytes:
    event = json.loads(body)
    event["data"] |= changes
    return json.dumps(event, separators=(",", ":")).encode()


def test_s42_a_webhook_confirms_the_payment_once_however_often_it_comes(
    payments: PaymentsService, sandbox: Sandbox
):
    order = payments.order()
    reference = payments.opened(order)
    pay_on_the_page(sandbox, reference)
    body, headers = delivered(sandbox, reference, "charge.success")

    def deliver(_number: int) -> int:
        status = payments.webhook(body, headers).status_code
        payments.apply_webhooks()
        return status

    assert together(10, deliver) == [200] * 10
    assert payments.told(order) == ["payment_confirmed"]
    confirmed = payments.events(order)[0]["data"]
    assert confirmed["reference"] == reference
    assert confirmed["amount"] == {"amount": PRICE, "currency": "NGN"}
    assert confirmed["contact"] == {"email": "ada@example.com", "name": "Ada Obi"}
    assert payments.status(order, reference) == "succeeded"


def test_the_event_belongs_to_the_request_that_brought_the_webhook(
    payments: PaymentsService, sandbox: Sandbox
):
    order = payments.order()
    reference = payments.opened(order)
    pay_on_the_page(sandbox, reference)
    body, headers = delivered(sandbox, reference, "charge.success")

    payments.webhook(body, {**headers, "X-Request-ID": "the-webhook"})
    payments.apply_webhooks()

    assert payments.events(order)[0]["correlationid"] == "the-webhook"


def test_the_bell_has_a_webhook_applied_before_the_next_look(
    payments: PaymentsService, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("payments.entrypoints.worker.IDLE_SECONDS", 60)
    order = payments.order()
    reference = payments.opened(order)
    pay_on_the_page(sandbox, reference)
    body, headers = delivered(sandbox, reference, "charge.success")

    with payments.webhook_worker():
        listening = (
            "SELECT 1 FROM pg_stat_activity"
            " WHERE query = 'LISTEN payments_webhooks_outbox' AND datname = current_database()"
        )
        wait_until(lambda: payments.sql(listening))
        payments.webhook(body, headers)
        wait_until(lambda: payments.told(order) == ["payment_confirmed"])
        payments.deps.bell.ring()  # so that the worker sees that it is to stop


BODY = b'{"event":"charge.success","data":{"id":1,"reference":"oj-1-1"}}'
GOOD = sign(BODY)


@pytest.mark.parametrize(
    "signatures",
    [
        [],
        [""],
        [GOOD[:-1]],
        [GOOD + "0"],
        [GOOD.upper()],
        ["0" * 128],
        [sign(BODY, "another key")],
        [sign(BODY + b" ")],
        [f"sha512={GOOD}"],
        [GOOD, GOOD],
        [f"{GOOD},{GOOD}"],
        ["\u00e9" * 128],
        [hashlib.sha512(BODY).hexdigest()],
        [sign(BODY, "")],
    ],
    ids=[
        "missing", "empty", "short", "long", "upper case", "zeros", "another key", "another body",
        "prefixed", "twice", "joined", "not ascii", "plain hash", "empty key",
    ],
)  # fmt: skip
def test_a_webhook_without_a_good_signature_leaves_no_trace(
    payments: PaymentsService, signatures: list[str]
):
    before = stored(payments)

    answer = payments.webhook(BODY, [(SIGNATURE, each) for each in signatures])

    problem(answer, 401, "invalid_signature")
    assert stored(payments) == before


def test_the_signature_covers_the_bytes_and_not_their_meaning(
    payments: PaymentsService, sandbox: Sandbox
):
    order = payments.order()
    reference = payments.opened(order)
    pay_on_the_page(sandbox, reference)
    body, headers = delivered(sandbox, reference, "charge.success")
    spaced = json.dumps(json.loads(body), indent=1).encode()

    problem(payments.webhook(spaced, headers), 401, "invalid_signature")
    send(payments, spaced)

    assert payments.told(order) == ["payment_confirmed"]


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": PRICE - 1},
        {"amount": PRICE + 1},
        {"currency": "GHS"},
        {"domain": "live"},
        {"metadata": {"order_id": "00000000-0000-0000-0000-000000000000"}},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_s41_a_signed_webhook_that_does_not_fit_our_books_pays_nothing(
    payments: PaymentsService, sandbox: Sandbox, changes: dict[str, Any]
):
    order = payments.order()
    reference = payments.opened(order)
    pay_on_the_page(sandbox, reference)
    body, _ = delivered(sandbox, reference, "charge.success")

    send(payments, altered(body, **changes))

    assert payments.told(order) == []
    assert payments.alerts(reference) == ["webhook_mismatch"]


def test_a_webhook_of_money_that_does_not_fit_sends_it_back_at_once(
    payments: PaymentsService, sandbox: Sandbox
):
    order = payments.order()
    reference = payments.opened(order)
    sandbox.post("/_sandbox/faults", provider="paystack", fault="capture_amount", amount=PRICE - 1)
    pay_on_the_page(sandbox, reference)

    send(payments, delivered(sandbox, reference, "charge.success")[0])

    assert payments.told(order) == []
    assert payments.alerts(reference) == ["charge_mismatch"]
    assert payments.status(order, reference) == "refund_pending"


def test_s41_a_signed_webhook_is_not_believed_when_paystack_knows_of_no_money(
    payments: PaymentsService, sandbox: Sandbox
):
    other = payments.opened(payments.order())
    pay_on_the_page(sandbox, other)
    body, _ = delivered(sandbox, other, "charge.success")
    order = payments.order()
    reference = payments.opened(order)

    send(payments, altered(body, id=7, reference=reference, metadata={"order_id": str(order.id)}))

    assert payments.told(order) == []
    assert payments.alerts(reference) == ["webhook_unproven"]


def test_a_webhook_about_somebody_elses_reference_is_an_alert(
    payments: PaymentsService, sandbox: Sandbox
):
    reference = sandbox.paid()
    body, _ = delivered(sandbox, reference, "charge.success")

    send(payments, body)

    assert payments.alerts(reference) == ["unknown_reference"]


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        b"[]",
        b'{"event":1}',
        b'{"event":"charge.success","data":{"id":9}}',
        b"[" * 9000,
    ],
)
def test_signed_nonsense_is_kept_and_shown_to_staff(payments: PaymentsService, body: bytes):
    send(payments, body)

    rows = payments.sql("SELECT id, outcome FROM webhooks WHERE body = :body", body=body)
    assert rows[0].outcome == "unreadable"
    assert payments.alerts(str(rows[0].id)) == ["webhook_unreadable"]


def test_an_event_that_concerns_nobody_is_stored_and_left(payments: PaymentsService):
    body = b'{"event":"subscription.create","data":{"id":31}}'

    send(payments, body)

    rows = payments.sql("SELECT outcome FROM webhooks WHERE key = 'subscription.create:31'")
    assert rows[0].outcome == "ignored"


def test_a_webhook_waits_while_paystack_cannot_be_asked(
    payments: PaymentsService, cut_off: PaymentsService, sandbox: Sandbox
):
    order = payments.order()
    reference = payments.opened(order)
    pay_on_the_page(sandbox, reference)
    body, headers = delivered(sandbox, reference, "charge.success")
    cut_off.webhook(body, headers)

    cut_off.apply_webhooks()

    assert payments.told(order) == []
    payments.sql("UPDATE webhooks SET next_attempt_at = now() WHERE applied_at IS NULL")
    payments.apply_webhooks()
    assert payments.told(order) == ["payment_confirmed"]


def test_a_body_that_is_too_large_is_refused(payments: PaymentsService):
    body = b" " * (1024 * 1024 + 1)

    problem(payments.webhook(body, {SIGNATURE: sign(body)}), 413)
