"""Ordering, payments and catalog with their real use cases over real databases, joined by a
transport that loses its patience but no message, and judged by Paystack's books."""

from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from importlib import import_module
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text

from oja_events.contracts import EVENTS
from oja_events.contracts.ordering import OrderPlaced
from oja_events.contracts.payments import RefundFailed
from oja_events.envelope import Envelope, decode
from oja_events.handling import MessageHandler, Verdict
from oja_events.migrating import migrate
from oja_events.topology import SUBSCRIBERS
from oja_events.unit_of_work import SqlTransaction
from ordering.domain.cart import CartEmpty, OutOfStock
from ordering.domain.order import IllegalTransition
from ordering.use_cases import commands
from ordering.use_cases.errors import NotCancellable, OrderNotFound, UnknownSku
from payments.domain.order import OrderNotPayable, OrderNotReady
from payments.domain.refund import NotRefundable, RefundStatus, RefundTooLarge, WrongCurrency
from payments.domain.values import Money
from payments.use_cases import deadlines, opening, refunding, settling, webhooks
from payments.use_cases.errors import OrderNotFound as UnknownToPayments
from payments.use_cases.errors import PaymentNotFound, ProviderUnavailable
from tests.contract.test_http import made_up_environment
from tests.integration.money.paystack import Entry, Killed, Paystack
from tests.support.ordering import ADA, LAGOS
from tests.support.postgres import scratch_database
from tests.unit.catalog.builders import a_sku, a_variant, offer

SERVICES = ("catalog", "ordering", "payments")
WITH_MAILS = (*SERVICES, "notifier")
REFUSALS = (
    *(CartEmpty, OutOfStock, UnknownSku, NotCancellable, IllegalTransition, OrderNotFound),
    *(OrderNotReady, OrderNotPayable, UnknownToPayments, PaymentNotFound),
    *(NotRefundable, RefundTooLarge, WrongCurrency, ProviderUnavailable),
)
_SUBSCRIBERS = {event.TYPE: names for event, names in SUBSCRIBERS.items()}


