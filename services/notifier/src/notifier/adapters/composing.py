"""A mail as bytes for the wire. The same mail makes the same bytes, whenever it is composed.

The library's EmailMessage parses and folds each header of each part, which is most of the work that
a mail takes; here it does the three headers whose text is not our own, where that needs quotes,
encoding or folding.
"""

import re
from binascii import b2a_qp
from datetime import datetime
from email.header import Header
from email.headerregistry import Address
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from functools import lru_cache
from typing import Protocol
from uuid import UUID

from notifier.domain.plain_text import one_line

_MESSAGE = """\
Date: {date}
Message-ID: {name}
Auto-Submitted: auto-generated
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary="{boundary}"

"""
_PART = """\
--{boundary}
Content-Type: text/{kind}; charset="utf-8"
Content-Transfer-Encoding: quoted-printable

"""

# What the library would write as it stands.
_PLAIN_TEXT = re.compile(r"[!-~]+( [!-~]+)*")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9'-]+( [A-Za-z0-9'-]+)*")
_PLAIN_HALF = re.compile(r"[A-Za-z0-9+_-]+(\.[A-Za-z0-9+_-]+)*")  # of an address
_LINE = 78  # characters, as RFC 5322 advises
# The library decodes what looks like an encoded word, line breaks in it included.
_ENCODED_WORD = "=?"
_SECOND_LINE = re.compile(rb"\r\n(?![ \t]|\Z)|(?<!\r)\n|\r(?!\n)")  # that is no folded one


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
    boundary = f"=_{mail.message_id.strip('<>').partition('@')[0]}"
    # The name stands on one line, however long: it has no place where it may be broken.
    message = _MESSAGE.format(
        date=format_datetime(mail.created_at), name=mail.message_id, boundary=boundary
    )
    return b"".join(
        (
            _from(mail.sender),
            _to(mail.recipient_name, mail.recipient),
            _subject(one_line(mail.subject)),
            _crlf(message.encode("ascii")),
            _part("plain", mail.text, boundary),
            _part("html", mail.html, boundary),
            f"--{boundary}--\r\n".encode("ascii"),
        )
    )


@lru_cache(maxsize=8)
def _from(sender: str) -> bytes:
    name, address = parseaddr(sender)
    return _header("From", Address(name, addr_spec=address))


def _to(name: str, address: str) -> bytes:
    line = f"To: {name} <{address}>"
    is_plain = _PLAIN_NAME.fullmatch(name) and all(
        _PLAIN_HALF.fullmatch(half) for half in address.partition("@")[::2]
    )
    if len(line) <= _LINE and is_plain:
        return f"{line}\r\n".encode("ascii")
    if _ENCODED_WORD in name:
        return _encoded("To", name) + f" <{address}>\r\n".encode("ascii")
    return _header("To", Address(name, addr_spec=address))


def _subject(subject: str) -> bytes:
    line = f"Subject: {subject}"
    if _ENCODED_WORD in subject:
        return _encoded("Subject", subject)
    if len(line) <= _LINE and _PLAIN_TEXT.fullmatch(subject):
        return f"{line}\r\n".encode("ascii")
    return _header("Subject", subject)


def _encoded(name: str, text: str) -> bytes:
    """Every letter of it encoded, so that nothing in it is read as anything else."""
    value = Header(text, "utf-8", header_name=name).encode(linesep="\r\n")
    return f"{name}: {value}\r\n".encode("ascii")


def _header(name: str, value: str | Address) -> bytes:
    """Folded, and with what is not ASCII encoded."""
    header = SMTP.fold_binary(name, SMTP.header_factory(name, value))
    if _SECOND_LINE.search(header):
        raise ValueError(f"the text of {name} would be a header of its own")
    return header


def _part(kind: str, words: str, boundary: str) -> bytes:
    head = _PART.format(kind=kind, boundary=boundary).encode("ascii")
    lines = words.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n") + "\n\n"
    return _crlf(head + b2a_qp(lines.encode()))


def _crlf(text: bytes) -> bytes:
    return text.replace(b"\n", b"\r\n")


def message_id(mail_id: UUID, template: str, sender: str) -> str:
    """`mail_id` is what makes it unique: the event's id, or the copy's when staff ask for one."""
    return f"<{mail_id}.{template}@{domain_of(sender)}>"


@lru_cache(maxsize=8)
def domain_of(sender: str) -> str:
    """The domain of `Oja <orders@oja.example>`."""
    return parseaddr(sender)[1].rpartition("@")[2]
