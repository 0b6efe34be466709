"""Reviews for the shop window and for staff: plain SELECTs."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session, sessionmaker

from catalog.adapters.tables import ProductRow, PurchaseRow, ReviewRow
from catalog.use_cases.errors import ProductNotFound, ReviewNotFound
from catalog.use_cases.queries import Page

_verified = (
    exists()
    .where(
        PurchaseRow.customer_id == ReviewRow.customer_id,
        PurchaseRow.product_id == ReviewRow.product_id,
    )
    .correlate(ReviewRow)
    .label("verified_purchase")
)
_columns = (*ReviewRow.__table__.columns, _verified)


class SqlReviewQueries:
    def __init__(self, sessions: sessionmaker[Session]) -> None:
        self._sessions = sessions

    def of_product(
        self, product_id: UUID, *, size: int, after: UUID | None = None, with_total: bool = False
    ) -> Page:
        published = exists().where(ProductRow.id == product_id, ProductRow.status == "published")
        with self._sessions() as session:
            if not session.scalar(select(published)):
                raise ProductNotFound(product_id)
            filters = [ReviewRow.product_id == product_id, ReviewRow.status == "published"]
            return _newest(session, filters, size, after, with_total)

    def all(
        self,
        *,
        status: str | None = None,
        size: int,
        after: UUID | None = None,
        with_total: bool = False,
    ) -> Page:
        with self._sessions() as session:
            filters = [ReviewRow.status == status] if status else []
            return _newest(session, filters, size, after, with_total)

    def one(self, review_id: UUID) -> Mapping[str, Any]:
        with self._sessions() as session:
            query = select(*_columns).where(ReviewRow.id == review_id)
            row = session.execute(query).mappings().one_or_none()
        if row is None:
            raise ReviewNotFound(review_id)
        return {**row}


def _newest(
    session: Session,
    filters: list[ColumnElement[bool]],
    size: int,
    after: UUID | None,
    with_total: bool,
) -> Page:
    count = select(func.count()).select_from(ReviewRow).where(*filters)
    total = session.scalar(count) if with_total else None
    query = select(*_columns).where(*filters)
    if after is not None:
        query = query.where(ReviewRow.id < after)
    query = query.order_by(ReviewRow.id.desc()).limit(size + 1)
    rows: list[Mapping[str, Any]] = [*session.execute(query).mappings()]
    items = rows[:size]
    return Page(items, items[-1]["id"] if len(rows) > size else None, total)
