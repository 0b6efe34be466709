"""How each kind of fault is done to a running stack."""

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

from kombu import Connection, Exchange, Producer  # type: ignore[attr-defined]

from oja_events.topology import EVENTS_EXCHANGE, lanes_exchange, main_queue
from tests.chaos.nemesis.arena import Arena
from tests.chaos.nemesis.plan import Fault

_COPIES = 2
_LATEST = 30
_RESENT = 10
_RESTARTED_WITHIN = 60.0
_NEWS = """
    SELECT event_id::text, type, envelope FROM {source}.event_log ORDER BY id DESC LIMIT {limit}
"""
_WEBHOOKS: dict[str, dict[str, Any]] = {
    "delayed": {"delay": 10, "times": 0},
    "repeated": {"repeat": 4, "times": 0},
    "lost": {"drop": True, "times": 0},
}


def inject(arena: Arena, fault: Fault) -> None:
    """Do it, and return when it is over; what it did may take longer to heal."""
    KINDS_OF_FAULTS[fault.kind](arena, fault)


def _kill(arena: Arena, fault: Fault) -> None:
    """kill -9, and back again under another pid."""
    before = _pid(arena, fault.target)
    os.kill(before, signal.SIGKILL)
    until = time.monotonic() + _RESTARTED_WITHIN
    while _pid(arena, fault.target) in (0, before) and time.monotonic() < until:
        time.sleep(0.1)


def _freeze(arena: Arena, fault: Fault) -> None:
    """SIGSTOP for a while: to those who ask it this is worse than death."""
    group = os.getpgid(_pid(arena, fault.target))
    if group == os.getpgid(0):
        raise RuntimeError(f"{fault.target} runs in our own process group")
    os.killpg(group, signal.SIGSTOP)
    try:
        time.sleep(fault.seconds)
    finally:
        os.killpg(group, signal.SIGCONT)


def _restart(arena: Arena, fault: Fault) -> None:
    arena.oja("restart", fault.target)


def _cut(arena: Arena, fault: Fault) -> None:
    """Connections are reset, and new ones too for as long as it lasts."""
    arena.links.cut(fault.target)
    try:
        time.sleep(fault.seconds)
    finally:
        arena.links.mend(fault.target)


def _hold(arena: Arena, fault: Fault) -> None:
    """A network that swallows: no reset, no answer."""
    arena.links.hold(fault.target)
    try:
        time.sleep(fault.seconds)
    finally:
        arena.links.mend(fault.target)


def _lose_answers(arena: Arena, fault: Fault) -> None:
    """What was asked is done, a commit for instance, and the connection breaks before that is
    known."""
    arena.links.hold_answers(fault.target)
    try:
        time.sleep(fault.seconds)
    finally:
        arena.links.lose(fault.target)


def _wipe(arena: Arena, _fault: Fault) -> None:
    """All that the broker keeps is deleted under it; somebody else has to notice."""
    before = _pid(arena, "rabbitmq")
    shutil.rmtree(arena.stack.home.data / "rabbitmq", ignore_errors=True)
    until = time.monotonic() + _RESTARTED_WITHIN
    while _pid(arena, "rabbitmq") in (0, before) and time.monotonic() < until:
        time.sleep(0.1)


def _duplicate(arena: Arena, fault: Fault) -> None:
    """The latest events once more, with the same ids."""
    _publish(arena, _news(arena, fault.target, _LATEST) * _COPIES)


def _replay_late(arena: Arena, fault: Fault) -> None:
    """Events of any age, in any order."""
    news = _news(arena, fault.target, 10_000)
    _publish(arena, Random(fault.number).sample(news, k=min(_LATEST, len(news))))  # noqa: S311


def _reorder(arena: Arena, fault: Fault) -> None:
    """What a consumer has not heard yet reaches it in another order: it piles up while the way to
    the broker is cut, and is then put back shuffled."""
    link = f"{fault.target} → rabbitmq"
    arena.links.cut(link)
    try:
        time.sleep(fault.seconds)
        _shuffle(arena, fault)
    finally:
        arena.links.mend(link)


