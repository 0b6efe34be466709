"""Each rule sees exactly what is wrong, names what mends it, and takes no lag for a fault."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy.exc import OperationalError

from oja_events.books.audit import RULES
from payments.domain.refund import RefundStatus
from payments.domain.values import Money
from tests.integration.books.shop import Shop, one, one_fault, red


def test_a_shop_in_order_is_green(shop: Shop) -> None:
    report = shop.audit()

    assert red(report) == {}
    assert (report.status, report.waiting) == ("green", 0)
    assert [verdict.rule for verdict in report.verdicts] == list(RULES)
    assert all(verdict.checked for verdict in report.verdicts)


@pytest.mark.parametrize(
    ("counter", "right"), [("on_hand", "on_hand - 1"), ("reserved", "reserved - 1")]
)
def test_a_counter_that_is_not_what_its_rows_make(shop: Shop, counter: str, right: str) -> None:
    sku = next(iter(shop.world.stock))

    report = shop.audit_after(
        "catalog", f"UPDATE stock SET {counter} = {counter} + 1 WHERE sku = :sku", sku=sku
    )

    assert red(report) == {"stock": {sku}}
    stock = one(shop, "catalog", f"SELECT {counter} FROM stock WHERE sku = :sku", sku=sku)[0]
    assert one_fault(report).mend == (
        f'./oja psql catalog -c "UPDATE stock SET {counter} = {stock}'
        f" WHERE sku = '{sku}' AND {counter} = {stock + 1}\""
    )
    assert shop.mended
    assert red(shop.mended) == {}


def test_a_movement_that_does_not_follow_from_the_one_before(shop: Shop) -> None:
    sku = next(iter(shop.world.stock))

    report = shop.audit_after(
        "catalog",
        "UPDATE stock_movements SET delta = delta - 1 WHERE sku = :sku AND order_id IS NULL",
        sku=sku,
    )

    assert red(report) == {"stock": {sku}}


def test_stock_that_is_held_after_the_cancellation(shop: Shop) -> None:
    order_id = shop.orders["cancelled"]

    report = shop.audit_after(
        "catalog",
        "UPDATE order_stock SET state = 'committed' WHERE order_id = :id",
        id=order_id,
    )

    assert red(report) == {"reservations": {str(order_id)}}
    assert "DELETE FROM inbox" in one_fault(report).mend
    assert "--to catalog" in one_fault(report).mend


def test_a_reservation_of_another_size_than_the_order(shop: Shop) -> None:
    order_id, sku = shop.orders["waiting"], next(iter(shop.world.stock))

    report = shop.audit_after(
        "catalog",
        "UPDATE reservations SET quantity = 2 WHERE order_id = :id",
        "UPDATE stock SET reserved = reserved + 1 WHERE sku = :sku",
        id=order_id,
        sku=sku,
    )

    assert red(report) == {"reservations": {str(order_id)}}


def test_stock_that_is_held_for_no_order(shop: Shop) -> None:
    order_id = shop.orders["cancelled"]

    report = shop.audit_after(
        "ordering",
        "DELETE FROM order_history WHERE order_id = :id",
        "DELETE FROM orders WHERE id = :id",
        id=order_id,
    )

    assert red(report) == {"reservations": {str(order_id)}}


@pytest.mark.parametrize(
    "change", ["UPDATE orders SET next_look_at = NULL", "DELETE FROM orders"], ids=["no", "unknown"]
)
def test_an_order_that_waits_for_money_for_ever(shop: Shop, change: str) -> None:
    order_id = shop.orders["waiting"]

    report = shop.audit_after("payments", f"{change} WHERE order_id = :id", id=order_id)

    assert red(report) == {"deadlines": {str(order_id)}}
    assert shop.mended
    assert red(shop.mended) == ({} if "UPDATE" in change else {"deadlines": {str(order_id)}})


def test_an_order_that_is_paid_without_a_capture(shop: Shop) -> None:
    entries, entry = shop.world.paystack.entries, shop.entry("paid")
    del entries[entry.reference]
    try:
        report = shop.audit()
    finally:
        entries[entry.reference] = entry

    assert red(report) == {"paid_orders": {str(shop.orders["paid"])}}


@pytest.mark.parametrize("other", [Money(1, "NGN"), Money(450000, "GHS")])
def test_a_capture_of_another_amount_or_currency(shop: Shop, other: Money) -> None:
    entry = shop.entry("paid")
    captured, entry.captured = entry.captured, other
    try:
        report = shop.audit()
    finally:
        entry.captured = captured

    assert red(report) == {
        "paid_orders": {str(shop.orders["paid"])},
        "captures": {entry.reference},
    }


def test_a_capture_that_paid_for_nothing_and_does_not_go_back(shop: Shop) -> None:
    entry = shop.entry("refunded")
    booked, entry.refunds = entry.refunds, []
    try:
        report = shop.audit_after(
            "payments",
            "DELETE FROM refunds WHERE reference = :reference",
            reference=entry.reference,
        )
    finally:
        entry.refunds = booked

    assert red(report) == {"captures": {entry.reference}}
    assert one_fault(report).mend == f"POST /api/admin/payments/{entry.reference}/refunds"


def test_a_capture_that_payments_knows_nothing_of(shop: Shop) -> None:
    entries, entry = shop.world.paystack.entries, shop.entry("paid")
    entries["other-1"] = replace(entry, id=9_999_999, reference="other-1")
    entries["foreign-1"] = replace(entry, id=9_999_998, reference="foreign-1", order_id=None)  # type: ignore[arg-type]
    try:
        report = shop.audit()
    finally:
        del entries["other-1"], entries["foreign-1"]

    assert red(report) == {"captures": {"other-1"}}


def test_a_refund_that_only_we_call_done(shop: Shop) -> None:
    entry = shop.entry("refunded")
    [booked] = entry.refunds
    booked.status = RefundStatus.PROCESSING
    try:
        report = shop.audit()
    finally:
        booked.status = RefundStatus.PROCESSED

    refund = one(
        shop, "payments", "SELECT id FROM refunds WHERE reference = :reference",
        reference=entry.reference,
    )  # fmt: skip
    assert red(report) == {"refunds": {str(refund.id)}}


@pytest.mark.parametrize(
    ("order", "template"),
    [
        ("waiting", "order_received"),
        ("paid", "payment_confirmed"),
        ("completed", "order_shipped"),
        ("cancelled", "order_cancelled"),
        ("refunded", "refund_done"),
    ],
)
def test_a_mail_that_was_never_written(shop: Shop, order: str, template: str) -> None:
    report = shop.audit_after(
        "notifier",
        "DELETE FROM mails WHERE order_id = :id AND template = :template",
        id=shop.orders[order],
        template=template,
    )

    assert red(report) == {"mails": {str(shop.orders[order])}}
    assert "--to notifier" in one_fault(report).mend
    assert template in one_fault(report).detail


def in_flight_order(shop: Shop) -> None:
    """Placed, and nobody has heard of it."""
    shop.place()


def captured_and_unknown(shop: Shop) -> None:
    """Paystack has the money, its webhook has not come."""
    order_id = shop.place()
    shop.world.deliver_everything()
    shop.capture(order_id)


def cancelled_with_the_news_under_way(shop: Shop) -> None:
    """Paid, delivered everywhere, and cancelled a moment ago."""
    order_id = shop.place()
    shop.world.deliver_everything()
    shop.pay(order_id)
    shop.world.cancel(order_id)
    shop.world.pump()


@pytest.mark.parametrize(
    "happening", [in_flight_order, captured_and_unknown, cancelled_with_the_news_under_way]
)
def test_what_is_still_under_way_is_no_fault(shop: Shop, happening: Callable[[Shop], None]) -> None:
    happening(shop)

    before = shop.audit()
    shop.number()
    numbered = shop.audit()
    shop.settle()

    for report in (before, numbered):
        assert red(report) == {}
        assert report.waiting > 0
    assert red(shop.audit()) == {}


def test_what_a_consumer_has_found_missing_and_not_handled_yet_is_no_fault(shop: Shop) -> None:
    shop.place()
    shop.number()
    shop.compare()

    waiting = one(shop, "catalog", "SELECT count(*) FROM feed_backlog")[0]
    report = shop.audit()

    assert waiting > 0
    assert red(report) == {}
    shop.settle()


def go_through_everything(shop: Shop) -> None:
    """An order that is paid, one that is cancelled, one whose money goes back."""
    for kept, paid in ((True, True), (False, False), (False, True)):
        order_id = shop.place()
        shop.world.deliver_everything()
        if paid:
            shop.pay(order_id)
        if not kept:
            shop.world.cancel(order_id)
        shop.settle()
        shop.end_refunds()
    shop.settle()


def test_while_people_order_pay_and_cancel_nothing_is_ever_red(shop: Shop) -> None:
    reports = []
    with ThreadPoolExecutor(1) as people:
        shopping = [people.submit(go_through_everything, shop) for _ in range(4)]
        while not all(each.done() for each in shopping):
            reports.append(shop.audit())
        for each in shopping:
            each.result()

    assert len(reports) > 3
    assert any(report.waiting for report in reports)
    assert [red(report) for report in [*reports, shop.audit()]] == [{}] * (len(reports) + 1)


def test_a_rule_whose_facts_cannot_be_had_is_neither_green_nor_red(shop: Shop) -> None:
    class Away:
        def connect(self) -> None:
            raise OperationalError("away", None, Exception("away"))

    report = shop.audit(notifier=Away())

    unknown = {verdict.rule for verdict in report.verdicts if verdict.status == "unknown"}
    assert report.status == "unknown"
    assert {"mails", "deliveries"} <= unknown
    assert "stock" not in unknown
