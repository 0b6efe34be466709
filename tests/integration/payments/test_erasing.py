"""Customers who closed their account: what Paystack told of them goes too."""

from concurrent.futures import ThreadPoolExecutor

from tests.integration.payments.running import PaymentsService, PlacedOrder, delivered
from tests.integration.payments.test_refunds import at_paystack, paid
from tests.integration.payments.test_webhooks import SIGNATURE, send, sign
from tests.integration.sandbox.running import Sandbox
from tests.support.waiting import wait_until


def bodies(payments: PaymentsService, reference: str) -> list[bytes]:
    """Of the webhooks about a payment, oldest first."""
    query = "SELECT body FROM webhooks WHERE reference = :r ORDER BY id"
    return [bytes(row.body) for row in payments.sql(query, r=reference)]


def erase(payments: PaymentsService, order: PlacedOrder) -> None:
    with payments.deps.unit_of_work() as uow:
        uow.erasures.erase(order.customer_id)
        uow.commit()


def refunded(payments: PaymentsService, sandbox: Sandbox) -> tuple[PlacedOrder, str, bytes]:
    """The webhook of a refund that nobody has received yet, with its order and reference."""
    order, reference = paid(payments, sandbox)
    payments.ask_refund(order, reference)
    payments.advance_refunds()
    wait_until(lambda: at_paystack(sandbox, reference)[0]["status"] == "processed")
    return order, reference, delivered(sandbox, reference, "refund.processed")[0]


def test_what_paystack_told_of_a_customer_goes_and_nothing_else(
    payments: PaymentsService, sandbox: Sandbox
):
    ada, zoe = paid(payments, sandbox), paid(payments, sandbox)
    for _, reference in (ada, zoe):
        send(payments, delivered(sandbox, reference, "charge.success")[0])

    erase(payments, ada[0])

    assert bodies(payments, ada[1]) == [b""]
    assert b"ada@example.com" in bodies(payments, zoe[1])[0]


def test_what_paystack_tells_afterwards_is_used_and_not_kept(
    payments: PaymentsService, sandbox: Sandbox
):
    order, reference, body = refunded(payments, sandbox)
    erase(payments, order)

    send(payments, body)

    assert bodies(payments, reference) == [b""]
    payments.advance_refunds()
    assert payments.told(order) == ["payment_confirmed", "payment_refunded"]


def test_what_is_applied_while_the_customer_is_erased_is_not_kept(
    payments: PaymentsService, sandbox: Sandbox
):
    order, reference, body = refunded(payments, sandbox)

    with ThreadPoolExecutor(1) as pool:
        with payments.deps.unit_of_work() as erasing:
            erasing.erasures.erase(order.customer_id)
            applied = pool.submit(send, payments, body)
            wait_until(payments.somebody_waits_for_a_lock)
            erasing.commit()
        applied.result(30)

    assert bodies(payments, reference) == [b""]


def test_who_is_erased_while_a_webhook_is_applied_is_not_kept_in_it(
    payments: PaymentsService, sandbox: Sandbox
):
    order, reference, body = refunded(payments, sandbox)
    assert payments.webhook(body, {SIGNATURE: sign(body)}).status_code == 200
    [webhook] = payments.sql("SELECT id FROM webhooks WHERE applied_at IS NULL")

    with ThreadPoolExecutor(1) as pool:
        with payments.deps.unit_of_work() as applying:
            applying.webhooks.applied(webhook.id, "applied", reference)
            erased = pool.submit(erase, payments, order)
            wait_until(payments.somebody_waits_for_a_lock)
            applying.commit()
        erased.result(30)

    assert bodies(payments, reference) == [b""]
