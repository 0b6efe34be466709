"""S59: what the broker lets a service do, tried with its own password."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from amqp import AccessRefused
from kombu import Connection

from oja_events.topology import (
    CONSUMERS,
    EVENTS_EXCHANGE,
    PRODUCERS,
    lanes_exchange,
    main_queue,
    parking_queue,
)
from tests.support.servers import Servers


@contextmanager
def channel_of(servers: Servers, service: str) -> Iterator[Any]:
    url = servers.broker_url(service)
    with Connection(url, transport_options={"confirm_publish": True}) as connection:
        yield connection.channel()


def another(service: str) -> str:
    return next(name for name in CONSUMERS if name != service)


def publish(channel: Any, exchange: str, routing_key: str) -> None:
    """Returns when the broker has it."""
    message = channel.prepare_message(b"{}")
    channel.basic_publish(message, exchange=exchange, routing_key=routing_key, timeout=10)


@pytest.mark.parametrize("service", PRODUCERS)
def test_s59_a_service_speaks_in_its_own_name(servers: Servers, service: str) -> None:
    with channel_of(servers, service) as channel:
        publish(channel, EVENTS_EXCHANGE, f"oja.{service}.tried.v1")


@pytest.mark.parametrize("service", PRODUCERS)
def test_s59_nobody_speaks_in_the_name_of_another(servers: Servers, service: str) -> None:
    with channel_of(servers, service) as channel, pytest.raises(AccessRefused):
        publish(channel, EVENTS_EXCHANGE, f"oja.{another(service)}.tried.v1")


@pytest.mark.parametrize("service", PRODUCERS)
@pytest.mark.parametrize("queue", [main_queue, parking_queue])
def test_s59_nobody_puts_a_message_straight_into_a_queue(
    servers: Servers, service: str, queue: Any
) -> None:
    with channel_of(servers, service) as channel, pytest.raises(AccessRefused):
        publish(channel, "", queue(another(service)))


@pytest.mark.parametrize("service", PRODUCERS)
def test_s59_nobody_uses_the_lanes_of_another(servers: Servers, service: str) -> None:
    with channel_of(servers, service) as channel, pytest.raises(AccessRefused):
        publish(channel, lanes_exchange(another(service)), "main")


@pytest.mark.parametrize("service", PRODUCERS)
@pytest.mark.parametrize("queue", [main_queue, parking_queue])
def test_s59_nobody_reads_or_empties_a_queue_of_another(
    servers: Servers, service: str, queue: Any
) -> None:
    for attempt in ("basic_get", "basic_consume", "queue_purge", "queue_delete"):
        with channel_of(servers, service) as channel, pytest.raises(AccessRefused):
            getattr(channel, attempt)(queue(another(service)))


@pytest.mark.parametrize("service", PRODUCERS)
def test_s59_nobody_listens_in_on_another(servers: Servers, service: str) -> None:
    with channel_of(servers, service) as channel, pytest.raises(AccessRefused):
        channel.queue_bind(main_queue(another(service)), EVENTS_EXCHANGE, "#")


@pytest.mark.parametrize("service", PRODUCERS)
def test_s59_nobody_makes_or_removes_what_is_not_his_own(servers: Servers, service: str) -> None:
    attempts = (
        lambda channel: channel.exchange_declare("extra", "fanout"),
        lambda channel: channel.exchange_delete(EVENTS_EXCHANGE),
        lambda channel: channel.queue_declare("extra"),
        lambda channel: channel.exchange_delete(lanes_exchange(another(service))),
    )
    for attempt in attempts:
        with channel_of(servers, service) as channel, pytest.raises(AccessRefused):
            attempt(channel)


@pytest.mark.parametrize("service", CONSUMERS)
def test_s59_a_service_reads_its_own_queues(servers: Servers, service: str) -> None:
    with channel_of(servers, service) as channel:
        assert channel.basic_get(main_queue(service)) is None


def test_s59_there_is_no_guest(servers: Servers) -> None:
    where = servers.broker_url("catalog").partition("@")[2]

    with Connection(f"amqp://guest:guest@{where}") as guest, pytest.raises(AccessRefused):
        guest.connect()
