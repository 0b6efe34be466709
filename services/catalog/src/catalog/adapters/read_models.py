"""The read side: plain SELECTs, each in a short transaction of its own."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Engine,
    FromClause,
    RowMapping,
    Select,
    bindparam,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session, sessionmaker

from catalog.adapters.counting import facets
from catalog.adapters.finding import Place, count, gather, walk
from catalog.adapters.listing import PRODUCTS, PUBLISHED, Asked, Order, asked, order_of, values
from catalog.adapters.suggesting import suggest
from catalog.adapters.tables import (
    CategoryRow,
    ImageRow,
    MovementRow,
    ProductRow,
    StockRow,
    VariantRow,
)
from catalog.use_cases.errors import ProductNotFound, SkuNotFound
from catalog.use_cases.queries import Page, Position, ProductFilter, Sort

MOST_TAGS = 500

_PRODUCTS, _CATEGORIES = ProductRow.__table__, CategoryRow.__table__
_C, _I = _CATEGORIES.c, ImageRow.__table__.c

_images = (
    select(
        func.jsonb_agg(
            aggregate_order_by(
                func.jsonb_build_object(
                    "id", _I.id,
                    "url", _I.url,
                    "thumbnail_url", _I.thumbnail_url,
                    "alt", _I.alt,
                    "position", _I.position,
                ),
                _I.position.asc(),
            )
        )
    )
    .where(_I.product_id == PRODUCTS.id)
    .correlate(_PRODUCTS)
    .scalar_subquery()
    .label("images")
)  # fmt: skip

_card = (
    PRODUCTS.id,
    PRODUCTS.slug,
    PRODUCTS.name,
    PRODUCTS.tags,
    PRODUCTS.featured,
    PRODUCTS.status,
    PRODUCTS.price_amount,
    PRODUCTS.currency,
    PRODUCTS.in_stock,
    PRODUCTS.sole_sku,
    PRODUCTS.rating_average,
    PRODUCTS.rating_count,
    PRODUCTS.created_at,
    PRODUCTS.updated_at,
    PRODUCTS.version,
    _C.id.label("category_id"),
    _C.slug.label("category_slug"),
    _C.name.label("category_name"),
    _images,
)
_available = (StockRow.on_hand - StockRow.reserved).label("available")
_variants = (
    select(
        VariantRow.sku,
        VariantRow.options,
        VariantRow.price_amount,
        VariantRow.compare_at_amount,
        VariantRow.currency,
        _available,
    )
    .join(StockRow, StockRow.sku == VariantRow.sku)
    .where(VariantRow.product_id == bindparam("product_id"), VariantRow.offered)
    .order_by(VariantRow.position)
)
_shelf: tuple[Any, ...] = (
    StockRow.sku,
    StockRow.product_id,
    ProductRow.name,
    StockRow.on_hand,
    StockRow.reserved,
    _available,
    StockRow.low_stock_threshold,
    func.concat(ProductRow.version, ".", StockRow.version).label("version"),
)


class SqlQueries:
    def __init__(self, engine: Engine, alone: Engine) -> None:
        """Connections of `engine` use indexes only. `alone` is for statements that need no
        transaction around them (autocommit)."""
        self._sessions = sessionmaker(engine)
        self._alone = sessionmaker(alone)

    def products(
        self,
        narrowed: ProductFilter,
        *,
        sort: Sort,
        size: int,
        after: Position | None = None,
        with_total: bool = False,
        with_facets: bool = False,
    ) -> Page:
        order = order_of(sort, narrowed.q)
        rows = None if narrowed.q else self._near(narrowed, order, size, after)
        suggestion = total = counted = None
        if rows is None or with_total or with_facets:
            with self._sessions() as session:
                if rows is None:
                    rows = _anywhere(session, narrowed, order, size, after)
                if not rows and narrowed.q and (suggestion := suggest(session, narrowed.q)):
                    narrowed = replace(narrowed, q=suggestion)
                    rows = _anywhere(session, narrowed, order, size, after)
                total = count(session, narrowed) if with_total else None
                counted = facets(session, narrowed) if with_facets else None
        key = None if order.column is None else "sort_key"
        found = _page(rows, size, lambda row: (key and row[key], row["id"]), total)
        return replace(found, suggestion=suggestion if rows else None, facets=counted)

    def _near(
        self, wanted: ProductFilter, order: Order, size: int, after: Position | None
    ) -> Sequence[RowMapping] | None:
        """A page by the quick way; None if there may be more on it than that finds."""
        names = asked(wanted)
        statement = _page_nearby(names, order, after is not None)
        with self._alone() as session:
            given = {**values(wanted, after), "size": size + 1}
            rows = session.execute(statement, given).mappings().all()
        return rows if len(rows) > size or not names - PUBLISHED else None

    def product(self, key: UUID | str, *, public: bool) -> Mapping[str, Any]:
        statement = _one_product("id" if isinstance(key, UUID) else "slug", public)
        with self._alone() as session:
            row = session.execute(statement, {"key": key}).mappings().one_or_none()
            if row is None:
                raise ProductNotFound(key)
            variants = session.execute(_variants, {"product_id": row["id"]}).mappings().all()
        return {**row, "variants": variants}

    def categories(self) -> list[Mapping[str, Any]]:
        query = select(*CategoryRow.__table__.columns)
        return self._all(query.order_by(CategoryRow.position, CategoryRow.name, CategoryRow.id))

    def tags(self) -> list[Mapping[str, Any]]:
        tag = func.unnest(ProductRow.tags).label("name")
        count = func.count().label("count")
        query = select(tag, count).where(ProductRow.status == "published").group_by(tag)
        return self._all(query.order_by(count.desc(), tag).limit(MOST_TAGS))

    def inventory(
        self,
        *,
        size: int,
        low_stock: bool = False,
        after: str | None = None,
        with_total: bool = False,
    ) -> Page:
        filters: list[ColumnElement[bool]] = [
            VariantRow.offered.is_(True),
            ProductRow.status != "archived",
        ]
        if low_stock:
            filters.append(StockRow.on_hand - StockRow.reserved <= StockRow.low_stock_threshold)
        with self._sessions() as session:
            query = _stock_rows().where(*filters)
            count = select(func.count()).select_from(query.subquery())
            total = session.scalar(count) if with_total else None
            if after is not None:
                query = query.where(StockRow.sku > after)
            rows = session.execute(query.order_by(StockRow.sku).limit(size + 1)).mappings().all()
        return _page(rows, size, lambda row: row["sku"], total)

    def stock(self, sku: str) -> Mapping[str, Any]:
        found = self._all(_stock_rows().where(StockRow.sku == sku))
        if not found:
            raise SkuNotFound(sku)
        return found[0]

    def movements(
        self, sku: str, *, size: int, after: int | None = None, with_total: bool = False
    ) -> Page:
        self.stock(sku)
        query = select(*MovementRow.__table__.columns).where(MovementRow.sku == sku)
        with self._sessions() as session:
            count = select(func.count()).select_from(query.subquery())
            total = session.scalar(count) if with_total else None
            if after is not None:
                query = query.where(MovementRow.id < after)
            query = query.order_by(MovementRow.id.desc()).limit(size + 1)
            rows = session.execute(query).mappings().all()
        return _page(rows, size, lambda row: row["id"], total)

    def known(self, skus: Collection[str]) -> set[str]:
        with self._sessions() as session:
            return set(session.scalars(select(VariantRow.sku).where(VariantRow.sku.in_(skus))))

    def _all(self, query: Select[Any]) -> list[Mapping[str, Any]]:
        with self._alone() as session:
            return [*session.execute(query).mappings()]


def _anywhere(
    session: Session, wanted: ProductFilter, order: Order, size: int, after: Position | None
) -> Sequence[RowMapping]:
    """A page by the thorough way. On a connection that uses indexes only."""
    statement = _page_anywhere(asked(wanted), order, after is not None)
    given = {**values(wanted, after), "size": size + 1}
    return session.execute(statement, given).mappings().all()


@lru_cache(maxsize=256)
def _page_nearby(asked: Asked, order: Order, going_on: bool) -> Select[Any]:
    return _cards(order, walk(asked, order, going_on=going_on))


@lru_cache(maxsize=256)
def _page_anywhere(asked: Asked, order: Order, going_on: bool) -> Select[Any]:
    return _cards(order, gather(asked, order, going_on=going_on))


def _cards(order: Order, place: Place) -> Select[Any]:
    """What lists show of the products of a page, in its order."""
    page = place.subquery("page")
    products = _with_category(_PRODUCTS.join(page, page.c.id == PRODUCTS.id))
    by_key = replace(order, column=order.column and "sort_key")
    query = select(*_card, page.c.sort_key).select_from(products)
    return query.order_by(*by_key.clauses(page.c))


def _with_category(products: FromClause) -> FromClause:
    return products.outerjoin(_CATEGORIES, _C.id == PRODUCTS.category_id)


@lru_cache
def _one_product(column: str, public: bool) -> Select[Any]:
    query = select(*_card, PRODUCTS.description).select_from(_with_category(_PRODUCTS))
    query = query.where(getattr(PRODUCTS, column) == bindparam("key"))
    return query.where(PRODUCTS.status == "published") if public else query


def _stock_rows() -> Select[Any]:
    return (
        select(*_shelf)
        .join(ProductRow, ProductRow.id == StockRow.product_id)
        .join(VariantRow, VariantRow.sku == StockRow.sku)
    )


def _page(rows: Any, size: int, position: Any, total: int | None) -> Page:
    items = [*rows[:size]]
    return Page(items, position(items[-1]) if len(rows) > size else None, total)
