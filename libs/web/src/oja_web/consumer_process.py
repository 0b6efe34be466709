"""The consumer process, alike in every service: the loop of oja_events, fed by the broker and
repaired from the feeds that the other services offer over HTTP."""

from collections.abc import Mapping
from typing import Protocol

from sqlalchemy import Engine

from oja_events.consuming import run_consumer
from oja_events.handling import MessageHandler, Subscriptions
from oja_events.repair import Repair
from oja_web.feeds import HTTPFeeds


class ConsumerSettings(Protocol):
    """What a service's settings say about it."""

    @property
    def broker_url(self) -> str: ...
    @property
    def health_host(self) -> str: ...
    @property
    def health_port(self) -> int: ...
    @property
    def feed_urls(self) -> Mapping[str, str]: ...
    @property
    def internal_token(self) -> str: ...


def consume(
    service: str,
    subscriptions: Subscriptions,
    handler: MessageHandler,
    *,
    engine: Engine,
    settings: ConsumerSettings,
) -> None:
    """Until SIGTERM or SIGINT; see run_consumer."""
    feeds = HTTPFeeds(settings.feed_urls, settings.internal_token, consumer=service)
    run_consumer(
        service,
        subscriptions,
        handler,
        broker_url=settings.broker_url,
        health=(settings.health_host, settings.health_port),
        repair=Repair(service, subscriptions, handler, engine=engine, feeds=feeds),
    )
