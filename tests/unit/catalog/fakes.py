"""A shop in memory. It copies on the way in and out, so code that forgets to save or commit fails
here too; tests/unit/catalog/stock_contract.py holds it to what the real one does."""

from collections.abc import Collection, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Self
from uuid import UUID, uuid4

from catalog.domain.category import Category
from catalog.domain.product import Product, ProductStatus
from catalog.domain.stock import (
    DEFAULT_THRESHOLD,
    Change,
    Label,
    OrderStock,
    Reason,
    Reservation,
    Shortage,
    Step,
    Terms,
)
from catalog.use_cases.errors import NotEnoughStock, ProductNotFound, SkuNotFound, SkuTaken
from oja_events.contracts import Event
from tests.support.auditing import FakeAuditLog, Noted
from tests.unit.catalog.builders import NOW


@dataclass(frozen=True)
class Level:
    product_id: UUID
    threshold: int
    on_hand: int = 0
    reserved: int = 0
    version: int = 1

    @property
    def available(self) -> int:
        return self.on_hand - self.reserved


@dataclass
class State:
    products: dict[UUID, Product] = field(default_factory=dict)
    categories: dict[UUID, Category] = field(default_factory=dict)
    renamed: dict[UUID, int] = field(default_factory=dict)
    owners: dict[str, UUID] = field(default_factory=dict)
    levels: dict[str, Level] = field(default_factory=dict)
    movements: list[tuple[str, Reason, int]] = field(default_factory=list)
    requests: dict[tuple[str, str], tuple[int, Reason]] = field(default_factory=dict)
    orders: dict[UUID, OrderStock] = field(default_factory=dict)
    held: dict[UUID, dict[str, int]] = field(default_factory=dict)
    strays: dict[str, datetime] = field(default_factory=dict)
    told: list[Event] = field(default_factory=list)
    noted: list[Noted] = field(default_factory=list)


class FakeShop:
    """What is committed."""

    def __init__(self) -> None:
        self.state = State()
        self.now = NOW

    def pass_time(self, **how: float) -> None:
        self.now += timedelta(**how)

    def uow(self) -> "FakeUnitOfWork":
        return FakeUnitOfWork(self)

    def told(self) -> list[Event]:
        return self.state.told

    def level(self, sku: str) -> tuple[int, int]:
        return self.state.levels[sku].on_hand, self.state.levels[sku].reserved

    def movements(self, sku: str) -> list[tuple[str, int]]:
        return [(reason, delta) for each, reason, delta in self.state.movements if each == sku]


class FakeUnitOfWork:
    def __init__(self, shop: FakeShop) -> None:
        self._shop = shop

    def __enter__(self) -> Self:
        self.state = deepcopy(self._shop.state)
        self.products = FakeProducts(self.state)
        self.categories = FakeCategories(self.state)
        self.stock = FakeStock(self.state)
        self.strays = FakeStrays(self.state, self.now())
        self.audit = FakeAuditLog(self.state.noted)
        return self

    def __exit__(self, *_: object) -> None:
        del self.state

    def tell(self, *events: Event) -> None:
        self.state.told += events

    def now(self) -> datetime:
        return self._shop.now

    def commit(self) -> None:
        self._shop.state = deepcopy(self.state)


class FakeSlugs:
    def next_id(self) -> UUID:
        return uuid4()

    def _free(self, wanted: str, taken: set[str]) -> str:
        numbered = (wanted if n == 1 else f"{wanted}-{n}" for n in range(1, 1000))
        return next(slug for slug in numbered if slug not in taken)


class FakeProducts(FakeSlugs):
    def __init__(self, state: State) -> None:
        self._state = state

    def free_slug(self, wanted: str) -> str:
        return self._free(wanted, {product.slug for product in self._state.products.values()})

    def add(self, product: Product) -> None:
        self.save(product)

    def get(self, product_id: UUID) -> Product:
        if product_id not in self._state.products:
            raise ProductNotFound(product_id)
        return self.touched([product_id])[0]

    def touched(self, product_ids: Collection[UUID]) -> list[Product]:
        products = [deepcopy(self._state.products[each]) for each in sorted(product_ids)]
        for product in products:
            product.available = {
                sku: level.available
                for sku, level in self._state.levels.items()
                if level.product_id == product.id
            }
        return products

    def forgotten(self, limit: int) -> list[Product]:
        told = {getattr(event, "product_id", None) for event in self._state.told}
        return self.touched([each for each in self._state.products if each not in told][:limit])

    def save(self, product: Product) -> None:
        skus = [variant.sku for variant in product.content.variants]
        owners = [self._state.owners.setdefault(sku, product.id) for sku in skus]
        taken = [n for n, owner in enumerate(owners) if owner != product.id]
        if taken:
            raise SkuTaken(taken)
        self._state.told += product.pull_events()
        self._state.products[product.id] = deepcopy(product)


