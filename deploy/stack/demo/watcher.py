"""Sees what the services tell each other: journals and inboxes, read with the superuser's eyes."""

import time
from collections.abc import Callable, Collection, Iterable
from contextlib import closing
from dataclasses import dataclass
from typing import Any, TypeVar

import psycopg2
import requests

from oja_events.contracts import EVENTS, Event
from oja_events.topology import SUBSCRIBERS
from stack.failure import Failure
from stack.services import SERVICES

T = TypeVar("T")

_POLL = 0.05
JOURNAL = "the journal"

_TOLD = """
    SELECT event_id::text, type, occurred_at FROM {schema}.event_log WHERE subject = ANY(%s)
"""
_HEARD = """
    SELECT event_id::text, handled_at FROM {schema}.inbox
    WHERE outcome = 'applied' AND subject = ANY(%s)
"""


@dataclass(frozen=True, slots=True)
class Hop:
    """One event's way into one service, in milliseconds from its commit there to the effect."""

    event_id: str
    type: str
    source: str
    to: str
    milliseconds: float


@dataclass(frozen=True, slots=True)
class Mail:
    subject: str
    template: str
    message_id: str


class Watcher:
    """Follows some aggregates and one mailbox. Whatever is away for a moment is asked again."""

    def __init__(self, dsn: str, mail_url: str, *, patience: float) -> None:
        self._dsn = dsn
        self._mail_url = mail_url
        self._patience = patience
        self._seen: set[tuple[str, str]] = set()

    def await_hops(self, subjects: Collection[str], expected: Iterable[type[Event]]) -> list[Hop]:
        """New hops since the last call, once every expected event is with all its subscribers.

        Raises Failure, naming what is missing, when they do not come in time.
        """
        wanted = {(event.TYPE, service) for event in expected for service in _listeners(event.TYPE)}

        def missing() -> set[tuple[str, str]]:
            return wanted - {(hop.type, hop.to) for hop in self._new_hops(subjects)}

        self._until(lambda: not missing(), lambda: f"these events did not arrive: {missing()}")
        found = self._new_hops(subjects)
        self._seen |= {(hop.event_id, hop.to) for hop in found}
        return found

    def await_mail(self, recipient: str, template: str) -> Mail:
        """The mail made from this template; raises Failure when it does not come in time."""

        def find() -> Mail | None:
            return next((m for m in self.mails(recipient) if m.template == template), None)

        return self._until(find, lambda: f"the mail {template} to {recipient} did not arrive")

    def mails(self, recipient: str) -> list[Mail]:
        """What lies in the sandbox's inbox for one recipient, newest first."""
        try:
            answer = requests.get(self._mail_url, params={"recipient": recipient}, timeout=5)
            answer.raise_for_status()
        except requests.RequestException:
            return []
        return [_mail(item) for item in answer.json()["items"]]

    def _until(self, look: Callable[[], T | None], complaint: Callable[[], str]) -> T:
        deadline = time.monotonic() + self._patience
        while time.monotonic() < deadline:
            found = look()
            if found:
                return found
            time.sleep(_POLL)
        raise Failure(f"After {self._patience:.0f} seconds, {complaint()}.")

    def _new_hops(self, subjects: Collection[str]) -> list[Hop]:
        try:
            hops = self._hops(list(subjects))
        except psycopg2.OperationalError:
            return []
        return [hop for hop in hops if (hop.event_id, hop.to) not in self._seen]

    def _hops(self, subjects: list[str]) -> list[Hop]:
        told: dict[str, tuple[str, str, Any]] = {}
        hops = []
        with closing(psycopg2.connect(self._dsn, connect_timeout=3)) as connection:
            for schema in SERVICES:
                for event_id, type_, at in _rows(connection, _TOLD, schema, subjects):
                    told[event_id] = (type_, schema, at)
            for schema in SERVICES:
                for event_id, at in _rows(connection, _HEARD, schema, subjects):
                    if event_id in told:
                        type_, source, since = told[event_id]
                        elapsed = (at - since).total_seconds() * 1000
                        hops.append(Hop(event_id, type_, source, schema, elapsed))
        for event_id, (type_, source, _) in told.items():
            if _listeners(type_) == (JOURNAL,):
                hops.append(Hop(event_id, type_, source, JOURNAL, 0))
        return sorted(hops, key=lambda hop: hop.event_id)


def _rows(connection: Any, sql: str, schema: str, subjects: list[str]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql.format(schema=schema), (subjects,))
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _listeners(event_type: str) -> tuple[str, ...]:
    """The services that listen; what nobody listens to is still kept in the journal."""
    return SUBSCRIBERS.get(EVENTS[event_type]) or (JOURNAL,)


def _mail(item: dict[str, Any]) -> Mail:
    # Message-ID: <event id.template@domain>
    local_part = item["message_id"].strip("<>").split("@")[0]
    return Mail(item["subject"], local_part.partition(".")[2], item["message_id"])
