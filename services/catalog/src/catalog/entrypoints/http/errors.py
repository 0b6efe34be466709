"""What a refusal looks like from outside."""

from catalog.domain.category import CategoryCycle, TooDeep
from catalog.domain.images import ImageNotFound, TooManyImages
from catalog.domain.product import InvalidProduct
from catalog.domain.sheet import BadTable
from catalog.use_cases.errors import (
    AccountClosed,
    AlreadyReviewed,
    BadPicture,
    CategoryInUse,
    CategoryNotFound,
    ImageStoreUnavailable,
    ImportNotFound,
    KeyReused,
    NotAPicture,
    NotEnoughStock,
    ProductNotFound,
    ReviewNotFound,
    SkuNotFound,
    SkuTaken,
    TooBusy,
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
    TooDeep: Refusal(422, "invalid"),
    NotEnoughStock: Refusal(409, "insufficient_stock"),
    KeyReused: Refusal(
        422, "idempotency_key_reused", "This key was used for another adjustment; make a new one."
    ),
    CategoryInUse: Refusal(
        409, "category_in_use", "Move the products and categories that are in it first."
    ),
    ImportNotFound: Refusal(404, "not_found", "There is no such import."),
    BadTable: Refusal(422, "invalid", "The table cannot be read."),
    ReviewNotFound: Refusal(404, "not_found", "There is no such review."),
    AccountClosed: Refusal(
        401,
        "unauthenticated",
        "The access token is not valid, or no longer.",
        {"WWW-Authenticate": 'Bearer realm="oja", error="invalid_token"'},
    ),
    AlreadyReviewed: Refusal(
        409, "already_reviewed", "You have reviewed this product; change that review instead."
    ),
    ImageNotFound: Refusal(404, "not_found", "The product has no such image."),
    TooManyImages: Refusal(422, "invalid"),
    NotAPicture: Refusal(
        415, "unsupported_media_type", "Send a JPEG, PNG or WebP picture, whatever its name."
    ),
    BadPicture: Refusal(422, "invalid"),
    TooBusy: Refusal(
        503, "unavailable", "Too many at once. Try again shortly.", {"Retry-After": "2"}
    ),
    ImageStoreUnavailable: Refusal(
        503,
        "image_store_unavailable",
        "Pictures cannot be stored right now; nothing was changed. Try again shortly.",
        {"Retry-After": "30"},
    ),
}
