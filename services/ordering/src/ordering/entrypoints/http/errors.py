"""What a refusal looks like from outside."""

from oja_web.problems import Refusal
from ordering.domain.cart import (
    CartEmpty,
    CartFull,
    MixedCurrencies,
    NothingToPay,
    NotInCart,
    OutOfStock,
)
from ordering.domain.order import IllegalTransition
from ordering.use_cases.errors import (
    NotCancellable,
    OrderNotFound,
    PriceChanged,
    UnknownAddress,
    UnknownSku,
)

# A stranger's order answers 404, not 403: its existence is not their business.
REFUSALS = {
    OrderNotFound: Refusal(404, "not_found", "There is no such order."),
    NotInCart: Refusal(404, "not_found", "There is no such item in the cart."),
    UnknownSku: Refusal(422, "invalid"),
    UnknownAddress: Refusal(422, "invalid"),
    CartFull: Refusal(422, "cart_full"),
    CartEmpty: Refusal(409, "cart_empty"),
    OutOfStock: Refusal(409, "out_of_stock"),
    MixedCurrencies: Refusal(409, "mixed_currencies"),
    NothingToPay: Refusal(409, "nothing_to_pay"),
    PriceChanged: Refusal(409, "price_changed"),
    NotCancellable: Refusal(409, "order_not_cancellable"),
    IllegalTransition: Refusal(409, "illegal_transition"),
}
