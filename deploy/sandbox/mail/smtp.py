"""The SMTP door: 250 after DATA means that the mail is in the books."""

import asyncio
import hmac
from fnmatch import fnmatch
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from sandbox.log import logger
from sandbox.parts import Parts
from sandbox.settings import Settings
from sandbox.switches import Setting

log = logger("smtp")
REPLIES = {
    "421": "421 4.7.0 Temporarily deferred, try again later",
    "450": "450 4.2.0 Mailbox busy, try again later",
    "550": "550 5.1.1 Mailbox unavailable",
}


class Sink:
    """Takes every mail, unless a fault for one of its recipients is switched on."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def handle_RCPT(
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        fault = self._fault([address], "rcpt")
        if fault:
            return await self._play(server, fault)
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:
        fault = self._fault(envelope.rcpt_tos, "data")
        if fault and fault["fault"] != "drop_after_store":
            return await self._play(server, fault)
        mail_id = self._store(envelope)
        if fault:
            return self._drop(server)
        log.info("mail stored", extra={"mail": mail_id, "recipients": envelope.rcpt_tos})
        return f"250 OK queued as {mail_id}"

    def _store(self, envelope: Envelope) -> int:
        # Handing it to a thread would take longer than storing it.
        raw = envelope.original_content or b""
        return self._parts.mailbox.store(envelope.mail_from or "", list(envelope.rcpt_tos), raw)

    def _fault(self, addresses: list[str], stage: str) -> Setting | None:
        def fits(setting: Setting) -> bool:
            pattern = setting["recipient"].lower()
            concerns = any(fnmatch(address.lower(), pattern) for address in addresses)
            return concerns and setting["stage"] == stage

        return self._parts.switches.take("mail", fits)

    async def _play(self, server: SMTP, fault: Setting) -> str:
        if fault["fault"] == "hang":
            await self._hang(float(fault["seconds"]))
            return "451 4.3.0 Gave up after a while"
        if fault["fault"] == "drop_before_store":
            return self._drop(server)
        if fault["fault"] == "421":
            await server.push(REPLIES["421"])
            return self._drop(server, abruptly=False)
        return REPLIES[fault["fault"]]

    async def _hang(self, seconds: float) -> None:
        await asyncio.to_thread(self._parts.stopping.wait, seconds)

    def _drop(self, server: SMTP, abruptly: bool = True) -> str:
        """Close the connection; the reply that aiosmtpd wants from us goes nowhere."""
        transport = server.transport
        if isinstance(transport, asyncio.Transport):
            (transport.abort if abruptly else transport.close)()
        return "421 closing"


def controller(parts: Parts) -> Controller:
    """The server, not yet started; it runs in a thread of its own."""
    settings = parts.settings
    login: dict[str, Any] = {}
    if settings.smtp_user:
        login = {"authenticator": _authenticator(settings), "auth_required": True}
    return Controller(
        Sink(parts),
        hostname=settings.host,
        port=settings.smtp_port,
        auth_require_tls=False,
        server_hostname="sandbox",
        ident="Sandbox",
        **login,
    )


def _authenticator(settings: Settings) -> Any:
    def check(_server: SMTP, _session: Session, _envelope: Envelope, _how: str, data: Any) -> Any:
        if not isinstance(data, LoginPassword):
            return AuthResult(success=False, handled=False)
        user_fits = hmac.compare_digest(data.login, (settings.smtp_user or "").encode())
        password = (settings.smtp_password or "").encode()
        fits = hmac.compare_digest(data.password, password) and user_fits
        return AuthResult(success=fits, handled=False)

    return check
