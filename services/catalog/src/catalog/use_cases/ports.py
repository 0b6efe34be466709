"""What the use cases need from the outside."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import BinaryIO, Protocol, Self
from uuid import UUID

from catalog.domain.category import Category
from catalog.domain.product import Product
from catalog.domain.review import Review
from catalog.domain.sheet import Fault
from catalog.domain.stock import Change, Label, OrderStock, Reason, Reservation, Step, Terms
from catalog.domain.values import CategoryRef
from oja_events.contracts import Event


class ProductRepository(Protocol):
    def next_id(self) -> UUID: ...

    def free_slug(self, wanted: str) -> str:
        """`wanted`, or with a number behind it; nobody else gets it before the commit."""

    def add(self, product: Product) -> None:
        """Keep a new product and its events; raises SkuTaken."""

    def get(self, product_id: UUID) -> Product:
        """The product for a change by staff, locked; raises ProductNotFound."""

    def touched(self, product_ids: Collection[UUID]) -> list[Product]:
        """These products, locked, for telling what became of their stock."""

    def forgotten(self, limit: int) -> list[Product]:
        """Products of which the journal tells nothing any more, locked."""

    def save(self, product: Product) -> None:
        """Keep the changes and their events; raises SkuTaken."""


class CategoryRepository(Protocol):
    def next_id(self) -> UUID: ...

    def free_slug(self, wanted: str) -> str:
        """As that of products."""

    def by_slug(self, slug: str) -> Category | None: ...

    def tree(self) -> dict[UUID, Category]:
        """All of them, locked, so that two moves cannot make a cycle together."""

    def add(self, category: Category) -> None: ...

    def is_empty(self, category: Category) -> bool:
        """Whether no product and no other category is in it."""

    def remove(self, category: Category) -> None: ...
    def save(self, category: Category) -> None:
        """Keep the changes; a new name is noted for index_renamed."""

    def index_renamed(self, most: int) -> bool:
        """Let some products more, `most` at a time, be found by the new name of their category;
        False if all are."""


class StockRepository(Protocol):
    """The counters and the ledger. Whatever changes several SKUs locks them in sorted order."""

    def open(self, product_id: UUID, terms: Mapping[str, Terms], *, by: str) -> None:
        """Start keeping stock of the SKUs that are new, and set the thresholds that are given."""

    def claim(self, order_id: UUID, state: OrderStock) -> OrderStock | None:
        """Enter the order in this state, or give the state it is in, locked, if it is known."""

    def state_of(self, order_id: UUID) -> OrderStock | None:
        """Where the order's stock is, locked; None if we have not heard of the order."""

    def reserve(self, order_id: UUID, wanted: Mapping[str, int]) -> Reservation | None:
        """Hold all of it or nothing, and enter the order; None if it is known already. What is
        unknown, unpublished or archived is short."""

    def move(self, order_id: UUID, step: Step) -> list[Change]:
        """Take the order's stock one step on, if that is where it is; else there is nothing to
        do."""

    def adjusted(self, sku: str, key: str) -> tuple[int, Reason] | None:
        """What the request with this key has done to the SKU, which is locked from here on."""

    def adjust(
        self, sku: str, delta: int, reason: Reason, *, note: str | None, by: str, key: str | None
    ) -> Change:
        """Write a movement of staff; raises SkuNotFound or NotEnoughStock."""

    def version_of(self, sku: str) -> str:
        """What the stock's ETag is made of, locked; raises SkuNotFound."""

    def set_threshold(self, sku: str, threshold: int) -> int:
        """The one that it replaces."""

    def labels(self, skus: Collection[str]) -> dict[str, Label]:
        """What they are called; of SKUs that stock is kept of."""


class ReviewRepository(Protocol):
    """Whatever is written here is in the product's rating at once."""

    def next_id(self) -> UUID: ...

    def add(self, review: Review) -> None:
        """Raises ProductNotFound unless it is published, AlreadyReviewed."""

    def get(self, review_id: UUID) -> Review:
        """Locked; raises ReviewNotFound."""

    def save(self, review: Review) -> None: ...
    def remove(self, review: Review) -> None: ...

    def take_turns(self, customer_id: UUID) -> None:
        """Until the transaction ends, nobody else who asks for it writes for this customer."""

    def bar(self, review: Review) -> None:
        """Let the next review that its author posts of its product wait for staff."""

    def is_barred(self, customer_id: UUID, product_id: UUID) -> bool: ...
    def has_bought(self, customer_id: UUID, product_id: UUID) -> bool: ...

    def note_purchases(
        self, customer_id: UUID, product_ids: Collection[UUID], at: datetime
    ) -> None:
        """The customer has received these; silence if that is known."""


