"""State folders that an older sandbox left behind."""

import sqlite3
from contextlib import closing
from pathlib import Path

from sandbox.books import Books
from sandbox.mail.mailbox import Mailbox, shown

OLDER = """CREATE TABLE mails (
    id INTEGER PRIMARY KEY AUTOINCREMENT, sender TEXT NOT NULL, recipients TEXT NOT NULL,
    subject TEXT NOT NULL, message_id TEXT NOT NULL, text TEXT NOT NULL, html TEXT NOT NULL,
    raw BLOB NOT NULL, received_at TEXT NOT NULL);
INSERT INTO mails VALUES (7, 'shop@x.example', '["ada@x.example"]', 'Hello', '', 'Hi', '',
    CAST('Subject: Hello' || char(10, 10) || 'Hi' AS BLOB), '2026-01-01T00:00:00.000Z');
"""


def test_mails_are_kept_and_more_may_come(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "sandbox.sqlite3")) as older:
        older.executescript(OLDER)

    with closing(Books(tmp_path)) as books:
        mailbox = Mailbox(books)
        mailbox.store("shop@x.example", ["ada@x.example"], b"Subject: Again\r\n\r\nHi again")
        mails = [shown(row) for row in mailbox.search()]

    assert [(mail["subject"], mail["text"]) for mail in mails] == [
        ("Again", "Hi again"),
        ("Hello", "Hi"),
    ]
