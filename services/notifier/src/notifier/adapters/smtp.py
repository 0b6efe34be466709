"""A mail server behind a URL, and what its answers mean.

    smtp://           plain; for a server on this machine or in a trusted network
    smtp+starttls://  plain at first; nothing is said before the connection is encrypted
    smtps://          encrypted from the first byte

Certificates are verified. A connection is kept for many mails.
"""

import contextlib
import logging
import smtplib
import ssl
import time
from dataclasses import dataclass, field
from email.utils import parseaddr
from urllib.parse import unquote, urlsplit

from notifier.adapters.composing import compose, domain_of
from notifier.adapters.dialogue import Answer, Dialogue, EncryptedDialogue
from notifier.domain.mail import Mail
from notifier.domain.plain_text import one_line
from notifier.use_cases.errors import Deferred, Refused, ServerAway, Unclear

log = logging.getLogger(__name__)

# Seconds. With the time for a link they are far below the time after which a claim runs out, see
# repositories.py.
TIME_TO_OFFER = 60.0  # from the first word to the recipient; once more for the content to leave
TIME_TO_ANSWER = 600.0  # to the content: RFC 5321, 4.5.3.2.6; whoever hangs up earlier gets copies
TIME_TO_LEAVE = 5.0
MAILS_PER_CONNECTION = 500  # providers close a connection after some thousands
_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_CLOSING = 421
# What smtplib raises when a connection cannot be had, or is no longer there.
_TROUBLE = (OSError, smtplib.SMTPException)


class BadSMTPURL(Exception):
    """The URL names no mail server."""


@dataclass(frozen=True, slots=True)
class SMTPAddress:
    """Where the mail server is and how to get in."""

    scheme: str
    host: str
    port: int
    user: str | None = None
    password: str = field(default="", repr=False)

    @classmethod
    def from_url(cls, url: str) -> "SMTPAddress":
        """Raises BadSMTPURL, which does not repeat the URL: it may hold a password."""
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise BadSMTPURL(f"SMTP_URL must start with one of {', '.join(_PORTS)} and name a host")
        return cls(
            scheme=parts.scheme,
            host=parts.hostname,
            port=parts.port or _PORTS[parts.scheme],
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password or ""),
        )


class SMTPServer:
    """One connection, opened when there is something to send. Not for several threads at once."""

    def __init__(
        self,
        address: SMTPAddress,
        *,
        sender: str,
        time_to_offer: float = TIME_TO_OFFER,
        time_to_answer: float = TIME_TO_ANSWER,
        mails_per_connection: int = MAILS_PER_CONNECTION,
    ) -> None:
        self._address = address
        self._sender = parseaddr(sender)[1]
        self._own_name = domain_of(sender)
        self._time_to_offer = time_to_offer
        self._time_to_answer = time_to_answer
        self._mails_per_connection = mails_per_connection
        self._kept: Dialogue | None = None
        self._mails = 0
        self._unfinished = False

    def offer(self, mail: Mail) -> None:
        ends = time.monotonic() + self._time_to_offer
        kept = self._fresh_enough()
        if kept is not None:
            kept.allow(self._time_to_offer / 2)  # the rest is for a new one
            try:
                return self._name(kept, mail)
            except _TROUBLE:
                # Servers hang up on idle clients; a new connection tells whether that was all.
                self._drop()
        try:
            self._name(self._connect(ends - time.monotonic()), mail)
        except _TROUBLE as error:
            self._drop()
            raise ServerAway(_words(error)) from error

    def hand_over(self, mail: Mail) -> None:
        if self._kept is None:
            raise RuntimeError("offer the mail first")
        content = compose(mail)
        self._kept.allow(self._time_to_offer)
        try:
            answer = self._kept.deliver(content, patience=self._time_to_answer)
        except _TROUBLE as error:
            self._drop()
            raise Unclear(f"the answer got lost: {_words(error)}") from error
        self._judge(answer)
        self._mails += 1
        self._unfinished = False

    def close(self) -> None:
        """Say goodbye, if there is anybody to say it to."""
        if self._kept is not None:
            self._kept.allow(TIME_TO_LEAVE)
            with contextlib.suppress(*_TROUBLE):
                self._kept.quit()
        self._drop()

    def _drop(self) -> None:
        kept, self._kept, self._mails, self._unfinished = self._kept, None, 0, False
        if kept is not None:
            kept.close()

    def _fresh_enough(self) -> Dialogue | None:
        if self._mails >= self._mails_per_connection:
            self.close()
        return self._kept

    def _name(self, connection: smtplib.SMTP, mail: Mail) -> None:
        if self._unfinished:
            connection.rset()
        answer = connection.mail(self._sender)
        if answer[0] != 250:
            # It wants nothing from this shop: a matter of settings or of time, not of this mail.
            self._drop()
            raise ServerAway(f"sender refused: {_said(answer)}")
        self._unfinished = True
        self._judge(connection.rcpt(mail.recipient))

    def _judge(self, answer: Answer) -> None:
        """Return when the server said yes; raise what its no means."""
        code, _ = answer
        if 200 <= code < 300:
            return
        if code == _CLOSING:
            self._drop()
        raise (Refused if code >= 500 else Deferred)(_said(answer))

    def _connect(self, seconds: float) -> Dialogue:
        at = self._address
        tls = ssl.create_default_context()
        if at.scheme == "smtps":
            connection: Dialogue = EncryptedDialogue(
                at.host, at.port, self._own_name, timeout=seconds, context=tls
            )
        else:
            connection = Dialogue(at.host, at.port, self._own_name, timeout=seconds)
        self._kept = connection
        if at.scheme == "smtp+starttls":
            connection.starttls(context=tls)
        if at.user is not None:
            self._log_in(connection, at.user)
        connection.ehlo_or_helo_if_needed()
        log.info("connected to the mail server", extra={"host": at.host, "port": at.port})
        return connection

    def _log_in(self, connection: smtplib.SMTP, user: str) -> None:
        if self._address.scheme == "smtp" and self._address.host not in _LOOPBACK:
            log.warning("the password of the mail server goes over the network unencrypted")
        connection.login(user, self._address.password)


def _said(answer: Answer) -> str:
    code, text = answer
    return one_line(f"{code} {text.decode(errors='replace')}")


def _words(error: Exception) -> str:
    return one_line(f"{type(error).__name__}: {error}")
