"""Notifier on a database and a mail server of a test: its handlers, its senders, its processes."""

import multiprocessing
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import text

from notifier.adapters.one_time_links import LinkingMailServer
from notifier.adapters.smtp import SMTPAddress, SMTPServer
from notifier.bootstrap import MAILS, Dependencies, build
from notifier.entrypoints import worker
from notifier.entrypoints.consumer import message_handler
from notifier.entrypoints.worker import alert_jobs, mail_jobs
from notifier.settings import Settings
from oja_events.contracts import Event
from oja_events.envelope import encode
from oja_events.handling import Verdict
from oja_events.wakeup import channel
from oja_web.testing import ISSUER, make_key_pair
from tests.support.notifier import SENDER, STAFF, STOREFRONT, envelope_of
from tests.support.waiting import wait_until

KEYS = make_key_pair()
NO_IDENTITY = "http://127.0.0.1:1"
INTERNAL_TOKEN = "t" * 40
NO_BROKER = "amqp://notifier:none@127.0.0.1:1/oja"


@dataclass(frozen=True, slots=True)
class Notifier:
    deps: Dependencies

    def hears(self, event: Event, event_id: UUID | None = None) -> UUID:
        """Handle it as the consumer would; returns the event's id."""
        envelope = envelope_of(event, event_id)
        result = message_handler(self.deps).handle(encode(envelope), {})
        assert result.verdict is Verdict.DONE, result.error
        return envelope.id

    def rows(self, statement: str, **values: Any) -> list[Any]:
        with self.deps.engine.begin() as connection:
            result = connection.execute(text(statement), values)
            return list(result) if result.returns_rows else []

    def mail(self, recipient: str) -> Any:
        """The newest mail in the ledger for this recipient."""
        found = self.rows(
            "SELECT * FROM mails WHERE recipient = :recipient ORDER BY id DESC LIMIT 1",
            recipient=recipient,
        )
        return found[0]

    def settles(self, recipient: str, status: str) -> Any:
        """The mail once it has this status and nobody works on it."""

        def settled() -> Any:
            mail = self.mail(recipient)
            return mail if (mail.status, mail.claimed_by) == (status, None) else None

        return wait_until(settled, what=f"a {status} mail to {recipient}")

    def published(self, event_type: str) -> list[Any]:
        return self.rows(
            "SELECT convert_from(envelope, 'UTF8')::jsonb -> 'data' AS data FROM event_log"
            " WHERE type = :type ORDER BY id",
            type=event_type,
        )

    @contextmanager
    def sending(self, senders: int = 2) -> Iterator[None]:
        """Senders at work during the block."""
        stop = threading.Event()
        jobs = [*mail_jobs(self.deps, senders), *alert_jobs(self.deps)]
        threads = [threading.Thread(target=job, args=(stop,)) for job in jobs]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            self.rows(f"NOTIFY {channel(MAILS)}")
            for thread in threads:
                thread.join(10)
            assert not any(thread.is_alive() for thread in threads)


def settings(database_url: str, smtp_url: str) -> Settings:
    return Settings(
        database_url=database_url,
        broker_url=NO_BROKER,
        jwt_public_keys=KEYS.jwks,
        jwt_issuer=ISSUER,
        smtp_url=smtp_url,
        mail_from=SENDER,
        staff_mail=STAFF,
        storefront_url=STOREFRONT,
        identity_url=NO_IDENTITY,
        internal_token=INTERNAL_TOKEN,
        feed_urls={},
        alert_digest_seconds=0,
    )


def notifier_on(database_url: str, smtp_url: str) -> Notifier:
    deps = build(settings(database_url, smtp_url), role="test", pool_size=12)
    server = partial(SMTPServer, SMTPAddress.from_url(smtp_url), sender=SENDER)
    linking = replace(deps, mail_server=lambda: LinkingMailServer(server(), MadeUpLinks()))
    return Notifier(linking)


class MadeUpLinks:
    """In the place of identity."""

    def link_for(self, request_id: UUID) -> str:
        return f"https://shop.test/account#token={request_id}"


class Worker:
    """The worker as a process of its own, without a broker: its senders need none."""

    def __init__(
        self, database_url: str, smtp_url: str, log: Path, *, connections: int = 4
    ) -> None:
        self._env = {
            **os.environ,
            "DATABASE_URL": database_url,
            "BROKER_URL": NO_BROKER,
            "JWT_PUBLIC_KEYS": KEYS.jwks,
            "JWT_ISSUER": ISSUER,
            "SMTP_URL": smtp_url,
            "MAIL_FROM": SENDER,
            "STAFF_MAIL": STAFF,
            "PUBLIC_URL": STOREFRONT,
            "IDENTITY_URL": NO_IDENTITY,
            "INTERNAL_TOKEN": INTERNAL_TOKEN,
            "FEED_URLS": "{}",
            "MAIL_CONNECTIONS": str(connections),
            "REDIS_URL": "redis://127.0.0.1:1/0",
        }
        self._log = log

    def start(self) -> None:
        # A daemon: should a test leave it behind, it ends with the tests.
        self._process = _READY.Process(
            target=_be_a_worker, args=(self._env, self._log), daemon=True
        )
        self._process.start()

    def ask_to_stop(self) -> None:
        self._process.terminate()

    def exit_status(self) -> int | None:
        self._process.join(15)
        return self._process.exitcode

    def kill(self) -> None:
        """As a power cut would; safe to repeat."""
        self._process.kill()
        self._process.join(5)


# A process that has imported everything, for workers to be forked from: on a busy machine the
# imports of each would take longer than all that it does in its test.
_READY = multiprocessing.get_context("forkserver")
_READY.set_forkserver_preload(["notifier.entrypoints.worker"])


def _be_a_worker(env: dict[str, str], log: Path) -> None:
    """What `python -m notifier.entrypoints.worker` does."""
    os.environ.clear()
    os.environ.update(env)
    with log.open("a") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    worker.main()
