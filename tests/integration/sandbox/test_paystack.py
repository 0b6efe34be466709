"""Paystack's API as any client of it expects."""

from typing import Any

import pytest
import requests

from tests.integration.sandbox.running import Sandbox, new_reference
from tests.support.waiting import wait_until


def test_a_payment_is_opened_with_a_checkout_page(sandbox: Sandbox) -> None:
    reference = new_reference()
    body = {"email": "ada@example.com", "amount": 250_000, "reference": reference}

    answer = sandbox.paystack("POST", "/transaction/initialize", json=body)

    envelope = answer.json()
    code = envelope["data"]["access_code"]
    assert (answer.status_code, envelope["status"]) == (200, True)
    assert envelope["message"] == "Authorization URL created"
    assert envelope["data"]["reference"] == reference
    assert len(code) == 15
    assert envelope["data"]["authorization_url"] == f"{sandbox.url}/checkout/{code}"


def test_a_form_does_as_well_as_json(sandbox: Sandbox) -> None:
    form = {"email": "ada@example.com", "amount": "250000", "reference": new_reference()}

    answer = sandbox.paystack("POST", "/transaction/initialize", data=form)

    assert answer.status_code == 200
    assert sandbox.verified(form["reference"])["amount"] == 250_000


def test_a_reference_is_made_up_where_none_is_given(sandbox: Sandbox) -> None:
    reference = sandbox.opened(reference=None)

    assert sandbox.verified(reference)["reference"] == reference


def test_a_new_payment_is_abandoned_until_it_is_paid(sandbox: Sandbox) -> None:
    payment = sandbox.verified(sandbox.opened(metadata='{"order_id": 42}'))

    assert payment["status"] == "abandoned"
    assert payment["paid_at"] is None
    assert payment["authorization"] == {}
    assert payment["metadata"] == {"order_id": 42}
    assert payment["domain"] == "test"
    assert payment["currency"] == "NGN"


def test_a_paid_payment_has_everything_that_verify_promises(sandbox: Sandbox) -> None:
    payment = sandbox.verified(sandbox.paid())

    assert payment["status"] == "success"
    assert payment["gateway_response"] == "Successful"
    assert (payment["amount"], payment["requested_amount"], payment["fees"]) == (
        250_000,
        250_000,
        13_750,
    )
    assert payment["id"] > 2**32
    assert payment["paid_at"] == payment["paidAt"]
    assert payment["authorization"]["last4"] == "4081"
    assert payment["authorization"]["card_type"] == "visa "
    assert payment["customer"]["email"] == "ada@example.com"
    assert payment["plan"] is None
    assert {"receipt_number", "log", "fees_split", "pos_transaction_data", "source"} <= set(payment)


def test_a_payment_is_fetched_by_its_id(sandbox: Sandbox) -> None:
    payment = sandbox.verified(sandbox.paid())

    answer = sandbox.paystack("GET", f"/transaction/{payment['id']}").json()

    assert answer == {"status": True, "message": "Transaction retrieved", "data": payment}


def test_payments_are_listed_by_page_with_totals(sandbox: Sandbox) -> None:
    email = f"{new_reference()}@example.com"
    for _ in range(3):
        customer = sandbox.verified(sandbox.opened(email=email))["customer"]["id"]

    query = {"customer": customer, "perPage": 2, "page": 2, "status": "abandoned"}
    answer = sandbox.paystack("GET", "/transaction", params=query).json()

    assert len(answer["data"]) == 1
    assert answer["meta"] == {
        "total": 3,
        "total_volume": 750_000,
        "skipped": 2,
        "perPage": 2,
        "page": 2,
        "pageCount": 2,
    }


@pytest.mark.parametrize("key", [None, "Bearer wrong", "Basic c2s="])
def test_a_wrong_key_is_refused(sandbox: Sandbox, key: str | None) -> None:
    headers = {"Authorization": key} if key else {}

    answer = requests.get(f"{sandbox.url}/paystack/transaction", headers=headers, timeout=5)

    assert answer.status_code == 401
    assert answer.json() == {
        "status": False,
        "message": "Invalid key",
        "meta": {
            "nextStep": "Ensure that you provide the correct authorization key for the request"
        },
        "type": "validation_error",
        "code": "invalid_Key",
    }


def test_a_reference_is_unique_for_ever(sandbox: Sandbox) -> None:
    reference = sandbox.paid()
    body = {"email": "ada@example.com", "amount": 300_000, "reference": reference}

    answer = sandbox.paystack("POST", "/transaction/initialize", json=body)

    assert answer.status_code == 400
    assert answer.json()["message"] == "Duplicate Transaction Reference"
    assert answer.json()["code"] == "duplicate_reference"


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/transaction/verify/nobody-knows-it", 400, "Transaction reference not found."),
        ("/transaction/1", 404, "Transaction not found"),
        ("/transaction/99999999999999999999999", 404, "Transaction not found"),
        ("/transaction/abc", 400, "Transaction ID should be numeric."),
    ],
)
def test_what_is_unknown_is_told_as_paystack_does(
    sandbox: Sandbox, path: str, status: int, message: str
) -> None:
    answer = sandbox.paystack("GET", path)

    assert (answer.status_code, answer.json()["message"]) == (status, message)
    assert answer.json()["status"] is False


@pytest.mark.parametrize(
    ("card", "status", "gateway"),
    [
        ("5060 6666 6666 6666 666", "success", "Successful"),
        ("4084080000005408", "failed", "Declined"),
        ("4084080000670037", "failed", "Insufficient Funds"),
        ("4111111111111111", "failed", "Transaction declined. Please use the test card."),
    ],
)
def test_the_card_decides(sandbox: Sandbox, card: str, status: str, gateway: str) -> None:
    payment = sandbox.verified(sandbox.paid(card=card))

    assert (payment["status"], payment["gateway_response"]) == (status, gateway)


