"""A mail as bytes for the wire. The same mail makes the same bytes, whenever it is composed."""

from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, parseaddr
from typing import Protocol
from uuid import UUID

from notifier.domain.plain_text import one_line

_NAME = "Message-ID"


class _Wire(EmailPolicy):
    """Lines of at most 78 characters, as RFC 5322 advises, but for the one that holds the name:
    it has no place where it may be broken, and readers that do not join lines again lose it."""

    def fold_binary(self, name: str, value: str) -> bytes:
        if name == _NAME:
            return f"{name}: {value}{self.linesep}".encode("ascii")
        return super().fold_binary(name, value)


_WIRE = _Wire(linesep="\r\n")


class Composable(Protocol):
    """What goes onto the wire: a Mail, or a row of the ledger."""

    @property
    def sender(self) -> str: ...
    @property
    def recipient(self) -> str: ...
    @property
    def recipient_name(self) -> str: ...
    @property
    def message_id(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def html(self) -> str: ...
    @property
    def created_at(self) -> datetime: ...


def compose(mail: Composable) -> bytes:
    """Text and HTML side by side, for exactly one recipient, lines ending in CRLF."""
    message = EmailMessage(policy=_WIRE)
    name, address = parseaddr(mail.sender)
    message["From"] = Address(name, addr_spec=address)
    message["To"] = Address(mail.recipient_name, addr_spec=mail.recipient)
    message["Subject"] = one_line(mail.subject)
    message["Date"] = format_datetime(mail.created_at)
    message[_NAME] = mail.message_id
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text, cte="quoted-printable")
    message.add_alternative(mail.html, subtype="html", cte="quoted-printable")
    # Left to itself the library makes one up, another one each time.
    message.set_boundary(f"=_{mail.message_id.strip('<>').partition('@')[0]}")
    return message.as_bytes()


def message_id(mail_id: UUID, template: str, sender: str) -> str:
    """`mail_id` is what makes it unique: the event's id, or the copy's when staff ask for one."""
    return f"<{mail_id}.{template}@{domain_of(sender)}>"


def domain_of(sender: str) -> str:
    """The domain of `Oja <orders@oja.example>`."""
    return parseaddr(sender)[1].rpartition("@")[2]
