"""A small shop with orders in every state, and an auditor who may see it with something wrong."""

import re
import threading
from collections.abc import Collection, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, text

from oja_events.books.audit import audit
from oja_events.books.facts import SqlSources
from oja_events.books.money import BookedRefund, Capture
from oja_events.books.report import Fault, Report
from oja_events.feed import Page, read_page
from oja_events.relay import Relay
from oja_events.repair import Repair
from payments.domain.refund import RefundStatus
from tests.integration.money.paystack import Entry
from tests.integration.money.world import World


class Books:
    """Paystack's books of a world, as the auditor lists them."""

    def __init__(self, world: World) -> None:
        self._entries = world.paystack.entries

    def captures(self, start: datetime, end: datetime) -> Iterator[Capture]:
        yield from (self._shown(each) for each in list(self._entries.values()) if each.captured)

    def refunds(self, start: datetime, end: datetime) -> Iterator[BookedRefund]:
        for entry in list(self._entries.values()):
            yield from self.refunds_of(entry.id)

    def capture(self, reference: str) -> Capture | None:
        entry = self._entries.get(reference)
        return self._shown(entry) if entry and entry.captured else None

    def refunds_of(self, provider_id: int) -> list[BookedRefund]:
        [entry] = [each for each in list(self._entries.values()) if each.id == provider_id]
        return [
            BookedRefund(each.id, entry.id, each.amount, each.status.value)
            for each in list(entry.refunds)
        ]

    def _shown(self, entry: Entry) -> Capture:
        assert entry.captured
        money = entry.captured
        return Capture(entry.reference, entry.id, money.amount, money.currency, entry.order_id)


_SQL = re.compile(r'./oja psql \w+ -c "([^"]+)"$')


@dataclass
class LocalFeeds:
    """Everybody's feed without a network."""

    engines: dict[str, Engine]

    def page(self, source: str, *, after: int, types: Collection[str], older_than: float) -> Page:
        return read_page(self.engines[source], after=after, types=types, older_than=older_than)


@dataclass
class Shop:
    """`orders` are named after where they are."""

    world: World
    engines: dict[str, Engine]
    orders: dict[str, UUID] = field(default_factory=dict)
    mended: Report | None = None

    def open(self) -> None:
        """Have one order in every state, and all news at its end."""
        for name in ("waiting", "paid", "completed", "cancelled", "refunded"):
            self._order(name)
        for name in ("paid", "completed", "refunded"):
            self.pay(self.orders[name])
        self.world.cancel(self.orders["cancelled"])
        self.world.cancel(self.orders["refunded"])
        self.world.ship(self.orders["completed"])
        self.settle()
        self.end_refunds()
        self.settle()

    def place(self) -> UUID:
        """A new order of one unit, of which nobody but ordering knows yet."""
        self.world.check_out({next(iter(self.world.stock)): 1})
        self.world.pump()
        return self.world.orders[-1]

    def _order(self, name: str) -> None:
        self.orders[name] = self.place()
        self.world.deliver_everything()

    def capture(self, order_id: UUID) -> Entry:
        """The customer pays, and Paystack alone knows it."""
        self.world.open_payment(order_id)
        entry = self.world.entries_of(order_id)[-1]
        self.world.paystack.capture(entry, entry.asked)
        return entry

    def pay(self, order_id: UUID) -> Entry:
        entry = self.capture(order_id)
        self.world.look(entry)
        self.world.pump()
        self.world.deliver_everything()
        return entry

    def end_refunds(self) -> None:
        """Paystack sends back what it was asked to."""
        self.world.advance_refunds()
        for entry in self.world.paystack.entries.values():
            for refund in entry.refunds:
                self.world.paystack.move_refund(entry, refund, RefundStatus.PROCESSED)
        self.world.pass_time()
        self.world.advance_refunds()

    def settle(self) -> None:
        """All is delivered, numbered and compared."""
        self.world.pump()
        self.world.deliver_everything()
        self.number()
        self.compare()

    def number(self) -> None:
        """Give every event its position and publish it, as the relays do."""
        for service, engine in self.engines.items():
            relay = Relay(engine, "amqp://nobody", service)
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                relay._number(connection)
                connection.execute(text("DELETE FROM outbox_pending WHERE position IS NOT NULL"))

    def compare(self) -> None:
        """Compare every feed with every inbox, as the consumers do."""
        for service, handler in self.world.services.handlers.items():
            subscriptions = import_module(f"{service}.entrypoints.consumer").SUBSCRIPTIONS
            repair = Repair(
                service,
                subscriptions,
                handler,
                engine=self.engines[service],
                feeds=LocalFeeds(self.engines),
            )
            for source in repair._types:
                repair.compare(source, older_than=0, stop=threading.Event())

    def entry(self, name: str) -> Entry:
        return self.world.entries_of(self.orders[name])[-1]

    def audit(self, **changed: Any) -> Report:
        """`changed` engines take the place of others."""
        services = {
            service: (engine, import_module(f"{service}.adapters.books").FACTS)
            for service, engine in (self.engines | changed).items()
        }
        return audit(SqlSources(services), Books(self.world))

    def audit_after(self, service: str, *statements: str, **values: object) -> Report:
        """What the auditor would see if somebody did that to the data; nothing of it stays.

        `mended` is what he would see after all statements that he names for mending it.
        """
        self.mended = None
        with self.engines[service].connect() as connection, connection.begin() as transaction:
            for statement in statements:
                assert connection.execute(text(statement), values).rowcount > 0, statement
            report = self.audit(**{service: _Within(connection)})
            for verdict in report.verdicts:
                for fault in verdict.faults:
                    if statement := _SQL.match(fault.mend):
                        connection.execute(text(statement[1]))
                        self.mended = self.audit(**{service: _Within(connection)})
            transaction.rollback()
        return report


class _Within:
    """An engine that has one connection, with what was done on it."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def connect(self) -> Any:
        return nullcontext(self._connection)


def red(report: Report) -> dict[str, set[str]]:
    """The ids of what is wrong, by rule."""
    assert {verdict.error for verdict in report.verdicts} == {None}
    return {
        verdict.rule: {fault.id for fault in verdict.faults}
        for verdict in report.verdicts
        if verdict.faults
    }


def one_fault(report: Report) -> Fault:
    [fault] = [fault for verdict in report.verdicts for fault in verdict.faults]
    return fault


def one(shop: Shop, service: str, query: str, **values: object) -> Any:
    return shop.world.services.rows(service, query, **values)[0]