@dataclass(frozen=True, slots=True)
class Found:
    """What is there of the SKUs and slugs that a table names; the products are locked."""

    products: list[Product]
    owners: dict[str, UUID]
    slugs: dict[str, UUID]
    categories: dict[str, CategoryRef]
    thresholds: dict[str, int]


class BulkRepository(Protocol):
    """Many products in a few statements."""

    def find(self, skus: Collection[str], slugs: Collection[str]) -> Found:
        """Nobody else takes a slug before the commit."""

    def store(
        self,
        created: Sequence[Product],
        changed: Sequence[Product],
        terms: Mapping[str, tuple[UUID, Terms]],
        *,
        by: str,
    ) -> None:
        """Keep products with their events, and the stock of what is new; raises SkuTaken."""


@dataclass(frozen=True, slots=True)
class ImportJob:
    """A table that is worked on. `line` is the last one that is done, `attempts` the name of this
    claim, `fruitless` how many there were, with this one, since it last went on."""

    id: UUID
    dry_run: bool
    by: str
    attempts: int
    fruitless: int
    line: int
    chunks: int


@dataclass(frozen=True, slots=True)
class LineChange:
    """What becomes of one line: create, update or none; `fields` names what differs."""

    line: int
    sku: str
    action: str
    fields: tuple[str, ...] = ()


@dataclass(slots=True)
class Tally:
    """What became of some lines."""

    lines: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: int = 0
    faults: list[Fault] = field(default_factory=list)
    changes: list[LineChange] = field(default_factory=list)


class ImportRepository(Protocol):
    def add(self, *, dry_run: bool, by: str) -> UUID: ...

    def append(self, import_id: UUID, n: int, chunk: bytes) -> int:
        """Add a piece; how many lines there are by now."""

    def claim(self) -> ImportJob | None:
        """One that waits, or whose worker has not been heard of for a minute."""

    def chunk(self, import_id: UUID, n: int) -> bytes: ...

    def progress(self, job: ImportJob, tally: Tally, line: int) -> None:
        """Add this up; raises ImportTakenOver if the claim has passed to somebody else."""

    def finish(self, job: ImportJob, fault: Fault | None) -> None:
        """It is done, or has failed as a whole; the table itself is thrown away."""


class StrayImages(Protocol):
    """Files at the image store that no product shows: on their way, given up, or taken away."""

    def note(self, public_id: str, *, remove_at: datetime) -> None: ...

    def claim(self, most: int) -> list[str]:
        """Those that are due, each put off in case it cannot be removed now."""

    def forget(self, public_id: str) -> bool:
        """It is gone, or is shown from now on; False if it was not noted any more."""


@dataclass(frozen=True, slots=True)
class Picture:
    """An image file that this shop has written itself; `format` is jpg, png or webp."""

    content: bytes
    format: str


class Pictures(Protocol):
    def clean(self, file: BinaryIO) -> Picture:
        """The same picture without metadata, upright, and not too large.

        Raises NotAPicture, BadPicture or TooBusy, before it takes time and memory.
        """


@dataclass(frozen=True, slots=True)
class StoredImage:
    public_id: str
    url: str
    thumbnail_url: str


class ImageStore(Protocol):
    """Raises ImageStoreUnavailable; then nobody knows whether it was done."""

    def upload(self, picture: Picture, public_id: str) -> StoredImage: ...

    def remove(self, public_id: str) -> None:
        """Also when it is not there."""


class Erasures(Protocol):
    """What is kept of customers who closed their account."""

    def has_left(self, customer_id: UUID) -> bool:
        """Whether they were erased. If not, they will not be before the transaction ends."""

    def erase(self, customer_id: UUID) -> None:
        """Take their name off their reviews, and give the receipt."""


class AuditLog(Protocol):
    """What somebody did by a permission of theirs; who, and from where, the request says."""

    def note(
        self, action: str, target: object, *, before: object = None, after: object = None
    ) -> None:
        """Write it down for good, with how the target looked before and after."""


class UnitOfWork(Protocol):
    """One transaction. Leaving it without `commit` rolls back; `now` is the database's clock."""

    @property
    def products(self) -> ProductRepository: ...
    @property
    def categories(self) -> CategoryRepository: ...
    @property
    def stock(self) -> StockRepository: ...
    @property
    def erasures(self) -> Erasures: ...
    @property
    def strays(self) -> StrayImages: ...
    @property
    def reviews(self) -> ReviewRepository: ...
    @property
    def bulk(self) -> BulkRepository: ...
    @property
    def imports(self) -> ImportRepository: ...
    @property
    def audit(self) -> AuditLog: ...

    def tell(self, *events: Event) -> None:
        """Publish these if the transaction commits."""

    def now(self) -> datetime: ...
    def commit(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...
