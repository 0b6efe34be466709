"""What a refusal looks like from outside."""

from catalog.domain.category import CategoryCycle
from catalog.domain.product import InvalidProduct
from catalog.use_cases.errors import (
    CategoryNotFound,
    NotEnoughStock,
    ProductNotFound,
    SkuNotFound,
    SkuTaken,
    UnknownCategory,
)
from oja_web.problems import Refusal

REFUSALS = {
    ProductNotFound: Refusal(404, "not_found", "There is no such product."),
    CategoryNotFound: Refusal(404, "not_found", "There is no such category."),
    SkuNotFound: Refusal(404, "not_found", "There is no such SKU."),
    InvalidProduct: Refusal(422, "invalid"),
    SkuTaken: Refusal(422, "invalid"),
    UnknownCategory: Refusal(422, "invalid"),
    CategoryCycle: Refusal(422, "invalid"),
    NotEnoughStock: Refusal(409, "insufficient_stock"),
}
