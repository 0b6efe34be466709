"""A mail server that can be stopped in its tracks and told what to answer."""

import asyncio
import logging
import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.support.servers import free_port
from tests.support.waiting import wait_until

logging.getLogger("mail.log").setLevel(logging.ERROR)  # aiosmtpd tells of every connection

DROP = "drop the connection"


class Gate:
    """Open until a test closes it; tells who waits in front of it."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self._open.set()
        self._waiting = 0

    def close(self) -> None:
        self._open.clear()

    def open(self) -> None:
        self._open.set()

    def has_somebody_waiting(self) -> bool:
        return self._waiting > 0

    async def passes(self) -> None:
        self._waiting += 1
        await asyncio.to_thread(self._open.wait, 30)
        self._waiting -= 1


@dataclass(frozen=True, slots=True)
class Received:
    sender: str
    recipients: list[str]
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        return BytesParser(_class=EmailMessage, policy=policy.default).parsebytes(self.raw)


@dataclass
class Desk:
    """What the server does; `answers` are used up one per command, then all is accepted. `asked`
    counts how often it was to take a mail for somebody."""

    inbox: list[Received] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)
    answers: dict[str, list[str]] = field(default_factory=dict)
    connections: int = 0

    def __post_init__(self) -> None:
        self.gates = {stage: Gate() for stage in ("RCPT", "DATA", "stored")}

    def answer(self, stage: str) -> str | None:
        scripted = self.answers.get(stage)
        return scripted.pop(0) if scripted else None


class _Server(SMTP):
    """Asks the desk before it lets the content come."""

    async def smtp_DATA(self, arg: str) -> None:
        await self.event_handler.desk.gates["DATA"].passes()
        refusal = self.event_handler.desk.answer("DATA")
        if refusal:
            await self.push(refusal)
        else:
            await super().smtp_DATA(arg)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.event_handler.desk.connections += 1
        super().connection_made(transport)


class _Handler:
    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    async def handle_MAIL(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        refusal = self.desk.answer("MAIL")
        if refusal:
            return refusal
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.desk.asked[address] += 1
        await self.desk.gates["RCPT"].passes()
        refusal = self.desk.answer("RCPT")
        if refusal == DROP:
            return _dropped(server)
        if refusal:
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:
        refusal = self.desk.answer("content")
        if refusal:
            return refusal
        self.desk.inbox.append(
            Received(envelope.mail_from or "", envelope.rcpt_tos, envelope.original_content or b"")
        )
        await self.desk.gates["stored"].passes()
        if self.desk.answer("stored") == DROP:
            return _dropped(server)
        return "250 OK"


def _dropped(server: SMTP) -> str:
    transport: Any = server.transport
    transport.abort()
    return "421 closing"


class _Controller(Controller):
    def factory(self) -> SMTP:
        return _Server(self.handler, **self.SMTP_kwargs)


class MailServer(Desk):
    """Runs on a port of its own; may be stopped and started again with the same inbox."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.port = free_port()
        self.url = f"smtp://127.0.0.1:{self.port}"

    @contextmanager
    def running(self, tls: ssl.SSLContext | None = None) -> Iterator[None]:
        """Listen; with `tls`, offer STARTTLS."""
        controller = _Controller(
            _Handler(self), "127.0.0.1", self.port, ready_timeout=10, tls_context=tls
        )
        controller.start()
        try:
            yield
        finally:
            for gate in self.gates.values():
                gate.open()
            controller.stop()

    def copies(self, recipient: str) -> list[Received]:
        return [mail for mail in list(self.inbox) if mail.recipients == [recipient]]

    def waits_for(self, recipient: str, count: int = 1) -> list[Received]:
        wait_until(lambda: len(self.copies(recipient)) >= count, what=f"mail to {recipient}")
        return self.copies(recipient)
