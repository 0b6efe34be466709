"""The mails that were received, newest first."""

import json
import re
import sqlite3
from collections.abc import Sequence
from email import message_from_bytes, policy
from email.message import Message
from email.parser import BytesHeaderParser
from typing import Any

from sandbox.books import Books, now_text

_HEAD = BytesHeaderParser()
_WHOLE_ADDRESS = re.compile(r"[^@]+@[^@]+")
_TO_ADDRESS = "id IN (SELECT mail_id FROM mail_recipients WHERE address = ?)"
_TO_SOMETHING_LIKE = "id IN (SELECT mail_id FROM mail_recipients WHERE address LIKE ? ESCAPE '\\')"


class Mailbox:
    def __init__(self, books: Books) -> None:
        self._books = books

    def store(self, sender: str, recipients: Sequence[str], raw: bytes) -> int:
        """Keep one mail as it came in; it is safe when this returns."""
        # What it says is read when somebody looks: a benchmark would measure the reading.
        head = _HEAD.parsebytes(raw)
        with self._books.writing():
            mail_id = self._books.insert(
                "mails",
                sender=sender,
                recipients=json.dumps(recipients),
                subject=_header(head, "Subject"),
                message_id=_header(head, "Message-ID"),
                raw=raw,
                received_at=now_text(),
            )
            for address in recipients:
                self._books.insert("mail_recipients", mail_id=mail_id, address=address.lower())
        return mail_id

    def find(self, mail_id: int) -> sqlite3.Row | None:
        return self._books.row("SELECT * FROM mails WHERE id = ?", mail_id)

    def search(self, recipient: str = "", subject: str = "", limit: int = 500) -> list[sqlite3.Row]:
        """By a whole address or a part of one, and by a part of the subject; newest first."""
        where, values = ["TRUE"], []
        if recipient:
            is_whole = _WHOLE_ADDRESS.fullmatch(recipient)
            where.append(_TO_ADDRESS if is_whole else _TO_SOMETHING_LIKE)
            values.append(recipient.lower() if is_whole else _contains(recipient.lower()))
        if subject:
            where.append("subject LIKE ? ESCAPE '\\'")
            values.append(_contains(subject))
        query = f"SELECT * FROM mails WHERE {' AND '.join(where)} ORDER BY id DESC LIMIT ?"  # noqa: S608  # nosec B608
        return self._books.rows(query, *values, limit)

    def clear(self) -> None:
        with self._books.writing():
            self._books.write("DELETE FROM mails")
            self._books.write("DELETE FROM mail_recipients")


def shown(row: sqlite3.Row) -> dict[str, Any]:
    """One mail as JSON; `from` and `to` are the envelope's."""
    message = message_from_bytes(row["raw"])
    return {
        "id": row["id"],
        "from": row["sender"],
        "to": json.loads(row["recipients"]),
        "subject": row["subject"],
        "message_id": row["message_id"],
        "text": _part(message, "plain"),
        "html": _part(message, "html"),
        "received_at": row["received_at"],
    }


def _contains(text: str) -> str:
    escaped = re.sub(r"([\\%_])", r"\\\1", text)
    return f"%{escaped}%"


def _header(message: Message, name: str) -> str:
    given = next((value for key, value in message.raw_items() if key.lower() == name.lower()), "")
    if given.isascii() and "=?" not in given:
        return "".join(given.splitlines())
    try:
        return str(policy.default.header_fetch_parse(name, given))
    except ValueError:  # unreadable headers must not lose the mail; they are in `raw`
        return ""


def _part(message: Message, kind: str) -> str:
    """The first text of that kind that is not an attachment."""
    for part in message.walk():
        if part.get_content_type() == f"text/{kind}" and not _is_attachment(part):
            return _text(part)
    return ""


def _is_attachment(part: Message) -> bool:
    return part.get_content_disposition() == "attachment"


def _text(part: Message) -> str:
    try:
        content = part.get_payload(decode=True)
        charset = part.get_content_charset("ascii")
        text = content.decode(charset, "replace") if isinstance(content, bytes) else ""
        return text.replace("\r\n", "\n")
    except (LookupError, ValueError):  # an unknown charset; see `raw`
        return ""
