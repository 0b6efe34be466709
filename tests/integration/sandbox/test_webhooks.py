"""Events reach the shop signed, again and again until it says 200, and as tests wish."""

import hashlib
import hmac
import json
import signal
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.integration.sandbox.running import PAYSTACK_SECRET, Received, Sandbox, Shop
from tests.support.waiting import wait_until


def is_genuine(webhook: Received) -> bool:
    expected = hmac.new(PAYSTACK_SECRET.encode(), webhook.body, hashlib.sha512).hexdigest()
    return webhook.headers["x-paystack-signature"] == expected


def content(webhook: Received) -> Any:
    return json.loads(webhook.body)


def delivery(sandbox: Sandbox, reference: str) -> Any:
    items = sandbox.get("/_sandbox/webhooks", params={"reference": reference})["items"]
    return items[0] if items else None


def test_a_payment_is_told_with_paystacks_headers_and_fields(sandbox: Sandbox, shop: Shop) -> None:
    reference = sandbox.opened(metadata='{"name":"Adé"}')
    sandbox.post(f"/_sandbox/paystack/transactions/{reference}/pay")

    (webhook,) = shop.waits_for(reference)

    data = content(webhook)["data"]
    assert content(webhook)["event"] == "charge.success"
    assert is_genuine(webhook)
    assert webhook.headers["content-type"] == "application/json"
    assert webhook.headers["user-agent"] == "Paystack/2.0"
    assert webhook.headers["accept"] == "application/json, text/plain, */*"
    assert "Adé".encode() in webhook.body
    assert json.dumps(content(webhook), separators=(",", ":"), ensure_ascii=False).encode() == (
        webhook.body
    )
    verified = sandbox.verified(reference)
    assert {key: data[key] for key in ("id", "reference", "amount", "paid_at")} == {
        key: verified[key] for key in ("id", "reference", "amount", "paid_at")
    }
    assert (data["log"], data["plan"]) == (None, {})


def test_a_failed_payment_is_not_told(sandbox: Sandbox, shop: Shop) -> None:
    reference = sandbox.opened()

    sandbox.post(f"/_sandbox/paystack/transactions/{reference}/fail")

    assert delivery(sandbox, reference) is None


@pytest.mark.parametrize("answer", [500, 404, 201, 302])
def test_only_200_counts_as_delivered(sandbox: Sandbox, shop: Shop, answer: int) -> None:
    shop.answers.append(answer)

    reference = sandbox.paid()

    shop.waits_for(reference, 2)
    wait_until(lambda: delivery(sandbox, reference)["state"] == "delivered")
    attempts = delivery(sandbox, reference)["attempts"]
    assert [attempt["status"] for attempt in attempts] == [answer, 200]


def test_a_refund_is_told_at_every_step(sandbox: Sandbox, shop: Shop) -> None:
    reference = sandbox.paid()
    refund = sandbox.paystack("POST", "/refund", json={"transaction": reference}).json()["data"]

    webhooks = shop.waits_for(reference, 4)

    told = {content(webhook)["event"]: content(webhook)["data"] for webhook in webhooks}
    assert set(told) == {
        "charge.success",
        "refund.pending",
        "refund.processing",
        "refund.processed",
    }
    processed = told["refund.processed"]
    assert processed["transaction_reference"] == reference
    assert processed["id"] == str(refund["id"])
    assert processed["amount"] == "250000"
    assert told["refund.pending"]["refund_reference"] is None
    assert processed["refund_reference"]


def test_the_next_webhook_is_sent_more_than_once(sandbox: Sandbox, shop: Shop) -> None:
    sandbox.post("/_sandbox/webhooks/switches", repeat=2)

    webhooks = shop.waits_for(sandbox.paid(), 3)

    assert len({webhook.body for webhook in webhooks}) == 1


def test_the_next_webhook_is_dropped_until_it_is_sent_again(sandbox: Sandbox, shop: Shop) -> None:
    sandbox.post("/_sandbox/webhooks/switches", drop=True)
    reference = sandbox.paid()
    dropped = delivery(sandbox, reference)

    sandbox.post(f"/_sandbox/webhooks/{dropped['id']}/resend")

    assert dropped["state"] == "dropped"
    assert len(shop.waits_for(reference)) == 1


