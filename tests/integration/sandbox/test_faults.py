"""Paystack on a bad day."""

import time

import pytest
import requests

from tests.integration.sandbox.running import Sandbox, new_reference

VERIFY = "/transaction/verify"


def initialize(sandbox: Sandbox, reference: str) -> requests.Response:
    body = {"email": "ada@example.com", "amount": 250_000, "reference": reference}
    return sandbox.paystack("POST", "/transaction/initialize", json=body)


def test_calls_are_limited(sandbox: Sandbox) -> None:
    reference = sandbox.opened()
    sandbox.post("/_sandbox/faults", provider="paystack", fault="rate_limit", seconds=7)

    limited = sandbox.paystack("GET", f"{VERIFY}/{reference}")

    assert limited.status_code == 429
    assert limited.json()["message"] == "Rate limit exceeded!"
    assert limited.json()["code"] == "rate_limited"
    assert limited.headers["x-ratelimit-reset"] == "7"
    assert limited.headers["x-ratelimit-remaining"] == "0"
    assert sandbox.verified(reference)["status"] == "abandoned"


def test_an_error_comes_before_the_work_is_done(sandbox: Sandbox) -> None:
    sandbox.post("/_sandbox/faults", provider="paystack", fault="error", status=502)
    reference = new_reference()

    assert initialize(sandbox, reference).status_code == 502
    assert initialize(sandbox, reference).status_code == 200


def test_an_error_may_come_after_the_work(sandbox: Sandbox) -> None:
    sandbox.post("/_sandbox/faults", provider="paystack", fault="error", when="after")
    reference = new_reference()

    assert initialize(sandbox, reference).status_code == 500
    assert sandbox.verified(reference)["status"] == "abandoned"


def test_the_answer_is_lost_though_the_work_is_done(sandbox: Sandbox) -> None:
    sandbox.post("/_sandbox/faults", provider="paystack", fault="drop_answer", path="initialize")
    reference = new_reference()

    with pytest.raises(requests.ConnectionError):
        initialize(sandbox, reference)

    assert sandbox.verified(reference)["reference"] == reference
    assert initialize(sandbox, reference).json()["code"] == "duplicate_reference"


def test_a_call_hangs(sandbox: Sandbox) -> None:
    reference = sandbox.opened()
    sandbox.post("/_sandbox/faults", provider="paystack", fault="hang", seconds=0.3)
    began = time.monotonic()

    answer = sandbox.paystack("GET", f"{VERIFY}/{reference}")

    assert answer.status_code == 200
    assert time.monotonic() - began >= 0.3


def test_another_amount_is_captured(sandbox: Sandbox) -> None:
    sandbox.post("/_sandbox/faults", provider="paystack", fault="capture_amount", amount=100)

    payment = sandbox.verified(sandbox.paid())

    assert (payment["amount"], payment["requested_amount"]) == (100, 250_000)


def test_a_fault_stays_until_it_is_cleared(sandbox: Sandbox) -> None:
    reference = sandbox.opened()
    sandbox.post("/_sandbox/faults", provider="paystack", fault="error", times=0, method="GET")

    down = {sandbox.paystack("GET", f"{VERIFY}/{reference}").status_code for _ in range(3)}
    sandbox.http.delete(f"{sandbox.url}/_sandbox/faults")

    assert down == {500}
    assert sandbox.verified(reference)["status"] == "abandoned"


def test_calls_are_listed_without_secrets(sandbox: Sandbox) -> None:
    reference = sandbox.opened()

    calls = sandbox.get("/_sandbox/calls", params={"provider": "paystack", "path": "initialize"})

    newest = calls["items"][0]
    assert newest["fields"]["reference"] == reference
    assert (newest["method"], newest["status"]) == ("POST", 200)
