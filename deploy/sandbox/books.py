"""What the sandbox remembers, in one SQLite file in its state folder."""

import re
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS customers (
    id INTEGER PRIMARY KEY AUTOINCREMENT, email TEXT UNIQUE NOT NULL, code TEXT NOT NULL,
    first_name TEXT NOT NULL, last_name TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS transactions (
    id INTEGER PRIMARY KEY AUTOINCREMENT, reference TEXT UNIQUE NOT NULL,
    access_code TEXT UNIQUE NOT NULL, customer_id INTEGER NOT NULL, status TEXT NOT NULL,
    amount INTEGER NOT NULL, requested_amount INTEGER NOT NULL, currency TEXT NOT NULL,
    metadata TEXT NOT NULL, channels TEXT NOT NULL, callback_url TEXT, label TEXT,
    created_at TEXT NOT NULL, paid_at TEXT, channel TEXT, card TEXT, fees INTEGER,
    gateway_response TEXT NOT NULL, ip_address TEXT, attempts INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS refunds (
    id INTEGER PRIMARY KEY AUTOINCREMENT, transaction_id INTEGER NOT NULL, status TEXT NOT NULL,
    amount INTEGER NOT NULL, currency TEXT NOT NULL, customer_note TEXT NOT NULL,
    merchant_note TEXT NOT NULL, outcome TEXT NOT NULL, reference TEXT,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL, next_step_at REAL);
CREATE INDEX IF NOT EXISTS refunds_of ON refunds (transaction_id);
CREATE TABLE IF NOT EXISTS deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL, reference TEXT, url TEXT NOT NULL,
    headers TEXT NOT NULL, body BLOB NOT NULL, state TEXT NOT NULL, due_at REAL NOT NULL,
    created_at TEXT NOT NULL, attempts TEXT NOT NULL DEFAULT '[]');
CREATE INDEX IF NOT EXISTS deliveries_of ON deliveries (reference);
CREATE INDEX IF NOT EXISTS deliveries_in ON deliveries (state);
CREATE TABLE IF NOT EXISTS mails (
    id INTEGER PRIMARY KEY AUTOINCREMENT, sender TEXT NOT NULL, recipients TEXT NOT NULL,
    subject TEXT NOT NULL, message_id TEXT NOT NULL, raw BLOB NOT NULL,
    received_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS mail_recipients (mail_id INTEGER NOT NULL, address TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS mail_recipients_by ON mail_recipients (address, mail_id);
CREATE TABLE IF NOT EXISTS assets (
    resource_type TEXT NOT NULL, type TEXT NOT NULL, public_id TEXT NOT NULL,
    asset_id TEXT NOT NULL, version INTEGER NOT NULL, format TEXT NOT NULL, facts TEXT NOT NULL,
    content BLOB NOT NULL, PRIMARY KEY (resource_type, type, public_id));
CREATE TABLE IF NOT EXISTS calls (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, provider TEXT NOT NULL,
    method TEXT NOT NULL, path TEXT NOT NULL, fields TEXT NOT NULL, status INTEGER,
    milliseconds REAL NOT NULL);
CREATE TABLE IF NOT EXISTS switches (
    id INTEGER PRIMARY KEY AUTOINCREMENT, scope TEXT NOT NULL, setting TEXT NOT NULL,
    remaining INTEGER);
CREATE TABLE IF NOT EXISTS options (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
TABLES = re.findall(r"TABLE IF NOT EXISTS (\w+)", SCHEMA)


class Books:
    """A write that has returned survives a kill of the sandbox.

    Not a power cut: waiting for the disk would only slow every payment of a benchmark.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(
            folder / "sandbox.sqlite3", isolation_level=None, check_same_thread=False
        )
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(SCHEMA)
        self._drop_what_mails_said()
        self._number_from_the_clock()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction; a nested one joins the outer one."""
        with self._lock:
            if self._connection.in_transaction:
                yield
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def write(self, sql: str, *values: object) -> int:
        """Run one statement; the id of the inserted row, if it inserted one."""
        with self._lock:
            return self._connection.execute(sql, values).lastrowid or 0

    def insert(self, table: str, **values: object) -> int:
        """The id of the new row. Table and columns are names in our code, never input."""
        marks = ", ".join("?" * len(values))
        sql = f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})"  # noqa: S608  # nosec B608
        return self.write(sql, *values.values())

    def update(self, table: str, row_id: int, **values: object) -> None:
        columns = ", ".join(f"{name} = ?" for name in values)
        sql = f"UPDATE {table} SET {columns} WHERE id = ?"  # noqa: S608  # nosec B608
        self.write(sql, *values.values(), row_id)

    def rows(self, sql: str, *values: object) -> list[sqlite3.Row]:
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def row(self, sql: str, *values: object) -> sqlite3.Row | None:
        return next(iter(self.rows(sql, *values)), None)

    def option(self, name: str, default: str) -> str:
        row = self.row("SELECT value FROM options WHERE name = ?", name)
        return str(row["value"]) if row else default

    def set_option(self, name: str, value: str) -> None:
        self.write("INSERT OR REPLACE INTO options VALUES (?, ?)", name, value)

    def clear(self) -> None:
        """Forget everything except which ids were given out."""
        with self.writing():
            for table in TABLES:
                self.write(f"DELETE FROM {table}")  # noqa: S608  the names are ours  # nosec B608

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def _drop_what_mails_said(self) -> None:
        # Older books kept beside each mail what is now read from it when somebody looks.
        columns = {row["name"] for row in self.rows("PRAGMA table_info(mails)")}
        for name in columns & {"text", "html"}:
            self.write(f"ALTER TABLE mails DROP COLUMN {name}")

    def _number_from_the_clock(self) -> None:
        # Receivers deduplicate on ids. Starting at the clock keeps them unique when the state
        # folder was deleted, and makes them longer than 32 bits, as Paystack's are.
        start = time.time_ns() // 1_000_000
        with self.writing():
            for table in ("customers", "transactions", "refunds"):
                if not self.row("SELECT 1 FROM sqlite_sequence WHERE name = ?", table):
                    self.write("INSERT INTO sqlite_sequence VALUES (?, ?)", table, start)


def now_text() -> str:
    """The time as both providers write it: UTC with milliseconds and a Z."""
    return at_text(time.time())


def at_text(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