def test_the_next_webhook_waits(sandbox: Sandbox, shop: Shop) -> None:
    sandbox.post("/_sandbox/webhooks/switches", delay=0.3)

    began = datetime.now(UTC)
    late = sandbox.paid()

    assert sandbox.get("/_sandbox/webhooks/switches")["items"] == []
    (attempt,) = wait_until(lambda: delivery(sandbox, late)["attempts"])
    # The sandbox leaves out what is less than a millisecond.
    assert datetime.fromisoformat(attempt["at"]) - began > timedelta(seconds=0.299)


@pytest.mark.parametrize("signature", ["valid", "invalid"])
def test_the_next_webhook_is_altered(sandbox: Sandbox, shop: Shop, signature: str) -> None:
    alter = {"amount": 1, "customer.email": "eve@example.com"}
    sandbox.post("/_sandbox/webhooks/switches", alter=alter, signature=signature)

    (webhook,) = shop.waits_for(sandbox.paid())

    data = content(webhook)["data"]
    assert (data["amount"], data["customer"]["email"]) == (1, "eve@example.com")
    assert is_genuine(webhook) == (signature == "valid")


def test_a_switch_may_concern_one_reference_only(sandbox: Sandbox, shop: Shop) -> None:
    concerned = sandbox.opened()
    sandbox.post("/_sandbox/webhooks/switches", drop=True, reference=concerned)

    shop.waits_for(sandbox.paid())
    sandbox.post(f"/_sandbox/paystack/transactions/{concerned}/pay")

    assert delivery(sandbox, concerned)["state"] == "dropped"


def test_a_misspelt_switch_is_refused(sandbox: Sandbox) -> None:
    answer = sandbox.http.post(f"{sandbox.url}/_sandbox/webhooks/switches", json={"dealy": 3})

    assert answer.status_code == 400
    assert "dealy" in answer.json()["error"]


def test_a_wrong_transfer_is_rejected_and_not_a_payment(sandbox: Sandbox, shop: Shop) -> None:
    reference = sandbox.opened()
    payment_id = sandbox.verified(reference)["id"]

    path = f"/_sandbox/paystack/transactions/{reference}/pay"
    sandbox.post(path, channel="bank_transfer", amount=100)

    (webhook,) = shop.waits_for(f'"transaction_id":"{payment_id}"')
    assert content(webhook)["event"] == "bank.transfer.rejected"
    assert content(webhook)["data"]["bank_transfer"]["amount"] == "100"
    assert sandbox.verified(reference)["status"] == "abandoned"


def test_a_killed_sandbox_goes_on_where_it_was(own_sandbox: Sandbox, shop: Shop) -> None:
    shop.answers += [503] * 3
    paid = own_sandbox.paid()
    refund = own_sandbox.paystack("POST", "/refund", json={"transaction": paid}).json()["data"]
    unpaid = own_sandbox.opened()
    before = own_sandbox.verified(paid)["id"]
    own_sandbox.post("/_sandbox/webhooks/switches", drop=True, reference=unpaid)

    own_sandbox.end(signal.SIGKILL)
    shop.answers.clear()
    own_sandbox.start()

    assert own_sandbox.verified(paid)["id"] == before
    assert own_sandbox.verified(unpaid)["status"] == "abandoned"
    assert len(own_sandbox.get("/_sandbox/webhooks/switches")["items"]) == 1
    wait_until(
        lambda: delivery_states(own_sandbox, paid) >= {"charge.success": "delivered"}.items()
    )
    path = f"/refund/{refund['id']}"
    wait_until(lambda: own_sandbox.paystack("GET", path).json()["data"]["status"] == "processed")


def delivery_states(sandbox: Sandbox, reference: str) -> Any:
    items = sandbox.get("/_sandbox/webhooks", params={"reference": reference})["items"]
    return {item["event"]: item["state"] for item in items}.items()


def test_an_ended_sandbox_says_so_and_nothing_secret(own_sandbox: Sandbox) -> None:
    own_sandbox.paid()

    assert own_sandbox.end(signal.SIGTERM) == 0

    lines = [json.loads(line) for line in own_sandbox.log().splitlines()]
    assert lines[-1]["event"] == "sandbox stopped"
    assert PAYSTACK_SECRET not in own_sandbox.log()


def test_a_reset_forgets_all_but_the_ids(own_sandbox: Sandbox) -> None:
    first = own_sandbox.verified(own_sandbox.paid())["id"]

    own_sandbox.post("/_sandbox/reset")

    assert own_sandbox.get("/_sandbox/books") == {"transactions": [], "refunds": []}
    assert own_sandbox.verified(own_sandbox.paid())["id"] > first
