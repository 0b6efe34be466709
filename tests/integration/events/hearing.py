"""A service that listens, with handlers that do what a test wants, and a feed without a network."""

import threading
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, text
from sqlalchemy.orm import sessionmaker

from oja_events.contracts import Event
from oja_events.contracts.catalog import ProductArchived, StockReserved
from oja_events.contracts.ordering import OrderingMessageParked
from oja_events.feed import FeedAway, Page, read_page
from oja_events.handling import MessageHandler, Subscriptions
from oja_events.repair import Repair
from oja_events.unit_of_work import SqlTransaction
from oja_events.wakeup import Waker

HANDLED = (ProductArchived, StockReserved)


class Refused(Exception):
    """Trying again does not change it."""


@dataclass
class Feed:
    """Catalog's feed without a network; counts how often it was read."""

    engine: Engine
    away: bool = False
    reads: int = 0

    def page(self, source: str, *, after: int, types: Collection[str], older_than: float) -> Page:
        if self.away:
            raise FeedAway(source)
        self.reads += 1
        return read_page(
            self.engine, after=after, limit=3, types=types, older_than=older_than, consumer="x"
        )


@dataclass
class Hearing:
    """A service that listens, with a handler that does what a test wants."""

    engine: Engine
    feed: Feed
    heard: list[str] = field(default_factory=list)
    react: Callable[[Event], None] = lambda event: None

    def _note(self, event: Event, /, *, uow: Any) -> None:
        with uow:
            self.react(event)
            self.heard.append(event.subject)
            uow.commit()

    @property
    def subscriptions(self) -> Subscriptions:
        return dict.fromkeys(HANDLED, self._note)

    @property
    def handler(self) -> MessageHandler:
        return MessageHandler(
            self.subscriptions,
            unit_of_work=lambda envelope: SqlTransaction(
                sessionmaker(self.engine),
                source="ordering",
                waker=Waker(self.engine, "ordering"),
                handling=envelope,
            ),
            engine=self.engine,
            refusals=(Refused,),
            told_as=OrderingMessageParked,
        )

    @property
    def repair(self) -> Repair:
        return Repair(
            "ordering", self.subscriptions, self.handler, engine=self.engine, feeds=self.feed
        )

    @property
    def noted(self) -> set[str]:
        """Whose news has had its effect; `heard` also counts what was undone."""
        return {subject for (subject,) in self.rows("SELECT subject FROM inbox")}

    def round(self) -> None:
        self.repair.compare("catalog", older_than=0, stop=threading.Event())
        self.work_off()

    def work_off(self) -> None:
        with ThreadPoolExecutor(2) as pool:
            while self.repair.work_off(pool):
                pass

    def rows(self, sql: str, **values: object) -> list[tuple[Any, ...]]:
        with self.engine.begin() as connection:
            result = connection.execute(text(sql), values)
            return [tuple(row) for row in result] if result.returns_rows else []
