"""The schema in one file. The tables for events are oja_events' own (see oja_events.schema)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import Text

from oja_events.audit import audit_log

_PUBLISHED = text("status = 'published'")


class Base(DeclarativeBase):
    type_annotation_map = {  # noqa: RUF012  # read once by SQLAlchemy
        int: BigInteger,
        str: Text,
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        list[str]: ARRAY(Text),
    }


audit_log(Base.metadata)


class CategoryRow(Base):
    __tablename__ = "categories"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("categories.id"))
    position: Mapped[int]
    version: Mapped[int]

    __table_args__ = (
        CheckConstraint("parent_id <> id", name="categories_not_in_itself"),
        Index("categories_by_parent", "parent_id"),
    )


class RenamedCategoryRow(Base):
    """A category whose products after `indexed_to`, by id, are yet to be found by its new name.

    It may be gone: with a reference, who removes it would wait for who indexes.
    """

    __tablename__ = "renamed_categories"

    category_id: Mapped[UUID] = mapped_column(primary_key=True)
    indexed_to: Mapped[UUID] = mapped_column(server_default=text(f"'{UUID(int=0)}'"))
    waits_since: Mapped[datetime] = mapped_column(server_default=func.now())


class ProductRow(Base):
    """`price_amount`, `in_stock` and `sole_sku` repeat what the variants say, for lists and sorts.

    `search` and `sort_name` are written by the repository, with accents folded. `rating_average` is
    in hundredths of a star.
    """

    __tablename__ = "products"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    description: Mapped[str]
    category_id: Mapped[UUID | None] = mapped_column(ForeignKey("categories.id"))
    tags: Mapped[list[str]]
    featured: Mapped[bool]
    status: Mapped[str]
    price_amount: Mapped[int]
    currency: Mapped[str]
    in_stock: Mapped[bool]
    sole_sku: Mapped[str | None]
    rating_average: Mapped[int]
    rating_count: Mapped[int]
    rating_sum: Mapped[int]
    sort_name: Mapped[str]
    search: Mapped[str] = mapped_column(TSVECTOR, deferred=True)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    version: Mapped[int]

    __table_args__ = (
        CheckConstraint("status IN ('draft', 'published', 'archived')", name="products_status"),
        CheckConstraint("price_amount >= 0", name="products_price_not_negative"),
        CheckConstraint(
            "rating_count >= 0 AND rating_sum BETWEEN rating_count AND 5 * rating_count",
            name="products_rating",
        ),
        Index("products_by_category", "category_id", "id"),
        Index("products_newest", "id", postgresql_where=_PUBLISHED),
        Index("products_by_price", "price_amount", "id", postgresql_where=_PUBLISHED),
        Index("products_by_rating", "rating_average", "id", postgresql_where=_PUBLISHED),
        Index("products_by_name", "sort_name", "id", postgresql_where=_PUBLISHED),
        Index("products_by_featured", "featured", "id"),
        Index("products_by_in_stock", "in_stock", "id"),
        Index("products_all_by_price", "price_amount", "id"),
        Index("products_all_by_rating", "rating_average", "id"),
        Index("products_all_by_name", "sort_name", "id"),
        Index(
            "products_unpublished", "status", "id", postgresql_where=text("status <> 'published'")
        ),
        Index(
            "products_by_likeness",
            "sort_name",
            postgresql_using="gin",
            postgresql_ops={"sort_name": "gin_trgm_ops"},
            postgresql_where=_PUBLISHED,
        ),
        Index("products_by_tag", "tags", postgresql_using="gin"),
        Index("products_by_word", "search", postgresql_using="gin"),
    )


class VariantRow(Base):
    """`offered` is false for a variant that staff took out: its SKU and history stay."""

    __tablename__ = "variants"

    sku: Mapped[str] = mapped_column(primary_key=True)
    product_id: Mapped[UUID] = mapped_column(ForeignKey("products.id"))
    options: Mapped[dict[str, Any]]
    price_amount: Mapped[int]
    compare_at_amount: Mapped[int | None]
    currency: Mapped[str]
    position: Mapped[int]
    offered: Mapped[bool]

    __table_args__ = (
        CheckConstraint("price_amount >= 0", name="variants_price_not_negative"),
        CheckConstraint("compare_at_amount >= 0", name="variants_compare_at_not_negative"),
        Index("variants_by_product", "product_id", "position"),
        Index("variants_by_folded_sku", func.lower(text("sku"))),
    )


class ChangeRow(Base):
    """How often what the public sees of a part of the catalogue has changed: the sum of `times`.

    Triggers add a row for each statement that changes something, so that writers do not wait for
    each other; now and then the rows of a part are added up. See adapters.freshness.
    """

    __tablename__ = "catalogue_changes"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    part: Mapped[int]
    times: Mapped[int]


class ImageRow(Base):
    __tablename__ = "product_images"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    product_id: Mapped[UUID] = mapped_column(ForeignKey("products.id"))
    public_id: Mapped[str] = mapped_column(unique=True)
    url: Mapped[str]
    thumbnail_url: Mapped[str]
    alt: Mapped[str]
    position: Mapped[int]
    created_at: Mapped[datetime]

    __table_args__ = (Index("product_images_by_product", "product_id", "position"),)


class StrayImageRow(Base):
    """A file at the image store that no product shows: not yet, or no longer. Whatever is still
    here at `remove_at` is removed there."""

    __tablename__ = "stray_images"

    public_id: Mapped[str] = mapped_column(primary_key=True)
    remove_at: Mapped[datetime]
    attempts: Mapped[int]

    __table_args__ = (Index("stray_images_due", "remove_at"),)


class ReviewRow(Base):
    """`author` is the name that the public sees."""

    __tablename__ = "reviews"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    product_id: Mapped[UUID] = mapped_column(ForeignKey("products.id"))
    customer_id: Mapped[UUID]
    author: Mapped[str]
    rating: Mapped[int]
    title: Mapped[str]
    body: Mapped[str]
    status: Mapped[str]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    version: Mapped[int]

    __table_args__ = (
        UniqueConstraint("product_id", "customer_id", name="reviews_one_per_customer"),
        CheckConstraint("rating BETWEEN 1 AND 5", name="reviews_rating"),
        CheckConstraint("status IN ('pending', 'published', 'hidden')", name="reviews_status"),
        Index("reviews_of_product", "product_id", "id", postgresql_where=_PUBLISHED),
        Index("reviews_by_status", "status", "id"),
    )


class BarredReviewerRow(Base):
    """Who has withdrawn a review that staff had hidden; the next one waits for staff."""

    __tablename__ = "barred_reviewers"

    customer_id: Mapped[UUID] = mapped_column(primary_key=True)
    product_id: Mapped[UUID] = mapped_column(ForeignKey("products.id"), primary_key=True)


class ErasureRow(Base):
    """A customer who closed their account, of whom nothing is learned any more."""

    __tablename__ = "erasures"

    customer_id: Mapped[UUID] = mapped_column(primary_key=True)
    erased_at: Mapped[datetime]


class PurchaseRow(Base):
    """Who has received what, as completed orders tell; not all of it need still be for sale."""

    __tablename__ = "purchases"

    customer_id: Mapped[UUID] = mapped_column(primary_key=True)
    product_id: Mapped[UUID] = mapped_column(primary_key=True)
    completed_at: Mapped[datetime]


class ImportRow(Base):
    """A table that staff have sent, and what became of its lines. `line` is the last one done of
    the `size` that it has; `leased_until` is how long the worker that has it is trusted to live;
    `attempts_at_progress` is what `attempts` was when lines were done last."""

    __tablename__ = "imports"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    status: Mapped[str]
    dry_run: Mapped[bool]
    by: Mapped[str]
    attempts: Mapped[int]
    attempts_at_progress: Mapped[int] = mapped_column(server_default=text("0"))
    size: Mapped[int] = mapped_column(server_default=text("0"))
    line: Mapped[int]
    lines: Mapped[int]
    created: Mapped[int]
    updated: Mapped[int]
    unchanged: Mapped[int]
    failed: Mapped[int]
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    leased_until: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("status IN ('queued', 'running', 'done', 'failed')", name="imports_status"),
        Index("imports_waiting", "id", postgresql_where=text("status IN ('queued', 'running')")),
    )


class ImportChunkRow(Base):
    """A piece of the table; gone when the import is done."""

    __tablename__ = "import_chunks"

    import_id: Mapped[UUID] = mapped_column(ForeignKey("imports.id"), primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class ImportNoteRow(Base):
    """What staff should know of one line: an error with its column, or (of a dry run) a change."""

    __tablename__ = "import_notes"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    import_id: Mapped[UUID] = mapped_column(ForeignKey("imports.id"))
    kind: Mapped[str]
    note: Mapped[dict[str, Any]]

    __table_args__ = (
        CheckConstraint("kind IN ('error', 'change')", name="import_notes_kind"),
        Index("import_notes_of_import", "import_id", "kind", "id"),
    )


class StockRow(Base):
    """The counters of one variant; the ledger and the reservations say how they came about."""

    __tablename__ = "stock"

    sku: Mapped[str] = mapped_column(ForeignKey("variants.sku"), primary_key=True)
    product_id: Mapped[UUID] = mapped_column(ForeignKey("products.id"))
    on_hand: Mapped[int]
    reserved: Mapped[int]
    low_stock_threshold: Mapped[int]
    version: Mapped[int]

    __table_args__ = (
        CheckConstraint(
            "on_hand >= 0 AND reserved >= 0 AND reserved <= on_hand", name="stock_never_oversold"
        ),
        CheckConstraint("low_stock_threshold >= 0", name="stock_threshold_not_negative"),
        Index("stock_by_product", "product_id", "sku"),
    )


class MovementRow(Base):
    """The ledger: why `on_hand` is what it is. `on_hand` is the number after the movement."""

    __tablename__ = "stock_movements"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    sku: Mapped[str] = mapped_column(ForeignKey("stock.sku"))
    reason: Mapped[str]
    delta: Mapped[int]
    on_hand: Mapped[int]
    order_id: Mapped[UUID | None]
    note: Mapped[str | None]
    by: Mapped[str]
    at: Mapped[datetime]
    request_key: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("delta <> 0", name="stock_movements_move"),
        UniqueConstraint("order_id", "sku", "reason", name="stock_movements_once_per_order"),
        UniqueConstraint("sku", "request_key", name="stock_movements_once_per_request"),
        Index("stock_movements_by_sku", "sku", "id"),
    )


class OrderStockRow(Base):
    """Where an order's stock is. A cancellation that comes first leaves its mark here."""

    __tablename__ = "order_stock"

    order_id: Mapped[UUID] = mapped_column(primary_key=True)
    state: Mapped[str]
    at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint(
            "state IN ('held', 'committed', 'released', 'rejected')", name="order_stock_state"
        ),
    )


class ReservationRow(Base):
    __tablename__ = "reservations"

    order_id: Mapped[UUID] = mapped_column(ForeignKey("order_stock.order_id"), primary_key=True)
    sku: Mapped[str] = mapped_column(ForeignKey("stock.sku"), primary_key=True)
    quantity: Mapped[int]
    state: Mapped[str]

    __table_args__ = (
        CheckConstraint("quantity > 0", name="reservations_quantity_positive"),
        CheckConstraint("state IN ('held', 'committed', 'released')", name="reservations_state"),
        Index("reservations_held", "sku", postgresql_where=text("state = 'held'")),
    )