class FakeCategories(FakeSlugs):
    def __init__(self, state: State) -> None:
        self._state = state

    def free_slug(self, wanted: str) -> str:
        return self._free(wanted, {each.slug for each in self._state.categories.values()})

    def by_slug(self, slug: str) -> Category | None:
        found = [each for each in self._state.categories.values() if each.slug == slug]
        return deepcopy(found[0]) if found else None

    def tree(self) -> dict[UUID, Category]:
        return deepcopy(self._state.categories)

    def add(self, category: Category) -> None:
        self._state.categories[category.id] = deepcopy(category)

    def is_empty(self, category: Category) -> bool:
        filed = [each.content.category for each in self._state.products.values()]
        inside = {each.parent_id for each in self._state.categories.values()}
        return category.id not in {each.id for each in filed if each} | inside

    def remove(self, category: Category) -> None:
        del self._state.categories[category.id]

    def save(self, category: Category) -> None:
        before = self._state.categories[category.id]
        if category != before:
            category.version += 1
        if category.name != before.name:
            self._state.renamed[category.id] = 0
        self.add(category)

    def index_renamed(self, most: int) -> bool:
        if not self._state.renamed:
            return False
        category_id, indexed = self._state.renamed.popitem()
        filed = [each.content.category for each in self._state.products.values()]
        if len([each for each in filed if each and each.id == category_id]) - indexed >= most:
            self._state.renamed[category_id] = indexed + most
        return True


class FakeStrays:
    def __init__(self, state: State, now: datetime) -> None:
        self._state = state
        self._now = now

    def note(self, public_id: str, *, remove_at: datetime) -> None:
        self._state.strays[public_id] = remove_at

    def claim(self, most: int) -> list[str]:
        due = [each for each, at in self._state.strays.items() if at <= self._now][:most]
        self._state.strays |= dict.fromkeys(due, self._now + timedelta(minutes=1))
        return due

    def forget(self, public_id: str) -> bool:
        return self._state.strays.pop(public_id, None) is not None


class FakeStock:
    def __init__(self, state: State) -> None:
        self._state = state

    def open(self, product_id: UUID, terms: Mapping[str, Terms], *, by: str) -> None:
        levels = self._state.levels
        for sku, each in terms.items():
            if sku not in levels:
                levels[sku] = Level(product_id, each.threshold or DEFAULT_THRESHOLD, each.initial)
                if each.initial:
                    self._state.movements.append((sku, Reason.INITIAL, each.initial))
            if each.threshold is not None:
                levels[sku] = replace(levels[sku], threshold=each.threshold)

    def claim(self, order_id: UUID, state: OrderStock) -> OrderStock | None:
        known = self.state_of(order_id)
        self._state.orders.setdefault(order_id, state)
        return known

    def state_of(self, order_id: UUID) -> OrderStock | None:
        return self._state.orders.get(order_id)

    def reserve(self, order_id: UUID, wanted: Mapping[str, int]) -> Reservation | None:
        if order_id in self._state.orders:
            return None
        shortages = [
            Shortage(sku, requested=quantity, available=self._for_sale(sku))
            for sku, quantity in sorted(wanted.items())
            if self._for_sale(sku) < quantity
        ]
        if shortages:
            self._state.orders[order_id] = OrderStock.REJECTED
            return Reservation([], shortages)
        self._state.orders[order_id] = OrderStock.HELD
        self._state.held[order_id] = dict(wanted)
        return Reservation([self._shift(sku, n, 0, n) for sku, n in sorted(wanted.items())], [])

    def move(self, order_id: UUID, step: Step) -> list[Change]:
        if self._state.orders.get(order_id) is not step.since:
            return []
        self._state.orders[order_id] = step.until
        held = sorted(self._state.held[order_id].items())
        if step.reason:
            self._state.movements += [(sku, step.reason, step.on_hand * n) for sku, n in held]
        return [self._shift(sku, n, step.on_hand * n, step.reserved * n) for sku, n in held]

    def adjusted(self, sku: str, key: str) -> tuple[int, Reason] | None:
        self.version_of(sku)
        return self._state.requests.get((sku, key))

    def adjust(
        self, sku: str, delta: int, reason: Reason, *, note: str | None, by: str, key: str | None
    ) -> Change:
        self.version_of(sku)
        if self._state.levels[sku].available + delta < 0:
            raise NotEnoughStock(sku)
        if key:
            self._state.requests[sku, key] = delta, reason
        self._state.movements.append((sku, reason, delta))
        return self._shift(sku, abs(delta), delta, 0)

    def version_of(self, sku: str) -> str:
        if sku not in self._state.levels:
            raise SkuNotFound(sku)
        return str(self._state.levels[sku].version)

    def set_threshold(self, sku: str, threshold: int) -> int:
        level = self._state.levels[sku]
        self._state.levels[sku] = replace(level, threshold=threshold, version=level.version + 1)
        return level.threshold

    def labels(self, skus: Collection[str]) -> dict[str, Label]:
        return {sku: self._label(sku) for sku in skus}

    def _label(self, sku: str) -> Label:
        content = self._state.products[self._state.levels[sku].product_id].content
        options = [each.options for each in content.variants if each.sku == sku]
        return Label(content.name, options[0] if options else {})

    def _for_sale(self, sku: str) -> int:
        level = self._state.levels.get(sku)
        if level is None:
            return 0
        content = self._state.products[level.product_id].content
        offered = any(variant.sku == sku for variant in content.variants)
        return level.available if offered and content.status is ProductStatus.PUBLISHED else 0

    def _shift(self, sku: str, quantity: int, on_hand: int, reserved: int) -> Change:
        before = self._state.levels[sku]
        after = replace(
            before,
            on_hand=before.on_hand + on_hand,
            reserved=before.reserved + reserved,
            version=before.version + 1,
        )
        self._state.levels[sku] = after
        return Change(
            sku=sku,
            product_id=before.product_id,
            quantity=quantity,
            before=before.available,
            after=after.available,
            threshold=after.threshold,
        )
