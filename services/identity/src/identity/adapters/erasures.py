"""Closed accounts and the receipts of other services, in Postgres."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, sessionmaker

from identity.adapters.tables import ErasureReceiptRow, ErasureRow
from identity.use_cases.ports import Receipt
from identity.use_cases.queries import Erasure, ErasurePage

# Whoever keeps something of customers, besides ourselves.
AWAITED = ("catalog", "ordering", "payments", "notifier")


class SqlErasures:
    def __init__(self, session: Session) -> None:
        self._session = session

    def begin(self, user_id: UUID) -> None:
        new = insert(ErasureRow).values(user_id=user_id, asked_at=func.now())
        self._session.execute(new.on_conflict_do_nothing())

    def keep(self, user_id: UUID, receipt: Receipt) -> None:
        new = insert(ErasureReceiptRow).values(
            user_id=user_id,
            service=receipt.service,
            records=receipt.records,
            erased_at=receipt.erased_at,
        )
        self._session.execute(new.on_conflict_do_nothing())


def read_erasures(
    sessions: sessionmaker[Session],
    *,
    size: int,
    finished: bool | None,
    after: tuple[datetime, UUID] | None,
    with_total: bool,
) -> ErasurePage:
    query = _filtered(finished)
    with sessions() as session:
        count = select(func.count()).select_from(query.subquery())
        total = session.scalar(count) if with_total else None
        key = tuple_(ErasureRow.asked_at, ErasureRow.user_id)
        if after is not None:
            query = query.where(key < tuple_(*after))
        newest = query.order_by(ErasureRow.asked_at.desc(), ErasureRow.user_id.desc())
        rows = session.execute(newest.limit(size + 1)).all()
        receipts = _receipts(session, [row.user_id for row in rows])
    found = [_erasure(row, receipts) for row in rows[:size]]
    following = (found[-1].asked_at, found[-1].user_id) if len(rows) > size else None
    return ErasurePage(found, following, total)


def _filtered(finished: bool | None) -> Select[UUID, datetime]:
    query = select(ErasureRow.user_id, ErasureRow.asked_at)
    if finished is None:
        return query
    given = (
        select(func.count())
        .where(
            ErasureReceiptRow.user_id == ErasureRow.user_id, ErasureReceiptRow.service.in_(AWAITED)
        )
        .scalar_subquery()
    )
    return query.where((given == len(AWAITED)) == finished)


def _receipts(session: Session, user_ids: list[UUID]) -> dict[UUID, list[Receipt]]:
    query = (
        select(ErasureReceiptRow)
        .where(ErasureReceiptRow.user_id.in_(user_ids))
        .order_by(ErasureReceiptRow.erased_at)
    )
    found: dict[UUID, list[Receipt]] = {}
    for row in session.scalars(query):
        receipt = Receipt(row.service, row.records, row.erased_at)
        found.setdefault(row.user_id, []).append(receipt)
    return found


def _erasure(row: Any, receipts: dict[UUID, list[Receipt]]) -> Erasure:
    given = receipts.get(row.user_id, [])
    answered = {receipt.service for receipt in given}
    missing = [service for service in AWAITED if service not in answered]
    return Erasure(row.user_id, row.asked_at, given, missing)