def _rewind(arena: Arena, fault: Fault) -> None:
    """Everybody compares the whole feed again."""
    arena.oja("events", "replay", "--source", fault.target, "--after", "0")


def _webhooks(arena: Arena, fault: Fault) -> None:
    if fault.target == "sent again":
        sent = arena.shop.control("GET", "/webhooks", params={"limit": 200})["items"]
        for each in Random(fault.number).sample(sent, k=min(_RESENT, len(sent))):  # noqa: S311
            arena.shop.control("POST", f"/webhooks/{each['id']}/resend")
        return
    with _switched(arena, "/webhooks/switches", _WEBHOOKS[fault.target]):
        time.sleep(fault.seconds)


def _paystack(arena: Arena, fault: Fault) -> None:
    setting = {"provider": "paystack", "fault": fault.target, "times": 0, "seconds": 10}
    with _switched(arena, "/faults", setting):
        time.sleep(fault.seconds)


def _mail(arena: Arena, fault: Fault) -> None:
    with _switched(arena, "/mail/faults", {"fault": fault.target, "times": 0, "seconds": 10}):
        time.sleep(fault.seconds)


@contextmanager
def _switched(arena: Arena, path: str, setting: dict[str, Any]) -> Iterator[None]:
    arena.shop.control("POST", path, json=setting)
    try:
        yield
    finally:
        arena.shop.control("DELETE", path)


def _pid(arena: Arena, name: str) -> int:
    """0 while it does not run."""
    if name == "supervisord":
        return arena.stack.supervisor.pid() or 0
    return arena.stack.supervisor.pids().get(name, 0)


def _news(arena: Arena, source: str, limit: int) -> list[tuple[str, str, bytes]]:
    rows = arena.sql(_NEWS.format(source=source, limit=limit))
    return [(event_id, kind, bytes(envelope)) for event_id, kind, envelope in rows]


def _publish(arena: Arena, news: list[tuple[str, str, bytes]]) -> None:
    """As the relay does, to all who listen."""
    with Connection(arena.shop.description["broker"]["admin_url"]) as broker:
        exchange = Exchange(EVENTS_EXCHANGE, "topic")
        producer = Producer(broker.channel(), exchange, auto_declare=False)
        for event_id, kind, envelope in news:
            producer.publish(
                envelope,
                routing_key=kind,
                delivery_mode=2,
                content_type="application/cloudevents+json",
                content_encoding="utf-8",
                message_id=event_id,
                type=kind,
            )


def _shuffle(arena: Arena, fault: Fault) -> None:
    """Take all that waits in the service's queue and put it back in another order. Each is put
    back before it is taken for good: at worst it is there twice."""
    with Connection(arena.shop.description["broker"]["admin_url"]) as broker:
        channel = broker.channel()
        waiting = []
        while message := channel.basic_get(main_queue(fault.target)):
            waiting.append(message)
        producer = Producer(
            channel, Exchange(lanes_exchange(fault.target), "direct"), auto_declare=False
        )
        Random(fault.number).shuffle(waiting)  # noqa: S311
        for message in waiting:
            producer.publish(
                message.body,
                routing_key="main",
                delivery_mode=2,
                content_type=message.properties.get("content_type"),
                content_encoding=message.properties.get("content_encoding"),
                message_id=message.properties.get("message_id"),
                type=message.properties.get("type"),
                headers=message.properties.get("application_headers") or {},
            )
        for message in waiting:
            channel.basic_ack(message.delivery_tag)


KINDS_OF_FAULTS: dict[str, Callable[[Arena, Fault], None]] = {
    "kill": _kill,
    "freeze": _freeze,
    "restart": _restart,
    "cut": _cut,
    "hold": _hold,
    "lose answers": _lose_answers,
    "wipe": _wipe,
    "duplicate": _duplicate,
    "replay late": _replay_late,
    "reorder": _reorder,
    "rewind": _rewind,
    "webhooks": _webhooks,
    "paystack": _paystack,
    "mail": _mail,
}
