"""A customer's cart: what they want, and what they were shown that it costs."""

from dataclasses import dataclass, field
from uuid import UUID

from ordering.domain.values import Money, Offer, OrderLine

MAX_QUANTITY = 1000
MAX_LINES = 100
MAX_TOTAL = 10**15  # minor units; no shop sells more at once, and a bigint holds every sum of these


class CartEmpty(Exception):
    """There is nothing to order."""


class CartFull(Exception):
    """A line or the cart would grow beyond its limit."""


class MixedCurrencies(Exception):
    """What is wanted is priced in several currencies, which no payment could be of."""


class NothingToPay(Exception):
    """All that is wanted is free, and an order becomes real by its payment."""


class NotInCart(Exception):
    """The cart has no such line."""


class OutOfStock(Exception):
    """These lines cannot be bought now; `errors` says why, by SKU."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__("Some items cannot be bought any more.")
        self.errors = {sku: [reason] for sku, reason in errors.items()}


@dataclass(slots=True)
class CartItem:
    """`seen_price` is what the customer was shown when they last touched the line."""

    quantity: int
    seen_price: Money


@dataclass(slots=True)
class Cart:
    customer_id: UUID
    items: dict[str, CartItem] = field(default_factory=dict)

    def add(self, offer: Offer, quantity: int) -> None:
        """Put more of it on top of what is there."""
        present = self.items.get(offer.sku)
        self._put(offer, quantity + (present.quantity if present else 0))

    def set_quantity(self, offer: Offer, quantity: int) -> None:
        """Have exactly so many of a line that is there."""
        if offer.sku not in self.items:
            raise NotInCart(offer.sku)
        self._put(offer, quantity)

    def remove(self, sku: str) -> None:
        """Without the line, whether it was there or not."""
        self.items.pop(sku, None)

    def order_lines(self, offers: dict[str, Offer]) -> tuple[OrderLine, ...]:
        """The lines of an order at today's prices; raises CartEmpty, OutOfStock, MixedCurrencies,
        CartFull or NothingToPay.

        Only what is known to be sold out is refused here: `available` may be seconds old, and the
        reservation decides.
        """
        if not self.items:
            raise CartEmpty("The cart is empty.")
        refused = {sku: reason for sku in self.items if (reason := _why_not(offers.get(sku)))}
        if refused:
            raise OutOfStock(refused)
        lines = tuple(_line(offers[sku], item) for sku, item in sorted(self.items.items()))
        if len({line.unit_price.currency for line in lines}) > 1:
            raise MixedCurrencies("The items are priced in several currencies; order them apart.")
        total = sum(line.total.amount for line in lines)
        if total > MAX_TOTAL:
            raise CartFull("The cart is worth more than one order may be.")
        if total == 0:
            raise NothingToPay("What is free can be ordered only together with what is not.")
        return lines

    def _put(self, offer: Offer, quantity: int) -> None:
        if quantity > MAX_QUANTITY:
            raise CartFull(f"At most {MAX_QUANTITY} of one item.")
        if offer.sku not in self.items and len(self.items) >= MAX_LINES:
            raise CartFull(f"At most {MAX_LINES} different items.")
        self.items[offer.sku] = CartItem(quantity, offer.price)


def problems(item: CartItem, offer: Offer | None) -> list[str]:
    """What the customer should know about a line before ordering, as stable codes."""
    if offer is None or not offer.buyable:
        return ["archived"]
    found = []
    if offer.price != item.seen_price:
        found.append("price_changed")
    if offer.available < item.quantity:
        found.append("insufficient_stock")
    return found


def _why_not(offer: Offer | None) -> str | None:
    if offer is None or not offer.buyable:
        return "No longer sold."
    return "Sold out." if offer.available <= 0 else None


def _line(offer: Offer, item: CartItem) -> OrderLine:
    return OrderLine(
        sku=offer.sku,
        product_id=offer.product_id,
        name=offer.name,
        options=offer.options,
        quantity=item.quantity,
        unit_price=offer.price,
    )
