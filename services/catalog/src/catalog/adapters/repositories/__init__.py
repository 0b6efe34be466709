"""Aggregates in Postgres. Saving a product also hands its events to the outbox, so that a change
cannot be kept without being told."""

from catalog.adapters.repositories.bulk import SqlBulkRepository
from catalog.adapters.repositories.categories import SqlCategoryRepository
from catalog.adapters.repositories.imports import SqlImportRepository
from catalog.adapters.repositories.products import SqlProductRepository
from catalog.adapters.repositories.reviews import SqlReviewRepository
from catalog.adapters.repositories.stock import SqlStockRepository
from catalog.adapters.repositories.strays import SqlStrayImages

__all__ = [
    "SqlBulkRepository",
    "SqlCategoryRepository",
    "SqlImportRepository",
    "SqlProductRepository",
    "SqlReviewRepository",
    "SqlStockRepository",
    "SqlStrayImages",
]