def test_a_declined_customer_may_try_again(sandbox: Sandbox) -> None:
    reference = sandbox.paid(card="4084080000005408")

    sandbox.post(f"/_sandbox/paystack/transactions/{reference}/pay")

    assert sandbox.verified(reference)["status"] == "success"


def test_nobody_pays_twice(sandbox: Sandbox) -> None:
    reference = sandbox.paid()

    again = sandbox.http.post(f"{sandbox.url}/_sandbox/paystack/transactions/{reference}/pay")

    assert again.status_code == 409


def test_a_session_times_out(sandbox: Sandbox) -> None:
    path = "/integration/payment_session_timeout"
    reference = sandbox.opened()
    changed = sandbox.paystack("PUT", path, json={"timeout": 1}).json()
    pay = f"{sandbox.url}/_sandbox/paystack/transactions/{reference}/pay"
    try:
        assert changed["message"] == "Payment session timeout updated"
        assert sandbox.paystack("GET", path).json()["data"] == {"payment_session_timeout": 1}
        created = sandbox.verified(reference)["created_at"]
        assert created
        wait_until(lambda: _expired(sandbox, reference))
        assert "Session timeout exceeded" in sandbox.http.post(pay).json()["error"]
    finally:
        sandbox.paystack("PUT", path, json={"timeout": 0})


def _expired(sandbox: Sandbox, reference: str) -> bool:
    path = f"/_sandbox/paystack/transactions/{reference}/abandon"
    return sandbox.http.post(sandbox.url + path).status_code == 409


def refunded(sandbox: Sandbox, reference: str, **fields: Any) -> requests.Response:
    return sandbox.paystack("POST", "/refund", json={"transaction": reference, **fields})


def refund_ends(sandbox: Sandbox, refund_id: int, status: str) -> Any:
    path = f"/refund/{refund_id}"
    wait_until(lambda: sandbox.paystack("GET", path).json()["data"]["status"] == status)
    return sandbox.paystack("GET", path).json()["data"]


def test_a_full_refund_is_queued_and_then_reverses_the_payment(sandbox: Sandbox) -> None:
    reference = sandbox.paid()

    answer = refunded(sandbox, reference).json()

    assert answer["message"] == "Refund has been queued for processing"
    assert answer["data"]["status"] == "pending"
    assert answer["data"]["amount"] == 250_000
    assert answer["data"]["transaction"]["reference"] == reference
    refund = refund_ends(sandbox, answer["data"]["id"], "processed")
    assert refund["transaction"] == answer["data"]["transaction"]["id"]
    assert sandbox.verified(reference)["status"] == "reversed"


def test_parts_are_refunded_until_all_is_back(sandbox: Sandbox) -> None:
    reference = sandbox.paid()
    payment_id = sandbox.verified(reference)["id"]

    first = refunded(sandbox, payment_id, amount="100000").json()["data"]
    refund_ends(sandbox, first["id"], "processed")
    assert sandbox.verified(reference)["status"] == "success"
    too_much = refunded(sandbox, reference, amount=150_001)
    rest = refunded(sandbox, reference).json()["data"]
    once_more = refunded(sandbox, reference)

    assert (too_much.status_code, too_much.json()["type"]) == (400, "api_error")
    assert rest["amount"] == 150_000
    assert once_more.json()["message"] == "Transaction has been fully reversed"
    assert once_more.json()["code"] == "transaction_reversed"
    listed = sandbox.paystack("GET", "/refund", params={"transaction": payment_id}).json()
    assert [one["amount"] for one in listed["data"]] == [150_000, 100_000]


@pytest.mark.parametrize(
    ("card", "status"),
    [("4084080000671803", "failed"), ("4084080000671902", "needs-attention")],
)
def test_some_cards_do_not_take_a_refund(sandbox: Sandbox, card: str, status: str) -> None:
    reference = sandbox.paid(card=card)

    refund = refunded(sandbox, reference).json()["data"]

    refund_ends(sandbox, refund["id"], status)
    assert sandbox.verified(reference)["status"] == "success"


def test_a_refund_that_needs_attention_is_retried_with_an_account(sandbox: Sandbox) -> None:
    reference = sandbox.paid(card="4084080000671902")
    refund_id = refunded(sandbox, reference).json()["data"]["id"]
    path = f"/refund/retry_with_customer_details/{refund_id}"
    account = {"currency": "NGN", "account_number": "0000000000", "bank_id": "1"}
    body = {"refund_account_details": account}

    too_early = sandbox.paystack("POST", path, json=body)
    refund_ends(sandbox, refund_id, "needs-attention")
    sandbox.paystack("POST", path, json=body)

    assert too_early.status_code == 422
    refund_ends(sandbox, refund_id, "processed")


@pytest.mark.parametrize(
    ("fields", "status"),
    [({"transaction": "unknown"}, 404), ({"currency": "USD"}, 400), ({"amount": 0}, 400)],
)
def test_a_wrong_refund_is_refused(sandbox: Sandbox, fields: dict[str, Any], status: int) -> None:
    body = {"transaction": sandbox.paid(), **fields}

    assert sandbox.paystack("POST", "/refund", json=body).status_code == status


def test_an_unpaid_payment_is_not_refunded(sandbox: Sandbox) -> None:
    assert refunded(sandbox, sandbox.opened()).status_code == 400
