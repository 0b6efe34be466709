"""Opening payments: over HTTP, a real database and the sandbox."""

import json
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from uuid_utils.compat import uuid7

from oja_web.testing import problem
from payments.adapters.paystack import Paystack
from payments.domain.order import ClosedReason
from payments.domain.payment import Payment
from payments.use_cases import opening
from payments.use_cases.ports import Page
from tests.integration.payments.running import (
    PRICE,
    SHOP,
    PaymentsService,
    PlacedOrder,
    seconds,
    together,
)
from tests.integration.sandbox.running import Sandbox
from tests.support.waiting import wait_until


def initialized(sandbox: Sandbox, order: PlacedOrder) -> list[str]:
    """The references of this order that Paystack was asked to open, oldest first."""
    calls = sandbox.get("/_sandbox/calls", params={"path": "/transaction/initialize"})["items"]
    references = [call["fields"]["reference"] for call in reversed(calls)]
    return [reference for reference in references if order.number.lower() in reference]


def break_next(sandbox: Sandbox, fault: str, path: str, **more: object) -> None:
    sandbox.post("/_sandbox/faults", provider="paystack", fault=fault, path=path, **more)


def test_s33_an_order_is_paid_at_its_own_price(payments: PaymentsService, sandbox: Sandbox):
    order = payments.order()

    answer = payments.pay(order, callback_url=f"https://{SHOP}/thanks?from=pay")

    assert answer.status_code == 201
    opened = answer.json
    assert opened["reference"] == order.first_reference
    assert opened["amount"] == {"amount": PRICE, "currency": "NGN"}
    assert opened["status"] == "pending"
    assert opened["authorization_url"].endswith(opened["access_code"])
    at_paystack = sandbox.get(f"/_sandbox/paystack/transactions/{order.first_reference}")
    assert (at_paystack["amount"], at_paystack["currency"]) == (PRICE, "NGN")
    assert at_paystack["metadata"]["order_id"] == str(order.id)
    assert at_paystack["callback_url"] == f"https://{SHOP}/thanks?from=pay"


def test_paying_twice_leads_to_the_same_page(payments: PaymentsService):
    order = payments.order()

    first, second = payments.pay(order), payments.pay(order)

    assert second.status_code == 201
    assert second.json == first.json


def test_the_same_key_is_answered_from_memory(payments: PaymentsService, sandbox: Sandbox):
    order = payments.order()

    first, again = payments.pay(order, key="k"), payments.pay(order, key="k")

    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.data == first.data
    assert initialized(sandbox, order) == [order.first_reference]


def test_twenty_requests_at_once_open_one_payment(payments: PaymentsService, sandbox: Sandbox):
    order = payments.order()

    answers = together(20, lambda _: payments.pay(order))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json["authorization_url"] for answer in answers}) == 1
    assert initialized(sandbox, order) == [order.first_reference]


def test_an_order_that_is_closed_the_moment_before_an_attempt_begins_gets_none(
    payments: PaymentsService,
):
    order = payments.order()

    with ThreadPoolExecutor() as pool, payments.deps.unit_of_work() as uow:
        closed = uow.orders.get(order.id)
        paying = pool.submit(payments.pay, order)
        wait_until(payments.somebody_waits_for_a_lock, what="the attempt to begin")
        closed.close(ClosedReason.CANCELLED)
        uow.orders.save(closed)
        uow.commit()

        problem(paying.result(), 409, "order_not_payable")

    assert payments.references(order) == {}


def test_an_order_that_is_closed_while_paystack_opens_its_payment_is_not_paid(
    payments: PaymentsService, monkeypatch: pytest.MonkeyPatch
):
    order = payments.order()
    initialize, may_go_on = Paystack.initialize, threading.Event()

    def slowly(self: Paystack, payment: Payment) -> Page:
        assert may_go_on.wait(30)
        return initialize(self, payment)

    monkeypatch.setattr(Paystack, "initialize", slowly)

    with ThreadPoolExecutor() as pool:
        paying = pool.submit(payments.pay, order)
        wait_until(lambda: payments.references(order), what="the attempt")
        payments.cancel(order)
        may_go_on.set()

        problem(paying.result(), 409, "order_not_payable")

    assert payments.references(order) == {order.first_reference: "abandoned"}


def test_somebody_elses_order_does_not_exist(payments: PaymentsService):
    order = payments.order()

    problem(payments.pay(order, by=uuid.uuid4()), 404, "not_found")


