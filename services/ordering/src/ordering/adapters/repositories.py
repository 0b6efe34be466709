"""Aggregates in Postgres. Saving an order also hands its events to the outbox, so that a change
cannot be kept without being told."""

import json
from collections.abc import Collection, Sequence
from datetime import timedelta
from functools import cache
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    CursorResult,
    Insert,
    Row,
    Update,
    bindparam,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError
from uuid_utils.compat import uuid7

from oja_events.contracts.catalog import ProductArchived, ProductChanged
from oja_events.outbox import Outbox
from ordering.adapters.mapping import (
    cart_from,
    cart_items,
    history,
    new_order,
    offer_from,
    order_from,
    progress,
)
from ordering.adapters.tables import (
    Base,
    OfferedProductRow,
    OfferRow,
    OrderRow,
)
from ordering.domain.cart import Cart
from ordering.domain.order import Order
from ordering.use_cases.errors import OrderNotFound
from ordering.use_cases.ports import CartView, Draft, Identity

NUMBER_PREFIX = "OJ-"

# Made once, of tables and not of classes: this is what every checkout runs.
_OFFER = ", ".join(map(str, Base.metadata.tables["offers"].columns))
# An order is priced by what was known when its checkout came, however long the cart was locked;
# what became known meanwhile, and was put into the cart, is refused once as unknown.
_DRAFT = text(f"""
    WITH cart AS (SELECT items FROM carts WHERE customer_id = :customer_id FOR UPDATE),
    emptied AS (
        UPDATE carts SET items = '{{}}', updated_at = now() FROM cart
        WHERE customer_id = :customer_id)
    SELECT identity.number AS order_number, now() AS drafted_at, cart.items, {_OFFER}
    FROM (SELECT nextval('order_number') AS number) AS identity
    LEFT JOIN cart ON true
    LEFT JOIN offers ON offers.sku = ANY(ARRAY(SELECT jsonb_object_keys(cart.items)))
""")  # noqa: S608  # nosec B608
_ORDERS, _CARTS = (Base.metadata.tables[name] for name in ("orders", "carts"))
_ORDER = select(_ORDERS).where(_ORDERS.c.id == bindparam("order_id")).with_for_update()
_ADD_ORDER = insert(_ORDERS).inline()
_SAVE_ORDER = update(_ORDERS).where(
    _ORDERS.c.id == bindparam("order_id"), _ORDERS.c.version == bindparam("seen")
)
_SAVE_CART = (
    update(_CARTS)
    .where(_CARTS.c.customer_id == bindparam("customer"))
    .values(items=bindparam("items"))
)


@cache
def _with_history(change: Insert | Update, entries: int) -> Insert | Update:
    """The change of an order, with so many entries of its history in the same statement."""
    if not entries:
        return change
    rows = (f"(:order_id, :cause, :at{n}, :type{n}, :actor{n}, :detail{n})" for n in range(entries))
    written = text(f"""
        INSERT INTO order_history (order_id, cause, at, type, actor, detail)
        VALUES {", ".join(rows)}
    """)  # noqa: S608  nobody's text is in it  # nosec B608
    return change.add_cte(written.columns().cte("history"))


class SqlOrderRepository:
    def __init__(self, session: Session, outbox: Outbox, cause: UUID | None = None) -> None:
        """`cause` is the event in whose handling all this happens."""
        self._session = session
        self._outbox = outbox
        self._cause = cause

    def draft(self, customer_id: UUID) -> Draft:
        rows = self._session.execute(_DRAFT, {"customer_id": customer_id}).all()
        number = f"{NUMBER_PREFIX}{rows[0].order_number}"
        return Draft(
            Identity(uuid7(), number, rows[0].drafted_at), _cart_and_offers(customer_id, rows)
        )

    def add(self, order: Order) -> None:
        self._write(_ADD_ORDER, order, new_order(order))
        self._outbox.add(*order.pull_events())

    def get(self, order_id: UUID) -> Order:
        row = self._session.execute(_ORDER, {"order_id": order_id}).one_or_none()
        if row is None:
            raise OrderNotFound(order_id)
        return order_from(cast("OrderRow", row))

    def save(self, order: Order) -> None:
        values = {**progress(order), "version": order.version + 1, "seen": order.version}
        if self._write(_SAVE_ORDER, order, values).rowcount == 0:
            raise StaleDataError(f"order {order.id} was changed by somebody else")
        order.version += 1
        self._outbox.add(*order.pull_events())

    def _write(
        self, change: Insert | Update, order: Order, values: dict[str, object]
    ) -> "CursorResult[object]":
        entries = order.pull_history()
        told = {"order_id": order.id, "cause": self._cause, **history(entries)}
        result = self._session.execute(_with_history(change, len(entries)), values | told)
        return cast("CursorResult[object]", result)


# Creating or touching the row locks it, so that two devices take turns from the first item on.
_LOCK_CART = text(f"""
    WITH cart AS (
        INSERT INTO carts (customer_id, items, updated_at) VALUES (:customer_id, '{{}}', now())
        ON CONFLICT (customer_id) DO UPDATE SET updated_at = now()
        RETURNING items)
    SELECT cart.items, {_OFFER}
    FROM cart LEFT JOIN offers
        ON offers.sku = ANY(ARRAY(SELECT jsonb_object_keys(cart.items)) || CAST(:sku AS text))
""")  # noqa: S608  # nosec B608

