"""Rows <-> aggregates, spelled out, so that the domain stays free of tables."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from catalog.adapters.tables import CategoryRow, ImageRow, ProductRow, ReviewRow, VariantRow
from catalog.domain.category import Category
from catalog.domain.product import Content, Product, ProductStatus, Variant
from catalog.domain.review import Author, Opinion, Review, ReviewStatus
from catalog.domain.stock import Change
from catalog.domain.values import CategoryRef, Image, Money


def product_from(
    row: ProductRow,
    category: CategoryRow | None,
    variants: list[tuple[VariantRow, int]],
    images: list[ImageRow],
) -> Product:
    """`variants` come with what is available of each, those included that are not offered."""
    return Product(
        id=row.id,
        slug=row.slug,
        content=Content(
            name=row.name,
            description=row.description,
            category=CategoryRef(category.id, category.slug, category.name) if category else None,
            tags=tuple(row.tags),
            featured=row.featured,
            status=ProductStatus(row.status),
            variants=tuple(_variant_from(variant) for variant, _ in variants if variant.offered),
        ),
        created_at=row.created_at,
        updated_at=row.updated_at,
        available={variant.sku: available for variant, available in variants},
        images=tuple(_image_from(image) for image in images),
        version=row.version,
    )


def new_product_row(product: Product) -> ProductRow:
    row = ProductRow(
        id=product.id,
        slug=product.slug,
        created_at=product.created_at,
        rating_average=0,
        rating_count=0,
        rating_sum=0,
        sort_name="",
        search="",
    )
    write_product(product, row)
    return row


def write_product(product: Product, row: ProductRow) -> None:
    """Copy what may change, with what lists and sorts need of the variants."""
    content = product.content
    row.name = content.name
    row.description = content.description
    row.category_id = content.category.id if content.category else None
    row.tags = list(content.tags)
    row.featured = content.featured
    row.status = content.status
    row.price_amount = product.price.amount
    row.currency = product.price.currency
    row.in_stock = product.in_stock
    row.sole_sku = product.sole_sku
    row.updated_at = product.updated_at
    row.version = product.version


def product_record(product: Product) -> dict[str, Any]:
    """The same as plain JSON values."""
    content = product.content
    return {
        "id": str(product.id),
        "name": content.name,
        "description": content.description,
        "category_id": str(content.category.id) if content.category else None,
        "tags": list(content.tags),
        "featured": content.featured,
        "status": content.status,
        "price_amount": product.price.amount,
        "currency": product.price.currency,
        "in_stock": product.in_stock,
        "sole_sku": product.sole_sku,
        "updated_at": product.updated_at.isoformat(),
        "version": product.version,
    }


def variant_records(content: Content) -> list[dict[str, Any]]:
    return [
        {
            "sku": variant.sku,
            "options": variant.options,
            "price_amount": variant.price.amount,
            "compare_at_amount": variant.compare_at_price and variant.compare_at_price.amount,
            "currency": variant.price.currency,
            "position": position,
        }
        for position, variant in enumerate(content.variants)
    ]


def image_records(images: Iterable[Image]) -> list[dict[str, Any]]:
    return [
        {
            "id": str(image.id),
            "public_id": image.public_id,
            "url": image.url,
            "thumbnail_url": image.thumbnail_url,
            "alt": image.alt,
            "position": image.position,
        }
        for image in images
    ]


def category_from(row: CategoryRow) -> Category:
    return Category(
        id=row.id,
        slug=row.slug,
        name=row.name,
        parent_id=row.parent_id,
        position=row.position,
        version=row.version,
    )


def new_category_row(category: Category) -> CategoryRow:
    return CategoryRow(
        id=category.id,
        slug=category.slug,
        name=category.name,
        parent_id=category.parent_id,
        position=category.position,
        version=category.version,
    )


def review_from(row: ReviewRow) -> Review:
    return Review(
        id=row.id,
        product_id=row.product_id,
        author=Author(row.customer_id, row.author),
        opinion=Opinion(row.rating, row.title, row.body),
        status=ReviewStatus(row.status),
        created_at=row.created_at,
        updated_at=row.updated_at,
        version=row.version,
    )


def review_values(review: Review) -> dict[str, Any]:
    """Of a new review, by column."""
    return {
        "id": review.id,
        "product_id": review.product_id,
        "customer_id": review.author.customer_id,
        "author": review.author.name,
        "rating": review.opinion.rating,
        "title": review.opinion.title,
        "body": review.opinion.body,
        "status": review.status,
        "created_at": review.created_at,
        "updated_at": review.updated_at,
        "version": review.version,
    }


def write_review(review: Review, row: ReviewRow) -> None:
    """Copy what may change."""
    row.rating = review.opinion.rating
    row.title = review.opinion.title
    row.body = review.opinion.body
    row.status = review.status
    row.updated_at = review.updated_at
    row.version = review.version


def change_from(row: Row[Any]) -> Change:
    return Change(
        sku=row.sku,
        product_id=row.product_id,
        quantity=row.quantity,
        before=row.before,
        after=row.after,
        threshold=row.threshold,
    )


def held_from(row: Row[Any], quantity: int) -> Change:
    """What holding so many does, by what there was before."""
    return Change(
        sku=row.sku,
        product_id=row.product_id,
        quantity=quantity,
        before=row.available,
        after=row.available - quantity,
        threshold=row.threshold,
    )


def _variant_from(row: VariantRow) -> Variant:
    before = row.compare_at_amount
    return Variant(
        sku=row.sku,
        options=row.options,
        price=Money(row.price_amount, row.currency),
        compare_at_price=None if before is None else Money(before, row.currency),
    )


def _image_from(row: ImageRow) -> Image:
    image_id: UUID = row.id
    return Image(
        id=image_id,
        public_id=row.public_id,
        url=row.url,
        thumbnail_url=row.thumbnail_url,
        alt=row.alt,
        position=row.position,
    )