@dataclass(slots=True)
class Crash:
    """Kills the process at one of its next commits, just before it or just after it."""

    commits_left: int | None = None
    after: bool = False

    def due(self, *, after: bool) -> bool:
        if self.commits_left is None or self.after is not after:
            return False
        self.commits_left -= 1
        if self.commits_left < 0:
            self.commits_left = None
            return True
        return False


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message on its way to one service."""

    service: str
    envelope: Envelope
    body: bytes


@dataclass(frozen=True)
class Services:
    """The wiring that all worlds share; they stay apart by random ids."""

    deps: dict[str, Any]
    handlers: dict[str, MessageHandler]
    crash: Crash = field(default_factory=Crash)

    def rows(self, service: str, query: str, **values: object) -> list[Any]:
        with self.deps[service].engine.begin() as connection:
            result = connection.execute(text(query), values)
            return list(result.all()) if result.returns_rows else []


@contextmanager
def running_services(names: Collection[str] = SERVICES) -> Iterator[Services]:
    with ExitStack() as stack:
        deps = {}
        for service in names:
            url = stack.enter_context(scratch_database())
            bootstrap = import_module(f"{service}.bootstrap")
            migrate(service, bootstrap.MIGRATIONS, url)
            # Catalog's http process waits after a change while there is no Redis.
            deps[service] = bootstrap.build(_settings(service, url), role="test")
            stack.callback(deps[service].engine.dispose)
        handlers = {
            service: import_module(f"{service}.entrypoints.consumer").message_handler(deps[service])
            for service in names
        }
        yield Services(deps, handlers)


def _settings(service: str, url: str) -> Any:
    env = {**made_up_environment(), "DATABASE_URL": url}
    return import_module(f"{service}.settings").Settings.from_env(env)


def crashing_commit(crash: Crash) -> Callable[[SqlTransaction], None]:
    """SqlTransaction.commit as a process does it that may be killed at it."""
    commit = SqlTransaction.commit

    def crashing(self: SqlTransaction) -> None:
        if crash.due(after=False):
            raise Killed
        commit(self)
        if crash.due(after=True):
            raise Killed

    return crashing


class World:
    """One story: a shop with little stock, customers, Paystack, and messages under way."""

    def __init__(self, services: Services, stock: Collection[int]) -> None:
        self.services = services
        self.paystack = Paystack()
        payments_deps = services.deps["payments"]
        self.payments = replace(payments_deps, provider=self.paystack)
        self.orders: list[UUID] = []
        self.in_flight: list[Delivery] = []
        self.delivered: list[Delivery] = []
        self.refunds_failed: list[RefundFailed] = []
        self.last_seen = {
            service: services.rows(service, "SELECT coalesce(max(id), 0) FROM event_log")[0][0]
            for service in services.deps
        }
        self.stock = {a_sku(): count for count in stock}
        variants = [
            a_variant(sku, stock=count, threshold=0, size=sku) for sku, count in self.stock.items()
        ]
        offer(services.deps["catalog"].unit_of_work(), *variants)
        self.pump()
        self.deliver_everything()

    # People.

    def check_out(self, wanted: dict[str, int]) -> None:
        deps, customer = self.services.deps["ordering"], uuid4()
        for sku, quantity in wanted.items():
            commands.add_to_cart(customer, sku, quantity, uow=deps.unit_of_work())
        commands.place_order(
            customer,
            contact=ADA,
            shipping_address=LAGOS,
            note=None,
            expected_total=None,
            payment_window=timedelta(minutes=30),
            uow=deps.unit_of_work(),
        )

    def open_payment(self, order_id: UUID) -> None:
        customer_id = self.row("ordering", order_id).customer_id
        opening.pay(order_id, customer_id, None, lookout=self.payments.lookout, **self._paying())

    def look(self, entry: Entry) -> None:
        settling.check(entry.reference, **self._paying())

    def cancel(self, order_id: UUID) -> None:
        uow = self.services.deps["ordering"].unit_of_work()
        commands.cancel_order(order_id, by=self.row("ordering", order_id).customer_id, uow=uow)

    def cancel_by_staff(self, order_id: UUID) -> None:
        uow = self.services.deps["ordering"].unit_of_work()
        commands.cancel_for_staff(
            order_id, "no van", by="staff", precondition=lambda version: None, uow=uow
        )

    def ship(self, order_id: UUID) -> None:
        uow = self.services.deps["ordering"].unit_of_work()
        commands.ship_order(order_id, None, by="staff", precondition=lambda version: None, uow=uow)

    def refund_by_staff(self, reference: str, amount: Money | None) -> None:
        uow = self.payments.unit_of_work()
        refunding.request_by_staff(reference, amount, "it was broken", by="staff", uow=uow)

    # Messages.

    def pump(self) -> int:
        """Let the relays publish what was told; how much that was."""
        count = 0
        for service in self.last_seen:
            for row in self.services.rows(
                service,
                "SELECT id, envelope FROM event_log WHERE id > :last ORDER BY id",
                last=self.last_seen[service],
            ):
                self.last_seen[service] = row.id
                self._publish(bytes(row.envelope))
                count += 1
        return count

    def deliver(self, delivery: Delivery, *, again: bool = False) -> None:
        """As the consumer does it; `again`: and the broker has not understood that it is done."""
        result = self.services.handlers[delivery.service].handle(delivery.body, {})
        assert result.verdict is not Verdict.HOLD, result
        if result.verdict is Verdict.DONE and not again and delivery in self.in_flight:
            self.in_flight.remove(delivery)
            self.delivered.append(delivery)

    def deliver_without_memory(self, delivery: Delivery) -> None:
        """As if the inbox had been lost: only the effect's own key is left."""
        consumer = import_module(f"{delivery.service}.entrypoints.consumer")
        event = delivery.envelope.event()
        with suppress(Exception):
            consumer.SUBSCRIPTIONS[type(event)](
                event, uow=self.services.deps[delivery.service].unit_of_work()
            )

    def deliver_everything(self) -> int:
        """Until nothing new is told; how much that was."""
        told = 0
        for _ in range(20):
            for delivery in list(self.in_flight):
                self.deliver(delivery)
            news = self.pump()
            told += news
            if not news and not self.in_flight:
                break
        return told

    def receive_webhook(self, body: bytes) -> None:
        uow = self.payments.unit_of_work()
        webhooks.receive(body, "request", uow=uow, provider=self.paystack)

    # The worker of payments.

    def apply_webhooks(self) -> None:
        for each in webhooks.claim(unit_of_work=self.payments.unit_of_work):
            with suppress(ProviderUnavailable):
                webhooks.apply(each, **self._paying())

    def advance_refunds(self) -> None:
        refunding.advance(**self._paying())

    def sweep_deadlines(self) -> None:
        deadlines.sweep(**self._paying())

    def reconcile(self) -> None:
        settling.reconcile(**self._paying())

    # Time.

    def run_out(self, order_ids: list[UUID]) -> None:
        """The time to pay these is over, and with it what was granted to money under way."""
        self._payments_sql(
            "UPDATE orders SET pay_before = now() - interval '1 hour', next_look_at = now()"
            " WHERE order_id = ANY(:ids) AND next_look_at IS NOT NULL",
            order_ids,
        )

    def pass_time(self) -> None:
        """Every wait of payments is over: leases of the dead, looks that are due later."""
        mine = "order_id = ANY(:ids)"
        references = f"reference IN (SELECT reference FROM payments WHERE {mine})"
        for statement in (
            f"UPDATE orders SET next_look_at = now() WHERE {mine} AND next_look_at <= now() + "
            "interval '1 minute'",
            f"UPDATE payments SET opening_until = now() WHERE {mine}",
            f"UPDATE payments SET next_check_at = now() WHERE {mine} AND next_check_at IS NOT NULL",
            f"UPDATE refunds SET next_look_at = now() WHERE {references}"
            " AND next_look_at IS NOT NULL",
            "UPDATE webhooks SET next_attempt_at = now() WHERE next_attempt_at IS NOT NULL"
            " AND CAST(:ids AS uuid[]) IS NOT NULL",
        ):
            self._payments_sql(statement, self.orders)

    # Looking.

    def row(self, service: str, order_id: UUID) -> Any:
        key = "id" if service == "ordering" else "order_id"
        rows = self.services.rows(service, f"SELECT * FROM orders WHERE {key} = :id", id=order_id)
        return rows[0] if rows else None

    def entries_of(self, order_id: UUID) -> list[Entry]:
        entries = self.paystack.entries.values()
        return [entry for entry in entries if entry.order_id == str(order_id)]

    def attempt(self, deed: Callable[..., object], *arguments: Any) -> None:
        """Do it as far as it is allowed, and as far as the process lives."""
        with suppress(*REFUSALS, Killed):
            deed(*arguments)
        self.pump()

    def _publish(self, body: bytes) -> None:
        envelope = decode(body)
        event = envelope.event() if envelope.type in EVENTS else None
        if isinstance(event, OrderPlaced):
            self.orders.append(event.order_id)
        if isinstance(event, RefundFailed):
            self.refunds_failed.append(event)
        for service in _SUBSCRIBERS.get(envelope.type, ()):
            if service in self.last_seen:
                self.in_flight.append(Delivery(service, envelope, body))

    def _payments_sql(self, statement: str, order_ids: list[UUID]) -> None:
        self.services.rows("payments", statement, ids=order_ids)

    def _paying(self) -> dict[str, Any]:
        return {"unit_of_work": self.payments.unit_of_work, "provider": self.paystack}


