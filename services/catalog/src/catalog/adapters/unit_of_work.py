"""One transaction of catalog."""

from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from catalog.adapters.erasing import SqlErasures
from catalog.adapters.repositories import (
    SqlBulkRepository,
    SqlCategoryRepository,
    SqlImportRepository,
    SqlProductRepository,
    SqlReviewRepository,
    SqlStockRepository,
    SqlStrayImages,
)
from oja_events.audit import SqlAuditLog
from oja_events.contracts import Event
from oja_events.outbox import Outbox
from oja_events.unit_of_work import SqlTransaction


class SqlUnitOfWork(SqlTransaction):
    products: SqlProductRepository
    categories: SqlCategoryRepository
    stock: SqlStockRepository
    strays: SqlStrayImages
    reviews: SqlReviewRepository
    bulk: SqlBulkRepository
    imports: SqlImportRepository
    erasures: SqlErasures
    audit: SqlAuditLog

    def __init__(
        self, *args: Any, announce: Callable[[], None] = lambda: None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._announce = announce

    def after_commit(self) -> list[Callable[[], None]]:
        return [*super().after_commit(), self._announce]

    def open(self, session: Session, outbox: Outbox) -> None:
        self.products = SqlProductRepository(session, outbox)
        self.categories = SqlCategoryRepository(session)
        self.stock = SqlStockRepository(session)
        self.strays = SqlStrayImages(session)
        self.reviews = SqlReviewRepository(session, outbox)
        self.bulk = SqlBulkRepository(session, outbox, self.products)
        self.imports = SqlImportRepository(session)
        self.erasures = SqlErasures(session, outbox)
        self.audit = SqlAuditLog(session)
        self._told = outbox

    def tell(self, *events: Event) -> None:
        self._told.add(*events)
