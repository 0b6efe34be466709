"""Paystack's lists as the auditor reads them, and the audit that payments keeps for staff."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from unittest import mock
from uuid import uuid4

import pytest

from oja_events.books.facts import Fact
from oja_events.books.report import SourceAway
from payments.adapters import paystack_books
from payments.adapters.auditing import Auditor
from payments.adapters.breaker import Breaker
from payments.adapters.paystack_books import PaystackBooks
from payments.adapters.paystack_http import PaystackHTTP
from tests.integration.payments.running import PRICE, PaymentsService
from tests.integration.payments.test_refunds import at_paystack, paid
from tests.integration.sandbox.running import PAYSTACK_SECRET, Sandbox
from tests.support.waiting import wait_until


def books_at(payments: PaymentsService) -> PaystackBooks:
    http = PaystackHTTP(payments.deps.settings.paystack_base_url, PAYSTACK_SECRET, Breaker())
    return PaystackBooks(http, PAYSTACK_SECRET)


@pytest.fixture
def books(payments: PaymentsService) -> Iterator[PaystackBooks]:
    """With so small pages that a few payments fill several."""
    with mock.patch.object(paystack_books, "PER_PAGE", 2):
        yield books_at(payments)


def test_every_capture_of_the_time_is_listed_once_with_its_order(
    payments: PaymentsService, sandbox: Sandbox, books: PaystackBooks
) -> None:
    before = datetime.now(UTC)
    made = [paid(payments, sandbox) for _ in range(3)]
    after = datetime.now(UTC) + timedelta(seconds=1)

    listed = list(books.captures(before, after))

    assert sorted((each.reference, each.order_id) for each in listed) == sorted(
        (reference, str(order.id)) for order, reference in made
    )
    assert {(each.amount, each.currency) for each in listed} == {(PRICE, "NGN")}
    assert list(books.captures(after, after + timedelta(hours=1))) == []


def test_a_payment_that_nobody_paid_is_no_capture(
    payments: PaymentsService, books: PaystackBooks
) -> None:
    reference = payments.opened(payments.order())

    assert books.capture(reference) is None
    assert books.capture("nothing-of-the-kind") is None


def test_refunds_are_listed_with_the_capture_that_they_are_of(
    payments: PaymentsService, sandbox: Sandbox, books: PaystackBooks
) -> None:
    before = datetime.now(UTC)
    order, reference = paid(payments, sandbox)
    payments.ask_refund(order, reference)
    payments.advance_refunds()
    wait_until(lambda: at_paystack(sandbox, reference)[0]["status"] == "processed")

    capture = books.capture(reference)

    assert capture
    [refund] = books.refunds_of(capture.provider_id)
    assert (refund.capture_id, refund.amount, refund.status) == (
        capture.provider_id,
        PRICE,
        "processed",
    )
    assert refund in list(books.refunds(before, datetime.now(UTC) + timedelta(seconds=1)))


def test_a_paystack_that_does_not_answer_leaves_the_money_unjudged(
    cut_off: PaymentsService,
) -> None:
    with pytest.raises(SourceAway):
        list(books_at(cut_off).captures(datetime.now(UTC), datetime.now(UTC)))


class Sources:
    """A catalog with one fault; nobody else answers."""

    shown: ClassVar[dict[str, list[Fact]]] = {
        "stock.size": [{"count": 7}],
        "stock.faults": [{"kind": "on_hand", "sku": "CUP", "found": 3, "expected": 2}],
    }

    def __init__(self) -> None:
        self.asked = 0

    def rows(self, service: str, fact: str, **_: Any) -> list[Fact]:
        self.asked += 1
        if fact not in self.shown:
            raise SourceAway(f"{service} is away")
        return self.shown[fact]


def test_staff_see_what_the_last_audit_found(
    payments: PaymentsService, books: PaystackBooks
) -> None:
    staff = payments.signed_in(uuid4(), "audit:read")
    payments.sql("UPDATE books SET report = NULL, next_at = now()")
    ask = payments.app.test_client().get

    before = ask("/api/admin/books", headers=staff).json
    Auditor(payments.deps.unit_of_work, Sources(), books).work()
    after = ask("/api/admin/books", headers=staff).json

    assert (before["status"], before["rules"]) == ("unknown", [])
    assert after["status"] == "red"
    stock, reservations, *_ = after["rules"]
    assert (stock["status"], stock["checked"]) == ("red", 7)
    assert [(fault["id"], fault["service"]) for fault in stock["faults"]] == [("CUP", "catalog")]
    assert (reservations["status"], reservations["error"]) == ("unknown", "ordering is away")


def turns(payments: PaymentsService) -> list[tuple[str, str, list[str]]]:
    """What was told of the stock: rule, status, ids."""
    told = payments.told_about("stock")
    return [(each["rule"], each["status"], each["ids"]) for each in told]


def test_staff_are_told_when_a_rule_turns_and_not_while_it_stays(
    payments: PaymentsService, books: PaystackBooks
) -> None:
    payments.sql("DELETE FROM red_rules")
    sources = Sources()
    auditor = Auditor(payments.deps.unit_of_work, sources, books)
    in_order = {"stock.size": [{"count": 7}], "stock.faults": []}
    before = len(turns(payments))

    for shown in (Sources.shown, Sources.shown, {}, Sources.shown, in_order, in_order):
        sources.shown = shown
        payments.sql("UPDATE books SET next_at = now()")
        auditor.work()

    # Of what could not be judged in between, nobody knows that it had been mended.
    assert turns(payments)[before:] == [("stock", "red", ["CUP"]), ("stock", "green", [])]


def test_only_one_of_several_workers_audits_and_not_all_the_time(
    payments: PaymentsService, books: PaystackBooks
) -> None:
    payments.sql("UPDATE books SET next_at = now()")
    first, second = Sources(), Sources()

    for sources in (first, second):
        Auditor(payments.deps.unit_of_work, sources, books).work()

    assert first.asked > 0
    assert second.asked == 0
