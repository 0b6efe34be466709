"""Categories in Postgres."""

from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from catalog.adapters.mapping import category_from, new_category_row
from catalog.adapters.repositories.search import index_renamed, note_renamed
from catalog.adapters.repositories.slugs import free_slug
from catalog.adapters.tables import CategoryRow, ProductRow
from catalog.domain.category import Category


class SqlCategoryRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def next_id(self) -> UUID:
        return uuid7()

    def free_slug(self, wanted: str) -> str:
        return free_slug(self._session, CategoryRow.slug, wanted)

    def by_slug(self, slug: str) -> Category | None:
        # Until the end of the transaction it cannot be removed, so that things may be put into it.
        query = select(CategoryRow).where(CategoryRow.slug == slug)
        row = self._session.scalars(query.with_for_update(read=True, key_share=True)).first()
        return category_from(row) if row else None

    def tree(self) -> dict[UUID, Category]:
        # key_share: products may be put into a category meanwhile, only its place is ours.
        query = select(CategoryRow).order_by(CategoryRow.id).with_for_update(key_share=True)
        return {row.id: category_from(row) for row in self._session.scalars(query)}

    def add(self, category: Category) -> None:
        self._session.add(new_category_row(category))
        self._session.flush()

    def is_empty(self, category: Category) -> bool:
        # The row is locked against new members: whoever refers to it waits for us.
        self._session.get_one(CategoryRow, category.id, with_for_update=True)
        inside = exists().where(CategoryRow.parent_id == category.id)
        filed = exists().where(ProductRow.category_id == category.id)
        return not self._session.scalar(select(inside | filed))

    def remove(self, category: Category) -> None:
        self._session.delete(self._session.get_one(CategoryRow, category.id))
        self._session.flush()

    def save(self, category: Category) -> None:
        row = self._session.get_one(CategoryRow, category.id)
        if row.name != category.name:
            # Before the lock: whoever has the note may wait for a product, whose writer may be
            # about to file it here.
            note_renamed(self._session, category.id)
            # Those who file products here by the old name end before us: what is not committed
            # would be passed over.
            self._session.get_one(CategoryRow, category.id, with_for_update=True)
        row.name = category.name
        row.parent_id = category.parent_id
        row.position = category.position
        if self._session.is_modified(row):
            row.version = category.version = row.version + 1
        self._session.flush()

    def index_renamed(self, most: int) -> bool:
        return index_renamed(self._session, most)
