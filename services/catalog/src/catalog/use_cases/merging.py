"""How lines of a table change products: those of one product together, and each line that is wrong
left out by itself."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from catalog.domain.product import Content, InvalidProduct, Product, ProductStatus, Variant
from catalog.domain.sheet import OF_THE_PRODUCT, Entry, Fault
from catalog.domain.slugs import slugify
from catalog.domain.stock import Terms
from catalog.domain.values import CategoryRef, Money
from catalog.use_cases.ports import LineChange

_MOST_VARIANTS = 100
# What a product is that a table creates without saying so.
_DEFAULTS = {"description": "", "category": None, "tags": (), "featured": False}


@dataclass(frozen=True, slots=True)
class Known:
    """What is there already, of what a batch of lines names."""

    products: Mapping[UUID, Product]
    owners: Mapping[str, UUID]
    slugs: Mapping[str, UUID]
    categories: Mapping[str, CategoryRef]
    thresholds: Mapping[str, int]
    currency: str
    now: datetime


@dataclass(slots=True)
class Merged:
    """What a batch of lines comes to; nothing of it is stored yet."""

    created: list[Product] = field(default_factory=list)
    changed: list[Product] = field(default_factory=list)
    terms: dict[str, tuple[UUID, Terms]] = field(default_factory=dict)
    changes: list[LineChange] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def slugs_of(entries: Sequence[Entry]) -> set[str]:
    """Every slug that these lines may need."""
    named = {entry.cells["product"] for entry in entries if entry.cells.get("product")}
    wished = {wish for entry in entries for wish in _wished_slugs(entry)}
    return named | wished


def merge(entries: Sequence[Entry], known: Known, new_id: Callable[[], UUID]) -> Merged:
    """Apply the lines to what is known; `new_id` gives the ids of new products."""
    merged = Merged()
    taken = set(known.slugs)
    for group in _by_product(entries, known, merged):
        present = known.products.get(_owner(group[0], known)) if group else None
        fitting = _check(group, present, known, merged)
        if fitting and present:
            _change(present, fitting, known, merged)
        elif fitting:
            _create(fitting, known, merged, new_id(), taken)
    return merged


def _wished_slugs(entry: Entry) -> list[str]:
    """What a new product without a name for its address may be found under, best first."""
    name = entry.cells.get("name")
    if entry.cells.get("product") or not name:
        return []
    first = slugify(name, "product")
    return [first, f"{first[:60].strip('-')}-{slugify(entry.sku, 'sku')}"[:100].strip("-")]


def _owner(entry: Entry, known: Known) -> UUID:
    owner = known.owners.get(entry.sku) or known.slugs.get(entry.cells.get("product") or "")
    return owner or UUID(int=0)


def _by_product(entries: Sequence[Entry], known: Known, merged: Merged) -> list[list[Entry]]:
    groups: dict[object, list[Entry]] = {}
    for entry in entries:
        slug, owner = entry.cells.get("product"), known.owners.get(entry.sku)
        if slug and owner and known.slugs.get(slug) != owner:
            fault = Fault(entry.line, "sku", "belongs to another product")
            merged.faults.append(fault)
            continue
        key: object = owner or known.slugs.get(slug or "") or slug or entry.sku
        groups.setdefault(key, []).append(entry)
    return list(groups.values())


def _check(
    group: list[Entry], present: Product | None, known: Known, merged: Merged
) -> list[Entry]:
    """The lines that fit; the others become faults."""
    fitting: list[Entry] = []
    for entry in group:
        faults = _faults_of(entry, fitting, present, known)
        if not faults:
            try:
                _content(present, [*fitting, entry], known).check(known.currency)
            except InvalidProduct as error:
                faults = [_fault_of(entry, error)]
        merged.faults += faults
        if not faults:
            fitting.append(entry)
    return fitting


def _faults_of(
    entry: Entry, before: Sequence[Entry], present: Product | None, known: Known
) -> list[Fault]:
    wrong: dict[str, str] = {}
    category = entry.cells.get("category")
    if category is not None and category not in known.categories:
        wrong["category"] = "there is no such category"
    if present is None:
        wrong |= {
            column: "is required for a new product"
            for column in ("name", "price_amount")
            if column not in entry.cells
        }
    elif "price_amount" not in entry.cells and not _offers(present, entry.sku):
        wrong["price_amount"] = "is required for a new variant"
    if before:
        wrong |= {
            column: f"differs from line {before[0].line}, which is of the same product"
            for column in OF_THE_PRODUCT
            if entry.cells.get(column) != before[0].cells.get(column)
        }
    if len(before) >= _MOST_VARIANTS:
        wrong["sku"] = f"a product has at most {_MOST_VARIANTS} variants"
    return [Fault(entry.line, column, reason) for column, reason in wrong.items()]


def _offers(product: Product, sku: str) -> bool:
    return any(variant.sku == sku for variant in product.content.variants)


def _fault_of(entry: Entry, error: InvalidProduct) -> Fault:
    path, [reason, *_] = next(iter(error.errors.items()))
    column = path.split(".", 2)[2] if path.count(".") >= 2 else "line"
    return Fault(entry.line, column.rpartition(".")[2], reason)


def _content(present: Product | None, entries: Sequence[Entry], known: Known) -> Content:
    cells = entries[0].cells
    old = present.content if present else None

    def of_product(column: str) -> Any:
        if column in cells:
            return cells[column]
        return getattr(old, column) if old else _DEFAULTS[column]

    status = cells.get("status") or (old.status if old else ProductStatus.DRAFT)
    category = known.categories.get(cells["category"]) if cells.get("category") else None
    if "category" not in cells and old:
        category = old.category
    return Content(
        name=of_product("name"),
        description=of_product("description"),
        category=category,
        tags=of_product("tags"),
        featured=of_product("featured"),
        status=status,
        variants=_variants(old.variants if old else (), entries, known),
    )


def _variants(
    present: Sequence[Variant], entries: Sequence[Entry], known: Known
) -> tuple[Variant, ...]:
    """Those that are there, changed where a line says so, and the new ones behind them."""
    variants = {variant.sku: variant for variant in present}
    for entry in entries:
        variants[entry.sku] = _variant(variants.get(entry.sku), entry, known.currency)
    return tuple(variants.values())


def _variant(old: Variant | None, entry: Entry, shop_currency: str) -> Variant:
    cells = entry.cells
    currency = cells.get("currency", shop_currency)
    price = old.price if old else Money(0, currency)
    before = old.compare_at_price if old else None
    if "compare_at_amount" in cells:
        amount = cells["compare_at_amount"]
        before = None if amount is None else Money(amount, currency)
    return Variant(
        sku=entry.sku,
        options=cells.get("options", old.options if old else {}),
        price=Money(cells["price_amount"], currency)
        if "price_amount" in cells
        else Money(price.amount, currency),
        compare_at_price=before,
    )


def _change(product: Product, entries: Sequence[Entry], known: Known, merged: Merged) -> None:
    old = product.content
    content = _content(product, entries, known)
    shared = tuple(name for name in OF_THE_PRODUCT if getattr(old, name) != getattr(content, name))
    before = {variant.sku: variant for variant in old.variants}
    after = {variant.sku: variant for variant in content.variants}
    for entry in entries:
        _note_terms(entry, product.id, merged)
        own = _differences(before.get(entry.sku), after[entry.sku])
        if _threshold_changes(entry, known):
            own += ("low_stock_threshold",)
        action = "update" if entry.sku in known.owners else "create"
        fields = shared + own
        merged.changes.append(
            LineChange(entry.line, entry.sku, action if fields else "none", fields)
        )
    initial = {entry.sku: entry.cells.get("initial_stock") or 0 for entry in entries}
    version = product.version
    product.rewrite(content, initial=initial, now=known.now)
    if product.version != version:
        merged.changed.append(product)


def _create(
    entries: Sequence[Entry], known: Known, merged: Merged, product_id: UUID, taken: set[str]
) -> None:
    first = entries[0]
    wishes = [first.cells["product"]] if first.cells.get("product") else _wished_slugs(first)
    slug = next((wish for wish in wishes if wish not in taken), f"product-{product_id.hex}")
    taken.add(slug)
    merged.created.append(
        Product.create(
            product_id=product_id,
            slug=slug,
            content=_content(None, entries, known),
            available={entry.sku: entry.cells.get("initial_stock") or 0 for entry in entries},
            now=known.now,
        )
    )
    for entry in entries:
        _note_terms(entry, product_id, merged)
        merged.changes.append(LineChange(entry.line, entry.sku, "create", tuple(entry.cells)))


def _note_terms(entry: Entry, product_id: UUID, merged: Merged) -> None:
    cells = entry.cells
    terms = Terms(cells.get("initial_stock") or 0, cells.get("low_stock_threshold"))
    merged.terms[entry.sku] = (product_id, terms)


def _threshold_changes(entry: Entry, known: Known) -> bool:
    threshold = entry.cells.get("low_stock_threshold")
    return threshold not in (None, known.thresholds.get(entry.sku))


def _differences(old: Variant | None, new: Variant) -> tuple[str, ...]:
    if old is None:
        return ("sku",)
    named = {"options": "options", "price": "price_amount", "compare_at_price": "compare_at_amount"}
    return tuple(
        column for name, column in named.items() if getattr(old, name) != getattr(new, name)
    )