def test_an_unknown_order_is_refused_at_once(
    payments: PaymentsService, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(opening, "STOCK_PATIENCE", 20)
    unknown = PlacedOrder(uuid.uuid4(), "OJ-0", uuid.uuid4())

    assert seconds(lambda: problem(payments.pay(unknown), 404, "not_found")) < 19


def test_paying_waits_for_news_of_an_order_placed_a_moment_ago(
    payments: PaymentsService, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(opening, "STOCK_PATIENCE", 20)
    order = PlacedOrder(uuid7(), f"OJ-{uuid.uuid4().hex[:8]}", uuid.uuid4())

    def news() -> None:
        payments.reserve(order)
        payments.place(order)

    late = threading.Timer(0.3, news)
    late.start()
    answer = payments.pay(order)
    late.join()

    assert answer.status_code == 201


def test_paying_gives_up_after_two_seconds_without_the_stock_news(payments: PaymentsService):
    order = payments.order(reserved=False)

    began = time.monotonic()
    answer = payments.pay(order, key="again")

    assert time.monotonic() - began > 1.9
    problem(answer, 409, "order_not_ready")
    assert answer.headers["Retry-After"] == "1"
    payments.reserve(order)
    assert payments.pay(order, key="again").status_code == 201


@pytest.mark.parametrize("end", ["cancel", "reject"])
def test_a_closed_order_cannot_be_paid_whatever_news_came_first(
    payments: PaymentsService, end: str
):
    order = PlacedOrder(uuid7(), f"OJ-{uuid.uuid4().hex[:8]}", uuid.uuid4())
    getattr(payments, end)(order)
    payments.reserve(order)
    payments.place(order)

    problem(payments.pay(order), 409, "order_not_payable")


def test_an_order_cannot_be_paid_after_its_time(payments: PaymentsService):
    order = payments.order(window=timedelta(seconds=-1))

    problem(payments.pay(order), 409, "order_not_payable")


def test_a_paid_order_cannot_be_paid_again_though_the_webhook_is_late(
    payments: PaymentsService, sandbox: Sandbox
):
    order = payments.order()
    reference = payments.opened(order)
    sandbox.post(f"/_sandbox/paystack/transactions/{reference}/pay")

    problem(payments.pay(order), 409, "order_not_payable")

    assert payments.told(order) == ["payment_confirmed"]


def test_after_a_declined_card_the_next_attempt_has_another_reference(
    payments: PaymentsService, sandbox: Sandbox
):
    order = payments.order()
    first = payments.opened(order)
    sandbox.post(f"/_sandbox/paystack/transactions/{first}/fail")

    second = payments.opened(order)

    assert second == f"{order.number}-2".lower()
    assert payments.references(order) == {first: "failed", second: "pending"}


def test_a_lost_answer_never_leaves_two_payments_to_pay(
    payments: PaymentsService, sandbox: Sandbox
):
    order = payments.order()
    break_next(sandbox, "drop_answer", "/transaction/initialize")

    answer = payments.pay(order)

    second = f"{order.number}-2".lower()
    assert answer.status_code == 201
    assert answer.json["reference"] == second
    # The first page was never shown to anybody, and the first reference stays watched.
    assert payments.references(order) == {order.first_reference: "abandoned", second: "pending"}
    watched = payments.sql(
        "SELECT 1 FROM payments WHERE reference = :r AND next_check_at IS NOT NULL",
        r=order.first_reference,
    )
    assert watched


def test_a_request_that_never_arrived_is_made_again_under_its_reference(
    payments: PaymentsService, sandbox: Sandbox
):
    order = payments.order()
    break_next(sandbox, "error", "/transaction/initialize")

    answer = payments.pay(order)

    assert answer.status_code == 201
    assert answer.json["reference"] == order.first_reference


def test_while_paystack_says_nothing_the_reference_is_kept_for_the_next_try(
    payments: PaymentsService, sandbox: Sandbox
):
    order = payments.order()
    break_next(sandbox, "drop_answer", "/transaction/initialize")
    break_next(sandbox, "error", "/transaction/verify")

    answer = payments.pay(order, key="k")

    problem(answer, 503, "payment_provider_unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert payments.references(order) == {order.first_reference: "pending"}
    again = payments.pay(order, key="k")
    assert again.status_code == 201
    assert list(payments.references(order).values()) == ["abandoned", "pending"]


def test_a_reference_that_is_somebody_elses_at_paystack_is_left_alone(
    payments: PaymentsService, sandbox: Sandbox
):
    order = payments.order()
    metadata = json.dumps({"order_id": str(uuid.uuid4())})
    taken = sandbox.opened(reference=order.first_reference, amount=PRICE, metadata=metadata)
    sandbox.post(f"/_sandbox/paystack/transactions/{taken}/pay")

    answer = payments.pay(order)

    assert answer.json["reference"] == f"{order.number}-2".lower()
    assert payments.alerts(order.first_reference) == ["charge_mismatch"]
    assert payments.told(order) == []


def test_a_paystack_that_is_away_is_a_503_that_may_be_repeated(
    payments: PaymentsService, cut_off: PaymentsService
):
    order = cut_off.order()

    problem(cut_off.pay(order, key="k"), 503, "payment_provider_unavailable")

    assert payments.pay(order, key="k").status_code == 201


def test_a_paystack_that_stays_away_is_not_asked_every_time(
    cut_off: PaymentsService,
):
    orders = [cut_off.order() for _ in range(6)]
    for order in orders[:5]:
        cut_off.pay(order)

    answer = cut_off.pay(orders[5])

    problem(answer, 503, "payment_provider_unavailable")
    assert "not asked" in str(_error_of(cut_off))


def _error_of(service: PaymentsService) -> Exception | None:
    try:
        service.deps.provider.charge("any")
    except Exception as error:
        return error
    return None


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example.com/",
        f"https://{SHOP}.evil.example.com/",
        f"https://evil.example.com\\@{SHOP}/",
        f"https://user@{SHOP}/",
        f"javascript://{SHOP}/",
        f"//{SHOP}/",
        f"https://{SHOP}/\nSet-Cookie:",
    ],
)
def test_s50_customers_are_sent_back_to_our_own_hosts_only(payments: PaymentsService, url: str):
    refused = problem(payments.pay(payments.order(), callback_url=url), 422, "invalid")

    assert "callback_url" in refused["errors"]


def test_a_key_is_required(payments: PaymentsService):
    order = payments.order()
    headers = payments.signed_in(order.customer_id)

    answer = payments.app.test_client().post(
        "/api/pay", json={"order_id": str(order.id)}, headers=headers
    )

    problem(answer, 400, "idempotency_key_required")
