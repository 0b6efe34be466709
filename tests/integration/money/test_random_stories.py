"""Ordering, payments and catalog through random stories; Paystack's books are the referee.

By default it takes as many steps as fit into a quick run, and the same ones each time.
`MONEY_STEPS=100000` makes it the long run: more chapters, each with a seed of its own, which the
name of the test tells. `MONEY_SEED` is the first of them.
"""

import os
from collections.abc import Callable, Sized
from functools import wraps
from typing import Any, ClassVar
from unittest import mock
from uuid import UUID

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from oja_events.unit_of_work import SqlTransaction
from payments.domain.refund import RefundStatus
from payments.domain.values import Money
from tests.integration.money.judging import judge_always, judge_at_rest
from tests.integration.money.world import (
    Services,
    World,
    bring_to_rest,
    crashing_commit,
)

STEPS = int(os.environ.get("MONEY_STEPS", "1000"))
FIRST_SEED = int(os.environ.get("MONEY_SEED", "1"))
STEPS_PER_CHAPTER = 5_000
STEPS_PER_STORY = 50
CHAPTERS = -(-STEPS // STEPS_PER_CHAPTER)
ANY = st.integers(0, 30)


def with_some(things: Callable[[Any], Sized]) -> Callable[..., Any]:
    """Nothing happens while there are none. Not a precondition: what is drawn must not depend on
    the databases, whose clock is not ours."""

    def decorate(step: Callable[..., None]) -> Callable[..., None]:
        @wraps(step)
        def guarded(self: Any, **drawn: Any) -> None:
            if things(self):
                step(self, **drawn)

        return guarded

    return decorate


with_orders = with_some(lambda self: self.world.orders)
with_entries = with_some(lambda self: self.world.paystack.entries)
with_messages = with_some(lambda self: self.world.in_flight)
with_webhooks = with_some(lambda self: self.world.paystack.webhooks)

SUMS = {"all": (1, 0), "less": (0.5, 0), "more": (1, 1)}
PAGE = ["all"] * 6 + ["declined"] * 3 + ["less", "more", "other currency", "transfer"]
TROUBLES = ["away", "cut", "killed_before", "killed_after", "no_balance"]


def pick(n: int, things: Any) -> Any:
    things = list(things)
    return things[n % len(things)]


class Stories(RuleBasedStateMachine):
    """Hypothesis leaves out some of the rules in each story, so each begins with orders on their
    way, and what is rare is chosen inside of a rule."""

    services: ClassVar[Services]

    @initialize(stock=st.tuples(st.integers(0, 3), st.integers(3, 6)), paid=st.integers(0, 3))
    def open(self, stock: tuple[int, ...], paid: int) -> None:
        self.services.crash.commits_left = None
        self.world = World(self.services, stock)
        for _ in range(3):
            self.somebody_checks_out((0, 1), slowly=False)
        for entry in list(self.world.paystack.entries.values())[:paid]:
            self.world.paystack.capture(entry, entry.asked)
            self.do("look", entry)
        self.do("deliver_everything")

    def do(self, name: str, *arguments: Any) -> None:
        self.world.attempt(getattr(self.world, name), *arguments)

    # People.

    @rule(quantities=st.tuples(st.integers(0, 1), st.integers(1, 2)), slowly=st.booleans())
    def somebody_checks_out(self, quantities: tuple[int, ...], slowly: bool) -> None:
        wanted = zip(self.world.stock, quantities, strict=True)
        self.do("check_out", {sku: quantity for sku, quantity in wanted if quantity})
        if not slowly:
            self.do("deliver_everything")
            for order_id in self.world.orders[-1:]:
                self.do("open_payment", order_id)

    @rule(n=ANY)
    @with_orders
    def a_customer_goes_to_pay(self, n: int) -> None:
        self.do("open_payment", pick(n, self.world.orders))

    @rule(n=ANY, how=st.sampled_from(PAGE))
    @with_entries
    def a_customer_is_on_the_page(self, n: int, how: str) -> None:
        open_ones = [each for each in self.world.paystack.entries.values() if not each.captured]
        if not open_ones:
            return
        entry = pick(n, open_ones)
        if how == "declined":
            # They will try another card on a page of its own; this one can still be paid.
            self.world.paystack.decline(entry)
            self.do("look", entry)
            self.do("open_payment", UUID(entry.order_id))
        elif how == "transfer":
            self.world.paystack.begin_transfer(entry)
        else:
            share, more = SUMS.get(how, (1, 0))
            currency = "GHS" if how == "other currency" else entry.asked.currency
            amount = int(entry.asked.amount * share) + more
            self.world.paystack.capture(entry, Money(amount, currency))

    @rule(n=ANY)
    @with_entries
    def a_customer_comes_back(self, n: int) -> None:
        self.do("look", pick(n, self.world.paystack.entries.values()))

    @rule(n=ANY, who=st.sampled_from(["cancel", "cancel", "cancel_by_staff", "ship"]))
    @with_orders
    def somebody_changes_an_order(self, n: int, who: str) -> None:
        self.do(who, pick(n, self.world.orders))

    @rule(n=ANY, part=st.booleans())
    @with_entries
    def staff_send_money_back(self, n: int, part: bool) -> None:
        entry = pick(n, self.world.paystack.entries.values())
        amount = Money(entry.asked.amount // 3, entry.asked.currency) if part else None
        self.do("refund_by_staff", entry.reference, amount)

    # Messages.

    @rule(n=ANY, again=st.booleans())
    @with_messages
    def a_message_arrives(self, n: int, again: bool) -> None:
        delivery = pick(n, self.world.in_flight)
        self.world.attempt(lambda: self.world.deliver(delivery, again=again))

    @rule()
    def the_messages_arrive(self) -> None:
        self.do("deliver_everything")

    @rule(n=ANY)
    @with_some(lambda self: self.world.delivered)
    def a_message_arrives_where_the_inbox_was_lost(self, n: int) -> None:
        self.do("deliver_without_memory", pick(n, self.world.delivered))

    @rule(n=ANY, drop=st.sampled_from([False, False, True]))
    @with_webhooks
    def a_webhook_comes_or_is_lost(self, n: int, drop: bool) -> None:
        webhook = pick(n, self.world.paystack.webhooks)
        if drop:
            self.world.paystack.webhooks.remove(webhook)
        else:
            self.do("receive_webhook", webhook)
            self.do("apply_webhooks")

    @rule(n=ANY, altered=st.sampled_from([{"amount": 1}, {"currency": "GHS"}, {"id": 1}]))
    @with_entries
    def somebody_sends_a_webhook(self, n: int, altered: dict[str, object]) -> None:
        entry = pick(n, self.world.paystack.entries.values())
        self.do("receive_webhook", self.world.paystack.success_webhook(entry, **altered))
        self.do("apply_webhooks")

    # The clock, the worker, and bad days.

    @rule(n=ANY)
    @with_orders
    def the_time_to_pay_is_over(self, n: int) -> None:
        self.do("run_out", [pick(n, self.world.orders)])
        self.do("sweep_deadlines")

    @rule(
        job=st.sampled_from(["advance_refunds", "advance_refunds", "sweep_deadlines", "reconcile"])
    )
    def time_passes(self, job: str) -> None:
        self.do("pass_time")
        self.do(job)

    @rule(n=ANY, status=st.sampled_from(list(RefundStatus)))
    @with_entries
    def paystack_sees_to_a_refund(self, n: int, status: RefundStatus) -> None:
        returning = [each for each in self.world.paystack.entries.values() if each.refunds]
        if returning:
            entry = pick(n, returning)
            self.world.paystack.move_refund(entry, pick(n, entry.refunds), status)

    @rule(what=st.sampled_from(TROUBLES), commits=st.integers(0, 3), after=st.booleans())
    def something_is_about_to_go_wrong(self, what: str, commits: int, after: bool) -> None:
        if commits:
            self.services.crash.commits_left, self.services.crash.after = commits - 1, after
        else:
            self.world.paystack.bad_day = what

    @rule()
    def all_is_well(self) -> None:
        self.world.paystack.bad_day = None

    @invariant()
    def money_and_stock_are_right(self) -> None:
        if hasattr(self, "world"):
            judge_always(self.world)

    def teardown(self) -> None:
        if hasattr(self, "world"):
            bring_to_rest(self.world)
            judge_at_rest(self.world)


@pytest.mark.timeout(7200)
@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("number", range(FIRST_SEED, FIRST_SEED + CHAPTERS), ids="seed-{}".format)
def test_whatever_happens_each_capture_is_an_order_or_comes_back(
    services: Services, number: int
) -> None:
    class OnTheseDatabases(Stories):
        pass

    OnTheseDatabases.services = services
    with mock.patch.object(SqlTransaction, "commit", crashing_commit(services.crash)):
        run_state_machine_as_test(
            seed(number)(OnTheseDatabases),
            settings=settings(
                max_examples=min(STEPS, STEPS_PER_CHAPTER) // STEPS_PER_STORY,
                stateful_step_count=STEPS_PER_STORY,
                phases=[Phase.generate, Phase.shrink],
                suppress_health_check=list(HealthCheck),
            ),
        )
