"""docs/money-races.md, cell by cell."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from oja_events.contracts.catalog import Shortage, StockRejected
from ordering.domain.order import IllegalTransition
from ordering.use_cases import event_handlers as ordering_hears
from payments.domain.refund import RefundStatus
from payments.domain.values import Money
from payments.use_cases import event_handlers as payments_hears
from tests.integration.money.judging import judge_at_rest
from tests.integration.money.paystack import Entry
from tests.integration.money.world import Delivery, Services, World, bring_to_rest
from tests.support.ordering import ADA

DOCUMENT = Path(__file__).parents[3] / "docs/money-races.md"


# What the second table writes for a mail: small letters are for the customer, capitals for staff.
LETTERS = {
    "order_received": "r",
    "payment_confirmed": "p",
    "order_shipped": "s",
    "order_cancelled": "c",
    "refund_started": "b",
    "refund_done": "d",
    "payment_alert": "A",
    "refund_failed": "F",
}
_ORDER = "".join(LETTERS.values())
Cells = dict[tuple[str, str], str]


def table(number: int) -> Cells:
    """What stands there for what happens in which situation, in this table of the document."""
    text = DOCUMENT.read_text().split("\n## ")[number]
    lines = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    head, _, *rows = [[cell.strip() for cell in line] for line in lines]
    return {
        (row[0], situation): cell
        for row in rows
        for situation, cell in zip(head[1:], row[1:], strict=True)
    }


OUTCOMES, MAILS = table(1), table(2)


class Story:
    """One order of one unit of two, and its pages at Paystack."""

    def __init__(self, services: Services) -> None:
        self.world = World(services, [2])
        [self.sku] = self.world.stock
        self.world.check_out({self.sku: 1})
        self.world.pump()
        [self.order_id] = self.world.orders

    @property
    def pages(self) -> list[Entry]:
        return self.world.entries_of(self.order_id)

    @property
    def to_pay(self) -> Entry:
        """The page on which money is captured, or was."""
        return next((page for page in self.pages if page.captured), self.pages[-1])

    def open_page(self) -> None:
        self.world.open_payment(self.order_id)
        self.world.pump()

    def capture(self, page: Entry | None = None, amount: Money | None = None) -> None:
        page = page or self.to_pay
        self.world.paystack.capture(page, amount or page.asked)

    def hear(self) -> None:
        """All webhooks come, and all messages arrive."""
        for webhook in self.world.paystack.webhooks:
            self.world.receive_webhook(webhook)
        self.world.apply_webhooks()
        self.world.pump()
        self.world.deliver_everything()

    def mails(self) -> str:
        """The letters of those that were written about this order, each to whom it is for."""
        query = "SELECT template, recipient FROM mails WHERE order_id = :id"
        rows = self.world.services.rows("notifier", query, id=self.order_id)
        letters = [(LETTERS[row.template], row.recipient == ADA.email) for row in rows]
        assert all(letter.islower() == is_to_customer for letter, is_to_customer in letters)
        return "".join(sorted((letter for letter, _ in letters), key=_ORDER.index))

    def outcome(self) -> str:
        order = self.world.row("ordering", self.order_id)
        if order.status == "cancelled":
            captured = any(page.captured for page in self.pages)
            return "refunded" if captured else "unpaid"
        return "paid" if order.payment_status == "paid" else "goodwill"


# Situations.


def placed(story: Story) -> None:
    """The news of the stock is still on its way to ordering."""
    world = story.world
    while late := [each for each in world.in_flight if not _is_stock_news_to_ordering(each)]:
        for delivery in late:
            world.deliver(delivery)
        world.pump()
    story.open_page()


def _is_stock_news_to_ordering(delivery: Delivery) -> bool:
    return delivery.service == "ordering" and "stock_reserved" in delivery.envelope.type


def waiting(story: Story) -> None:
    story.world.deliver_everything()
    story.open_page()


def paying_twice(story: Story) -> None:
    waiting(story)
    story.world.paystack.decline(story.pages[0])
    story.world.look(story.pages[0])
    story.open_page()


def paid(story: Story) -> None:
    paying_twice(story)
    story.capture(story.pages[1])
    story.hear()


def shipped(story: Story) -> None:
    paid(story)
    story.world.ship(story.order_id)


def cancelled(story: Story) -> None:
    waiting(story)
    story.world.cancel(story.order_id)
    story.world.pump()
    story.world.deliver_everything()


def refunded(story: Story) -> None:
    paid(story)
    story.world.cancel(story.order_id)
    story.world.pump()
    bring_to_rest(story.world)


# What happens.


def success_webhook(story: Story) -> None:
    story.capture()
    story.hear()


def repeated_webhook(story: Story) -> None:
    success_webhook(story)
    for _ in range(2):
        story.world.receive_webhook(story.world.paystack.success_webhook(story.to_pay))
        story.hear()


def redirect_verify(story: Story) -> None:
    story.capture()
    story.world.paystack.webhooks.clear()
    story.world.look(story.to_pay)


def reconciler(story: Story) -> None:
    story.capture()
    story.world.paystack.webhooks.clear()
    story.world.pass_time()
    story.world.reconcile()


def customer_cancel(story: Story) -> None:
    story.world.attempt(story.world.cancel, story.order_id)


def staff_cancel(story: Story) -> None:
    story.world.attempt(story.world.cancel_by_staff, story.order_id)


def deadline(story: Story) -> None:
    story.world.run_out([story.order_id])
    story.world.sweep_deadlines()


def out_of_stock(story: Story) -> None:
    shortage = Shortage(sku=story.sku, requested=1, available=0)
    event = StockRejected(
        order_id=story.order_id, shortages=(shortage,), rejected_at=datetime.now(UTC)
    )
    deps = story.world.services.deps
    payments_hears.stock_rejected(event, uow=deps["payments"].unit_of_work())
    with suppress(IllegalTransition):
        ordering_hears.stock_rejected(event, uow=deps["ordering"].unit_of_work())


def amount_mismatch(story: Story) -> None:
    page = next((page for page in story.pages if not page.captured), story.pages[0])
    story.capture(page, Money(page.asked.amount // 2, page.asked.currency))
    story.hear()


def second_capture(story: Story) -> None:
    for page in reversed(story.pages):
        story.capture(page)
    story.hear()


def refund_webhook(story: Story) -> None:
    story.world.attempt(story.world.refund_by_staff, story.to_pay.reference, None)
    story.world.advance_refunds()
    _end_refunds(story, RefundStatus.PROCESSED)
    story.hear()


def refund_failure(story: Story) -> None:
    if not story.to_pay.captured:
        amount_mismatch(story)
    else:
        story.world.attempt(story.world.refund_by_staff, story.to_pay.reference, None)
    story.world.advance_refunds()
    _end_refunds(story, RefundStatus.FAILED)
    story.hear()
    story.world.advance_refunds()
    story.world.pump()


def _end_refunds(story: Story, status: RefundStatus) -> None:
    for refund in story.to_pay.refunds:
        story.world.paystack.move_refund(story.to_pay, refund, status)


def function_of(name: str) -> Callable[[Story], None]:
    """The name in the document, as a function of this file."""
    found: Callable[[Story], None] = globals()[name.replace(" ", "_")]
    return found


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("what", "situation"), OUTCOMES, ids=lambda cell: str(cell).replace(" ", "_")
)
def test_every_cell_ends_as_the_table_says_and_everybody_is_told(
    services_with_mails: Services, what: str, situation: str
) -> None:
    story = Story(services_with_mails)
    function_of(situation)(story)

    function_of(what)(story)
    story.world.pump()
    bring_to_rest(story.world)

    assert story.outcome() == OUTCOMES[what, situation]
    assert story.mails() == MAILS[what, situation]
    judge_at_rest(story.world)


def test_the_tables_are_whole() -> None:
    rows = {what for what, _ in OUTCOMES}
    columns = {situation for _, situation in OUTCOMES}

    assert (len(rows), len(columns), len(OUTCOMES)) == (12, 7, 12 * 7)
    assert MAILS.keys() == OUTCOMES.keys()


@pytest.mark.usefixtures("impatient")
def test_a_refund_that_failed_is_told_to_staff(services: Services) -> None:
    story = Story(services)
    paid(story)

    refund_failure(story)

    assert [event.reference for event in story.world.refunds_failed] == [story.to_pay.reference]
