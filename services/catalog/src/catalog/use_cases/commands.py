"""What staff ask for. Every function is one transaction and refuses loudly."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TypedDict
from uuid import UUID

from catalog.domain.category import Category
from catalog.domain.product import Content, Product, ProductStatus, Variant
from catalog.domain.slugs import slugify
from catalog.domain.stock import Reason, Terms
from catalog.domain.values import CategoryRef
from catalog.use_cases.errors import (
    CategoryInUse,
    CategoryNotFound,
    KeyReused,
    UnknownCategory,
)
from catalog.use_cases.ports import UnitOfWork
from catalog.use_cases.stock_news import tell_levels

Precondition = Callable[[int | str], None]
"""Given the version of what is locked; raises if the caller has seen another one."""


@dataclass(frozen=True, slots=True)
class VariantDraft:
    """A variant as staff write it, with the terms of its stock."""

    variant: Variant
    terms: Terms = field(default_factory=Terms)


class ProductDraft(TypedDict, total=False):
    """What staff write about a product; what is left out of a change stays as it is."""

    name: str
    description: str
    category: str | None
    tags: tuple[str, ...]
    featured: bool
    status: ProductStatus
    variants: Sequence[VariantDraft]


class CategoryDraft(TypedDict, total=False):
    """`parent` is a slug, None for the top; what is left out of a change stays as it is."""

    name: str
    parent: str | None
    position: int


def create_product(draft: ProductDraft, *, by: str, currency: str, uow: UnitOfWork) -> UUID:
    """A new product with its first stock; raises InvalidProduct, UnknownCategory, SkuTaken."""
    with uow:
        content = _content(_BLANK, draft, currency, uow)
        product = Product.create(
            product_id=uow.products.next_id(),
            slug=uow.products.free_slug(slugify(content.name, "product")),
            content=content,
            available=_initial(draft),
            now=uow.now(),
        )
        uow.products.add(product)
        uow.stock.open(product.id, _terms(draft), by=by)
        uow.audit.note("product_created", product.id, after=_written(product, draft))
        uow.commit()
    return product.id


def change_product(
    product_id: UUID,
    draft: ProductDraft,
    *,
    by: str,
    currency: str,
    precondition: Precondition,
    uow: UnitOfWork,
) -> None:
    """Change what the draft names. Variants are replaced as a whole; one that is left out is no
    longer offered, but keeps its SKU, its stock and its history."""
    with uow:
        product = uow.products.get(product_id)
        precondition(product.version)
        before = _written(product, {})
        content = _content(product.content, draft, currency, uow)
        product.rewrite(content, initial=_initial(draft), now=uow.now())
        uow.products.save(product)
        uow.stock.open(product.id, _terms(draft), by=by)
        after = _written(product, draft)
        uow.audit.note("product_changed", product.id, before=before, after=after)
        uow.commit()


def archive_product(product_id: UUID, *, precondition: Precondition, uow: UnitOfWork) -> None:
    """Nobody can buy it any more; orders that hold it go on. Archived already: silence."""
    with uow:
        product = uow.products.get(product_id)
        precondition(product.version)
        before = _written(product, {})
        content = replace(product.content, status=ProductStatus.ARCHIVED)
        product.rewrite(content, initial={}, now=uow.now())
        uow.products.save(product)
        uow.audit.note("product_archived", product.id, before=before, after=_written(product, {}))
        uow.commit()


def create_category(draft: CategoryDraft, *, uow: UnitOfWork) -> UUID:
    """A new category; raises UnknownCategory if its parent is none, TooDeep."""
    with uow:
        tree = uow.categories.tree()
        category = Category(
            id=uow.categories.next_id(),
            slug=uow.categories.free_slug(slugify(draft["name"], "category")),
            name=draft["name"],
            position=draft.get("position", 0),
        )
        category.move(_parent(draft.get("parent"), tree), tree)
        uow.categories.add(category)
        uow.audit.note("category_created", category.id, after=category)
        uow.commit()
    return category.id


def change_category(
    category_id: UUID, draft: CategoryDraft, *, precondition: Precondition, uow: UnitOfWork
) -> None:
    """Change what the draft names; raises CategoryNotFound, UnknownCategory, CategoryCycle,
    TooDeep."""
    with uow:
        tree = uow.categories.tree()
        category = tree.get(category_id)
        if category is None:
            raise CategoryNotFound(category_id)
        precondition(category.version)
        before = replace(category)
        category.name = draft.get("name", category.name)
        category.position = draft.get("position", category.position)
        if "parent" in draft:
            category.move(_parent(draft["parent"], tree), tree)
        uow.audit.note("category_changed", category.id, before=before, after=category)
        uow.categories.save(category)
        uow.commit()


def remove_category(category_id: UUID, *, precondition: Precondition, uow: UnitOfWork) -> None:
    """Remove one that nothing is in; raises CategoryNotFound, CategoryInUse."""
    with uow:
        category = uow.categories.tree().get(category_id)
        if category is None:
            raise CategoryNotFound(category_id)
        precondition(category.version)
        if not uow.categories.is_empty(category):
            raise CategoryInUse
        uow.categories.remove(category)
        uow.audit.note("category_removed", category.id, before=category)
        uow.commit()


def adjust_stock(
    sku: str,
    delta: int,
    reason: Reason,
    *,
    note: str | None,
    by: str,
    key: str | None = None,
    uow: UnitOfWork,
) -> None:
    """Write a movement of staff into the ledger, once per `key` if there is one; raises
    SkuNotFound, NotEnoughStock, KeyReused."""
    with uow:
        done = uow.stock.adjusted(sku, key) if key else None
        if done:
            if done != (delta, reason):
                raise KeyReused
            return
        change = uow.stock.adjust(sku, delta, reason, note=note, by=by, key=key)
        tell_levels([change], uow=uow, always=True)
        uow.audit.note(
            "stock_adjusted",
            sku,
            before={"available": change.before},
            after={"available": change.after, "delta": delta, "reason": reason, "note": note},
        )
        uow.commit()


def set_threshold(sku: str, threshold: int, *, precondition: Precondition, uow: UnitOfWork) -> None:
    """From when on the stock counts as low. This alone is no news: nothing was bought."""
    with uow:
        precondition(uow.stock.version_of(sku))
        before = uow.stock.set_threshold(sku, threshold)
        uow.audit.note(
            "threshold_changed",
            sku,
            before={"low_stock_threshold": before},
            after={"low_stock_threshold": threshold},
        )
        uow.commit()


_BLANK = Content(
    name="",
    description="",
    category=None,
    tags=(),
    featured=False,
    status=ProductStatus.DRAFT,
    variants=(),
)


def _content(present: Content, draft: ProductDraft, currency: str, uow: UnitOfWork) -> Content:
    content = Content(
        name=draft.get("name", present.name),
        description=draft.get("description", present.description),
        category=_category(draft["category"], uow) if "category" in draft else present.category,
        tags=draft.get("tags", present.tags),
        featured=draft.get("featured", present.featured),
        status=draft.get("status", present.status),
        variants=tuple(each.variant for each in draft["variants"])
        if "variants" in draft
        else present.variants,
    )
    content.check(currency)
    return content


def _written(product: Product, draft: ProductDraft) -> dict[str, object]:
    """What staff have written about it, for the audit log; `stock` is what the draft says of it."""
    return {**asdict(product.content), **({"stock": _terms(draft)} if draft else {})}


def _category(slug: str | None, uow: UnitOfWork) -> CategoryRef | None:
    if slug is None:
        return None
    category = uow.categories.by_slug(slug)
    if category is None:
        raise UnknownCategory("category")
    return CategoryRef(category.id, category.slug, category.name)


def _parent(slug: str | None, tree: Mapping[UUID, Category]) -> Category | None:
    if slug is None:
        return None
    for category in tree.values():
        if category.slug == slug:
            return category
    raise UnknownCategory("parent")


def _terms(draft: ProductDraft) -> dict[str, Terms]:
    return {each.variant.sku: each.terms for each in draft.get("variants", ())}


def _initial(draft: ProductDraft) -> dict[str, int]:
    return {sku: terms.initial for sku, terms in _terms(draft).items()}