def bring_to_rest(world: World) -> None:
    """Nobody does anything new: messages arrive, Paystack is back, every wait comes to its end."""
    world.services.crash.commits_left = None
    world.paystack.bad_day = None
    for _ in range(40):
        world.pass_time()
        world.run_out(world.orders)
        world.apply_webhooks()
        world.reconcile()
        world.sweep_deadlines()
        world.advance_refunds()
        told = world.pump() + world.deliver_everything()
        _end_refunds(world)
        _see_to_failed_refunds(world)
        if not told and not world.in_flight and not _open_refunds(world):
            return
    raise AssertionError(f"never comes to rest: {world.in_flight}")


def _end_refunds(world: World) -> None:
    for entry in world.paystack.entries.values():
        for refund in entry.refunds:
            world.paystack.move_refund(entry, refund, RefundStatus.PROCESSED)


def _open_refunds(world: World) -> bool:
    rows = world.services.rows(
        "payments",
        "SELECT 1 FROM refunds JOIN payments USING (reference)"
        " WHERE order_id = ANY(:ids) AND ended_at IS NULL LIMIT 1",
        ids=world.orders,
    )
    return bool(rows)


def _see_to_failed_refunds(world: World) -> None:
    """What the alert is for: staff send the same sum once more."""
    while world.refunds_failed:
        event = world.refunds_failed.pop()
        amount = Money(event.amount.amount, event.amount.currency)
        with suppress(NotRefundable, RefundTooLarge):
            world.refund_by_staff(event.reference, amount)
