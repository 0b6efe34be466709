"""Bodies that have passed their schema, in the words of the use cases."""

from collections.abc import Mapping
from typing import Any, cast

from catalog.domain.product import ProductStatus, Variant
from catalog.domain.stock import Terms
from catalog.domain.values import Money
from catalog.use_cases.commands import ProductDraft, VariantDraft


def product_draft(body: Mapping[str, Any]) -> ProductDraft:
    """What the body names, and no more."""
    draft = cast(ProductDraft, {name: body[name] for name in _AS_IT_IS & body.keys()})
    if "tags" in body:
        draft["tags"] = tuple(body["tags"])
    if "status" in body:
        draft["status"] = ProductStatus(body["status"])
    if "variants" in body:
        draft["variants"] = [_variant(variant) for variant in body["variants"]]
    return draft


_AS_IT_IS = {"name", "description", "category", "featured"}


def _variant(body: Mapping[str, Any]) -> VariantDraft:
    before = body["compare_at_price"]
    return VariantDraft(
        Variant(
            sku=body["sku"],
            options=body["options"],
            price=Money(**body["price"]),
            compare_at_price=Money(**before) if before else None,
        ),
        Terms(body["initial_stock"], body["low_stock_threshold"]),
    )
