"""What Paystack tells us, and what others pretend that it tells us."""

import hashlib
import hmac
import json
from concurrent.futures import ThreadPoolExecutor

import requests

from tests.support.shop import Shop, await_answer
from tests.support.waiting import wait_until

PATH = "/api/paystack/webhook"


def test_a_webhook_with_a_bad_signature_is_refused_and_changes_nothing(shop: Shop) -> None:
    ada = shop.customer()
    order = ada.buy(shop.staff.new_product(stock=1))
    payment = await_answer(lambda: ada.start_payment(order["id"]), 201)
    body = success_of(payment.json()["reference"], order["total"]["amount"])

    forged = [sign(body, "sk_test_forged"), "", "00" * 64, sign(body, "sk_test_forged").upper()]
    answers = [send(shop, body, signature) for signature in forged]

    assert [answer.status_code for answer in answers] == [401] * len(forged)
    assert ada.order(order["id"])["payment_status"] == "unpaid"


def test_a_well_signed_lie_is_taken_but_not_believed(shop: Shop) -> None:
    ada = shop.customer()
    order = ada.buy(shop.staff.new_product(stock=1))
    payment = await_answer(lambda: ada.start_payment(order["id"]), 201)
    reference = payment.json()["reference"]

    shop.control("POST", "/webhooks", json=json.loads(success_of(reference, 1)))

    shown = ada.get(f"/api/payments/{reference}").json()
    assert shown["status"] == "pending"
    assert ada.order(order["id"])["payment_status"] == "unpaid"


def test_the_same_webhook_ten_times_confirms_once(shop: Shop) -> None:
    ada = shop.customer()
    order = ada.buy(shop.staff.new_product(stock=1))
    reference = shop.pay(ada, order["id"])
    ada.await_status(order["id"], "processing", "paid")
    delivery = wait_until(lambda: delivered(shop, reference))

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda _: resend(shop, delivery), range(10)))

    timeline = ada.get(f"/api/orders/{order['id']}/timeline").json()["items"]
    assert [entry["type"] for entry in timeline].count("paid") == 1
    shop.await_mails(ada.email, "order_received", "payment_confirmed")


def success_of(reference: str, amount: int) -> bytes:
    data = {"id": 1, "reference": reference, "amount": amount, "currency": "NGN"}
    event = {"event": "charge.success", "data": {**data, "status": "success", "domain": "test"}}
    return json.dumps(event, separators=(",", ":")).encode()


def sign(body: bytes, key: str) -> str:
    return hmac.new(key.encode(), body, hashlib.sha512).hexdigest()


def send(shop: Shop, body: bytes, signature: str) -> requests.Response:
    headers = {"Content-Type": "application/json", "x-paystack-signature": signature}
    return requests.post(shop.gateway + PATH, data=body, headers=headers, timeout=10)


def delivered(shop: Shop, reference: str) -> int | None:
    for item in shop.control("GET", "/webhooks")["items"]:
        if reference in str(item) and "charge.success" in str(item):
            return int(item["id"])
    return None


def resend(shop: Shop, delivery: int) -> None:
    shop.control("POST", f"/webhooks/{delivery}/resend")
