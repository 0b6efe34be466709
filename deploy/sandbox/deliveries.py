"""Events on their way to the shop.

    held ──released──▶ waiting ──200──▶ delivered
                        │   ▲ │
                        │   └─┘ anything else: again, by the schedule
                        ▼
                     given_up                          dropped  (by a switch, never sent)

All of it lies in the books, so that a restart goes on where the last run was killed.
"""

import json
import sqlite3
import threading
import time
from dataclasses import dataclass
from typing import Any

import urllib3

from sandbox.books import Books, at_text, now_text
from sandbox.log import logger
from sandbox.timers import Timers

log = logger("deliveries")
SCHEDULE = (1.0, 2.0, 5.0, 10.0) + (30.0,) * 116  # seconds between attempts: an hour in all
THREADS = 16


@dataclass(frozen=True, slots=True)
class Message:
    """One HTTP POST to make; `reference` is what one looks it up by."""

    event: str
    reference: str | None
    url: str
    headers: dict[str, str]
    body: bytes
    state: str = "waiting"
    delay: float = 0.0


class Deliveries:
    def __init__(self, books: Books, timeout: float, retry_factor: float) -> None:
        self._books, self._timeout, self._factor = books, timeout, retry_factor
        self._timers = Timers()
        self._pool = urllib3.PoolManager(maxsize=THREADS, retries=False)
        self._finished = threading.Condition()
        self._threads = [
            threading.Thread(target=self._run, name=f"webhooks-{n}", daemon=True)
            for n in range(THREADS)
        ]

    def start(self) -> None:
        """Take up what an earlier run left undone, and begin to send."""
        # The redirect that held these back was lost with the process that was to send it.
        self._books.write("UPDATE deliveries SET state = 'waiting' WHERE state = 'held'")
        for row in self._books.rows("SELECT id, due_at FROM deliveries WHERE state = 'waiting'"):
            self._timers.put(row["id"], row["due_at"])
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Attempts under way get a moment to end; what remains is sent by the next run."""
        self._timers.close()
        deadline = time.monotonic() + 2
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, deadline - time.monotonic()))

    def clear(self) -> None:
        self._timers.clear()

    def enqueue(self, message: Message) -> int:
        due_at = time.time() + message.delay
        delivery_id = self._books.insert(
            "deliveries",
            event=message.event,
            reference=message.reference,
            url=message.url,
            headers=json.dumps(message.headers),
            body=message.body,
            state=message.state,
            due_at=due_at,
            created_at=now_text(),
        )
        if message.state == "waiting":
            self._timers.put(delivery_id, due_at)
        return delivery_id

    def release(self, reference: str) -> None:
        """Send what was held back until the customer had been redirected."""
        due_at = time.time()
        released = self._books.rows(
            "UPDATE deliveries SET state = 'waiting', due_at = ? "
            "WHERE reference = ? AND state = 'held' RETURNING id",
            due_at,
            reference,
        )
        for row in released:
            self._timers.put(row["id"], due_at)

    def resend(self, delivery_id: int) -> bool:
        """Send it now, whatever became of it before; False if there is no such delivery."""
        with self._books.writing():
            if not self._find(delivery_id):
                return False
            self._set(delivery_id, state="waiting", due_at=time.time())
        self._timers.put(delivery_id, 0)
        return True

    def wait_for_first_attempts(self, reference: str, timeout: float) -> None:
        """Return once each delivery of this reference was tried, or after `timeout` seconds."""
        untried = "SELECT 1 FROM deliveries WHERE reference = ? AND attempts = '[]' AND state = ?"
        with self._finished:
            self._finished.wait_for(
                lambda: not self._books.rows(untried, reference, "waiting"), timeout
            )

    def all(self, reference: str | None, limit: int) -> list[dict[str, Any]]:
        """Newest first, with every attempt's time, status and answer."""
        rows = self._books.rows(
            "SELECT * FROM deliveries WHERE ?1 IS NULL OR reference = ?1 ORDER BY id DESC LIMIT ?2",
            reference,
            limit,
        )
        return [_shown(row) for row in rows]

    def _run(self) -> None:
        while (delivery_id := self._timers.take()) is not None:
            try:
                self._attempt(delivery_id)
            except sqlite3.ProgrammingError:  # the books were closed while we waited for an answer
                return
            except Exception:
                log.exception("delivery broke", extra={"delivery": delivery_id})

    def _attempt(self, delivery_id: int) -> None:
        row = self._find(delivery_id)
        if row is None or row["state"] != "waiting" or row["due_at"] > time.time():
            return  # sent, dropped or put off since this timer was set
        attempt = self._post(row)
        attempts = [*json.loads(row["attempts"]), attempt]
        state, due_at = self._after(attempt, len(attempts))
        self._set(delivery_id, state=state, due_at=due_at, attempts=json.dumps(attempts))
        if state == "waiting":
            self._timers.put(delivery_id, due_at)
        with self._finished:
            self._finished.notify_all()
        told = {"delivery": delivery_id, "webhook": row["event"], "reference": row["reference"]}
        log.info("webhook sent", extra=told | {"answer": attempt["status"], "state": state})

    def _post(self, row: sqlite3.Row) -> dict[str, Any]:
        began = time.time()
        try:
            answer = self._pool.request(
                "POST",
                row["url"],
                body=row["body"],
                headers=json.loads(row["headers"]),
                timeout=self._timeout,
                redirect=False,
            )
            text = answer.data.decode(errors="replace")
            outcome = {"status": answer.status, "answer": text[:500]}
        except urllib3.exceptions.HTTPError as error:
            outcome = {"status": None, "answer": type(error).__name__}
        return {
            "at": at_text(began),
            "milliseconds": round((time.time() - began) * 1000, 1),
            **outcome,
        }

    def _after(self, attempt: dict[str, Any], tried: int) -> tuple[str, float]:
        if attempt["status"] == 200:
            return "delivered", 0
        if tried > len(SCHEDULE):
            return "given_up", 0
        return "waiting", time.time() + SCHEDULE[tried - 1] * self._factor

    def _find(self, delivery_id: int) -> sqlite3.Row | None:
        return self._books.row("SELECT * FROM deliveries WHERE id = ?", delivery_id)

    def _set(self, delivery_id: int, **values: Any) -> None:
        self._books.update("deliveries", delivery_id, **values)


def _shown(row: sqlite3.Row) -> dict[str, Any]:
    body = row["body"].decode(errors="replace")
    return {
        **{key: row[key] for key in ("id", "event", "reference", "url", "state", "created_at")},
        "due_at": at_text(row["due_at"]) if row["state"] == "waiting" else None,
        "headers": json.loads(row["headers"]),
        "body": body,
        "attempts": json.loads(row["attempts"]),
    }
