"""Payments and how they end.

    abandoned ──pay──▶ success ──all of it refunded──▶ reversed
        │ ▲               ▲
   decline └─ abandon ─┐  │ the customer tries again
        ▼              │  │
      failed ──────────┴──┘

A new transaction is `abandoned` until the customer has paid, as at Paystack.
"""

import json
import secrets
import sqlite3
import string
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.books import Books, now_text
from sandbox.paystack import shapes
from sandbox.paystack.cards import DECLINED, PAYING, UNKNOWN_CARD, Card
from sandbox.paystack.errors import duplicate_reference
from sandbox.paystack.rules import NewTransaction
from sandbox.paystack.webhooks import Webhooks
from sandbox.switches import Switches

_SELECT = """SELECT t.*, c.email, c.code AS customer_code, c.first_name, c.last_name
    FROM transactions t JOIN customers c ON c.id = t.customer_id """
_ALPHABET = string.ascii_lowercase + string.digits
NOT_COMPLETED = "The transaction was not completed"
_TIMED_OUT = "Transaction cannot be completed. Session timeout exceeded."


class NotPayable(Exception):
    """This transaction cannot be paid (any more); the text says why."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """How the customer tries to pay. `amount` is what is captured, if not what was asked for."""

    card: Card | None = PAYING
    channel: str = "card"
    amount: int | None = None
    pin: str | None = None
    ip_address: str | None = None

    def refusal(self) -> str | None:
        if self.card is None:
            return UNKNOWN_CARD
        if self.pin is not None and self.card.pin not in (None, self.pin):
            return "Incorrect PIN"
        return self.card.decline


class Transactions:
    def __init__(self, books: Books, webhooks: Webhooks, switches: Switches) -> None:
        self._books, self._webhooks, self._switches = books, webhooks, switches

    def open(self, new: NewTransaction) -> sqlite3.Row:
        """Store a new transaction under its own or a made-up reference."""
        reference = new.reference or random_text(10)
        with self._books.writing():
            if self.by_reference(reference):
                raise duplicate_reference()
            self._books.insert(
                "transactions",
                reference=reference,
                access_code=random_text(15),
                customer_id=self._customer(new),
                status="abandoned",
                amount=new.amount,
                requested_amount=new.amount,
                currency=new.currency,
                metadata=new.metadata,
                channels=json.dumps(new.channels),
                callback_url=new.callback_url,
                label=new.label,
                created_at=now_text(),
                gateway_response=NOT_COMPLETED,
            )
            return self._must(reference)

    def by_reference(self, reference: str) -> sqlite3.Row | None:
        return self._books.row(_SELECT + "WHERE t.reference = ?", reference)

    def by_access_code(self, access_code: str) -> sqlite3.Row | None:
        return self._books.row(_SELECT + "WHERE t.access_code = ?", access_code)

    def by_id(self, transaction_id: int) -> sqlite3.Row | None:
        return self._books.row(_SELECT + "WHERE t.id = ?", transaction_id)

    def select(
        self, where: str, *values: object, limit: int = -1, skip: int = 0
    ) -> list[sqlite3.Row]:
        """Newest first, all unless limited; `where` is SQL over the columns of `t`."""
        order = "ORDER BY t.id DESC LIMIT ? OFFSET ?"
        return self._books.rows(f"{_SELECT} WHERE {where} {order}", *values, limit, skip)

    def totals(self, where: str, *values: object) -> tuple[int, int]:
        """How many there are, and the sum of their amounts."""
        query = f"SELECT count(*), coalesce(sum(amount), 0) FROM transactions t WHERE {where}"  # noqa: S608  # nosec B608
        count, volume = self._books.rows(query, *values)[0]
        return count, volume

    def pay(self, reference: str, attempt: Attempt) -> sqlite3.Row:
        """Let the customer try once. What came of it is in the row's `status`."""
        with self._books.writing():
            row = self._payable(reference)
            refusal = attempt.refusal()
            if refusal:
                return self._declined(row, refusal, attempt)
            if attempt.channel == "bank_transfer" and attempt.amount not in (None, row["amount"]):
                return self._transfer_rejected(row, attempt)
            return self._captured(row, attempt)

    def fail(self, reference: str) -> sqlite3.Row:
        return self.pay(reference, Attempt(card=DECLINED))

    def abandon(self, reference: str) -> sqlite3.Row:
        with self._books.writing():
            row = self._payable(reference)
            self._update(row, status="abandoned", gateway_response=NOT_COMPLETED)
            return self._must(reference)

    def _captured(self, row: sqlite3.Row, attempt: Attempt) -> sqlite3.Row:
        card = attempt.card or PAYING
        amount = attempt.amount or self._altered_amount(row) or row["requested_amount"]
        self._update(
            row,
            status="success",
            amount=amount,
            fees=shapes.fees(amount, row["currency"]),
            paid_at=now_text(),
            channel=attempt.channel,
            card=card.number,
            gateway_response="Successful" if attempt.channel == "card" else "Approved",
            ip_address=attempt.ip_address,
            attempts=row["attempts"] + 1,
        )
        paid = self._must(row["reference"])
        self._webhooks.emit("charge.success", shapes.charge_success(paid), row["reference"])
        return paid

    def _declined(self, row: sqlite3.Row, answer: str, attempt: Attempt) -> sqlite3.Row:
        self._update(
            row,
            status="failed",
            gateway_response=answer,
            channel=attempt.channel,
            ip_address=attempt.ip_address,
            attempts=row["attempts"] + 1,
        )
        return self._must(row["reference"])

    def _transfer_rejected(self, row: sqlite3.Row, attempt: Attempt) -> sqlite3.Row:
        data = shapes.transfer_rejected(row, attempt.amount or 0)
        self._webhooks.emit("bank.transfer.rejected", data, row["reference"])
        return row

    def _altered_amount(self, row: sqlite3.Row) -> int | None:
        fault = self._switches.take("capture", lambda f: f["reference"] in (None, row["reference"]))
        return int(fault["amount"]) if fault else None

    def _payable(self, reference: str) -> sqlite3.Row:
        row = self._must(reference)
        if row["status"] in ("success", "reversed"):
            raise NotPayable("This transaction has been paid")
        timeout = int(self._books.option("payment_session_timeout", "0"))
        if timeout and time.time() > _seconds(row["created_at"]) + timeout:
            raise NotPayable(_TIMED_OUT)
        return row

    def _must(self, reference: str) -> sqlite3.Row:
        row = self.by_reference(reference)
        if row is None:
            raise KeyError(reference)
        return row

    def _update(self, row: sqlite3.Row, **values: Any) -> None:
        self._books.update("transactions", row["id"], **values)

    def _customer(self, new: NewTransaction) -> int:
        row = self._books.row("SELECT id FROM customers WHERE email = ?", new.email)
        if row:
            return int(row["id"])
        return self._books.insert(
            "customers",
            email=new.email,
            code="CUS_" + random_text(15),
            first_name=new.first_name,
            last_name=new.last_name,
        )


def random_text(length: int) -> str:
    """Lower-case letters and digits, as in Paystack's access codes."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
