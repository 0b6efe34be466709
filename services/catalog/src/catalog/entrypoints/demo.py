"""The demo catalogue, loaded as staff would write it, so that everybody hears of it."""

import json
from importlib.resources import files
from typing import Any

from catalog.bootstrap import Dependencies
from catalog.entrypoints.http.drafts import product_draft
from catalog.entrypoints.http.schemas_of_staff import CategoryWriteSchema, ProductWriteSchema
from catalog.use_cases import commands

BY = "demo catalogue"


def load_demo(deps: Dependencies) -> int:
    """Add what is missing, and say how many products that were; safe to repeat."""
    catalogue = json.loads(files(__package__).joinpath("demo_catalogue.json").read_text("utf-8"))
    _load_categories(catalogue["categories"], deps)
    missing = _missing(catalogue["products"], deps)
    for product in missing:
        commands.create_product(
            product_draft(ProductWriteSchema().load(_with_currency(product, deps))),
            by=BY,
            currency=deps.settings.currency,
            uow=deps.unit_of_work(),
        )
    return len(missing)


def _load_categories(wanted: list[dict[str, Any]], deps: Dependencies) -> None:
    """Parents come first in the file, and their slugs follow from their names."""
    known = {row["name"] for row in deps.queries.categories()}
    for category in wanted:
        if category["name"] not in known:
            commands.create_category(CategoryWriteSchema().load(category), uow=deps.unit_of_work())


def _missing(products: list[dict[str, Any]], deps: Dependencies) -> list[dict[str, Any]]:
    first_skus = {product["variants"][0]["sku"] for product in products}
    known = deps.queries.known(first_skus)
    return [product for product in products if product["variants"][0]["sku"] not in known]


def _with_currency(product: dict[str, Any], deps: Dependencies) -> dict[str, Any]:
    """The file has bare amounts in kobo."""
    return {
        "status": "published",
        **product,
        "variants": [_priced(variant, deps.settings.currency) for variant in product["variants"]],
    }


def _priced(variant: dict[str, Any], currency: str) -> dict[str, Any]:
    prices: dict[str, Any] = {
        name: {"amount": variant[name], "currency": currency}
        for name in ("price", "compare_at_price")
        if name in variant
    }
    return {**variant, **prices}
