"""Refunds, and how they end by the card that the payment was made with.

pending ──▶ processing ──▶ processed
   ▲            ├────────▶ failed            (the money stays with the shop)
   └── retried ─┴────────▶ needs-attention
"""

import sqlite3
import threading
import time
from collections.abc import Mapping
from typing import Any

from sandbox.books import Books, now_text
from sandbox.log import logger
from sandbox.paystack import shapes
from sandbox.paystack.cards import CARDS
from sandbox.paystack.errors import PaystackError
from sandbox.paystack.rules import whole_number
from sandbox.paystack.transactions import Transactions, random_text
from sandbox.paystack.webhooks import Webhooks
from sandbox.timers import Timers

log = logger("refunds")
FINAL = ("processed", "failed", "needs-attention")


class Refunds:
    """`step` is how many seconds a refund spends in each state on its way."""

    def __init__(
        self, books: Books, transactions: Transactions, webhooks: Webhooks, step: float
    ) -> None:
        self._books, self._transactions, self._webhooks = books, transactions, webhooks
        self._step = step
        self._timers = Timers()
        self._thread = threading.Thread(target=self._run, name="refunds", daemon=True)

    def start(self) -> None:
        """Go on with the refunds that an earlier run left on their way."""
        query = "SELECT id, next_step_at FROM refunds WHERE next_step_at IS NOT NULL"
        for row in self._books.rows(query):
            self._timers.put(row["id"], row["next_step_at"])
        self._thread.start()

    def stop(self) -> None:
        self._timers.close()
        if self._thread.ident is not None:
            self._thread.join(2)

    def create(self, body: Mapping[str, Any]) -> tuple[sqlite3.Row, sqlite3.Row]:
        """Queue a refund; it and the payment that it belongs to."""
        with self._books.writing():
            paid = self._refundable(body.get("transaction"))
            amount = self._amount(body.get("amount"), paid)
            if body.get("currency") not in (None, "", paid["currency"]):
                raise PaystackError(
                    400, "Refund currency must be the transaction's", "invalid_params"
                )
            refund_id = self._store(paid, amount, body)
            return self._announce(refund_id), paid

    def retry(self, refund_id: int) -> sqlite3.Row:
        """Try a refund again that needs attention, this time with success."""
        with self._books.writing():
            row = self.by_id(refund_id)
            if row is None:
                raise PaystackError(404, "Refund not found")
            if row["status"] != "needs-attention":
                raise PaystackError(
                    422,
                    'Invalid Refund state, refund status should be "needs-attention"',
                    "invalid_params",
                )
            self._set(refund_id, outcome="processed")
            self._move(refund_id, "pending")
            return self._announce(refund_id)

    def by_id(self, refund_id: int) -> sqlite3.Row | None:
        return self._books.row("SELECT * FROM refunds WHERE id = ?", refund_id)

    def select(self, where: str = "TRUE", *values: object) -> list[sqlite3.Row]:
        """Newest first; `where` is SQL over the table's columns."""
        query = f"SELECT * FROM refunds WHERE {where} ORDER BY id DESC"  # noqa: S608  not input  # nosec B608
        return self._books.rows(query, *values)

    def _refundable(self, key: Any) -> sqlite3.Row:
        if key is None or key == "":
            raise PaystackError(400, "Transaction is required", "missing_params")
        paid = self._transactions.by_reference(str(key))
        if paid is None and str(key).isdecimal():
            paid = self._transactions.by_id(int(key))
        if paid is None:
            raise PaystackError(404, "Transaction not found", "transaction_not_found")
        if paid["paid_at"] is None:
            raise PaystackError(
                400, "Only a successful transaction can be refunded", "unknown", "api_error"
            )
        return paid

    def _amount(self, asked: Any, paid: sqlite3.Row) -> int:
        left = paid["amount"] - self._taken(paid["id"])
        if left <= 0:
            raise PaystackError(
                400, "Transaction has been fully reversed", "transaction_reversed", "api_error"
            )
        # An omitted amount means the full one; after a partial refund that is what is left.
        amount = left if asked in (None, "") else whole_number(asked)
        if amount <= 0:
            raise PaystackError(400, "Invalid Amount Sent", "invalid_amount")
        if amount > left:
            raise PaystackError(
                400,
                "Refund amount cannot be more than what is left of the transaction",
                "invalid_amount",
                "api_error",
            )
        return amount

    def _taken(self, transaction_id: int, *statuses: str) -> int:
        wanted = statuses or ("pending", "processing", "processed", "needs-attention")
        rows = self.select("transaction_id = ?", transaction_id)
        return sum(row["amount"] for row in rows if row["status"] in wanted)

    def _store(self, paid: sqlite3.Row, amount: int, body: Mapping[str, Any]) -> int:
        note = f"Refund for transaction {paid['reference']}"
        card = CARDS.get(paid["card"])
        return self._books.insert(
            "refunds",
            transaction_id=paid["id"],
            status="pending",
            amount=amount,
            currency=paid["currency"],
            customer_note=body.get("customer_note") or note,
            merchant_note=body.get("merchant_note") or f"{note} by sandbox@example.com",
            outcome=card.refund if card else "processed",
            created_at=now_text(),
            updated_at=now_text(),
        )

    def _run(self) -> None:
        while (refund_id := self._timers.take()) is not None:
            try:
                self._advance(refund_id)
            except Exception:
                log.exception("refund broke", extra={"refund": refund_id})

    def _advance(self, refund_id: int) -> None:
        with self._books.writing():
            row = self.by_id(refund_id)
            if row is None or row["status"] in FINAL:
                return
            status = "processing" if row["status"] == "pending" else row["outcome"]
            self._move(refund_id, status)
            self._announce(refund_id)
            if status == "processed":
                self._reverse_if_all_is_back(row["transaction_id"])

    def _move(self, refund_id: int, status: str) -> None:
        reference = random_text(12) if status == "processed" else None
        self._set(refund_id, status=status, reference=reference, updated_at=now_text())

    def _announce(self, refund_id: int) -> sqlite3.Row:
        """Send the event of the state just reached and set the timer for the next one."""
        row = self.by_id(refund_id)
        assert row is not None  # noqa: S101  its callers have just written it  # nosec B101
        paid = self._transactions.by_id(row["transaction_id"])
        assert paid is not None  # noqa: S101  refunds are never without their payment  # nosec B101
        event = f"refund.{row['status']}"
        self._webhooks.emit(event, shapes.refund_event(row, paid), paid["reference"])
        due_at = None if row["status"] in FINAL else time.time() + self._step
        self._set(refund_id, next_step_at=due_at)
        if due_at is not None:
            self._timers.put(refund_id, due_at)
        return row

    def _reverse_if_all_is_back(self, transaction_id: int) -> None:
        paid = self._transactions.by_id(transaction_id)
        if paid and self._taken(transaction_id, "processed") >= paid["amount"]:
            self._books.update("transactions", transaction_id, status="reversed")

    def _set(self, refund_id: int, **values: Any) -> None:
        self._books.update("refunds", refund_id, **values)