_CLEAR_CART = text("""
    UPDATE carts SET items = '{}', updated_at = now() WHERE customer_id = :customer_id
""")

# A cart that somebody is just working with is locked, and not expired any more when it is free.
_DROP_CARTS = text("""
    DELETE FROM carts WHERE customer_id IN (
        SELECT customer_id FROM carts WHERE updated_at < now() - CAST(:lifetime AS interval)
        ORDER BY updated_at LIMIT :limit FOR UPDATE SKIP LOCKED)
""")


class SqlCartRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, customer_id: UUID, sku: str) -> CartView:
        values = {"customer_id": customer_id, "sku": sku}
        return _cart_and_offers(customer_id, self._session.execute(_LOCK_CART, values).all())

    def save(self, cart: Cart) -> None:
        values = {"customer": cart.customer_id, "items": cart_items(cart)}
        self._session.execute(_SAVE_CART, values)

    def clear(self, customer_id: UUID) -> None:
        self._session.execute(_CLEAR_CART, {"customer_id": customer_id})

    def drop_untouched(self, lifetime: timedelta, limit: int) -> int:
        result = self._session.execute(_DROP_CARTS, {"lifetime": lifetime, "limit": limit})
        return cast("CursorResult[object]", result).rowcount


def _cart_and_offers(customer_id: UUID, rows: Sequence[Row[Any]]) -> CartView:
    """Of rows with one offer each, or none; all have the cart in `items`, None if there is none."""
    cart = cart_from(customer_id, rows[0].items or {})
    return CartView(cart, {row.sku: offer_from(row) for row in rows if row.sku is not None})


_LEARN_OFFERS = text("""
    INSERT INTO offers
        (sku, product_id, name, options, price_amount, currency, available, buyable, image_url)
    SELECT sku, :product_id, :name, options, price_amount, currency, available, :buyable, :image_url
    FROM jsonb_to_recordset(CAST(:variants AS jsonb)) AS variant
        (sku text, options jsonb, price_amount bigint, currency text, available bigint)
    ON CONFLICT (sku) DO UPDATE SET
        product_id = excluded.product_id, name = excluded.name, options = excluded.options,
        price_amount = excluded.price_amount, currency = excluded.currency,
        available = excluded.available, buyable = excluded.buyable, image_url = excluded.image_url
""")


_COUNT_OTHERS = text("""
    SELECT count(*) FROM offered_products WHERE product_id <> ALL(CAST(:ids AS uuid[]))
""")


class SqlOfferRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def learn(self, news: ProductChanged) -> None:
        if self._is_newer(news.product_id, news.version):
            self._replace(news)

    def _replace(self, news: ProductChanged) -> None:
        self._stop_selling(news.product_id)
        variants = [
            {
                "sku": variant.sku,
                "options": variant.options,
                "price_amount": variant.price.amount,
                "currency": variant.price.currency,
                "available": variant.available,
            }
            for variant in news.variants
        ]
        self._session.execute(
            _LEARN_OFFERS,
            {
                "product_id": news.product_id,
                "name": news.name,
                "buyable": news.status == "published",
                "image_url": news.image_url,
                "variants": json.dumps(variants),
            },
        )

    def retire(self, news: ProductArchived) -> None:
        if self._is_newer(news.product_id, news.version):
            self._stop_selling(news.product_id)

    def restore(self, news: ProductChanged | ProductArchived) -> bool:
        if not self._is_newer(news.product_id, news.version, or_the_same=True):
            return False
        before = self._copy(news.product_id)
        if isinstance(news, ProductChanged):
            self._replace(news)
        else:
            self._stop_selling(news.product_id)
        return self._copy(news.product_id) != before

    def count_others(self, product_ids: Collection[UUID]) -> int:
        values = {"ids": [str(product_id) for product_id in product_ids]}
        return cast("int", self._session.execute(_COUNT_OTHERS, values).scalar_one())

    def _copy(self, product_id: UUID) -> list[tuple[object, ...]]:
        rows = select(OfferRow.__table__).where(OfferRow.product_id == product_id)
        return [tuple(row) for row in self._session.execute(rows.order_by(OfferRow.sku))]

    def _is_newer(self, product_id: UUID, version: int, *, or_the_same: bool = False) -> bool:
        """Remember the version; False when this one or a newer one was known already."""
        known = OfferedProductRow.version
        statement = upsert(OfferedProductRow).values(product_id=product_id, version=version)
        statement = statement.on_conflict_do_update(
            index_elements=["product_id"],
            set_={"version": version},
            where=known <= version if or_the_same else known < version,
        )
        return bool(self._session.execute(statement.returning(OfferedProductRow.version)).all())

    def _stop_selling(self, product_id: UUID) -> None:
        """The rows stay, so that carts can still name what they hold."""
        self._session.execute(
            update(OfferRow).where(OfferRow.product_id == product_id).values(buyable=False)
        )
