"""Stock: what lies on the shelf, what of it is promised, and the ways both may change.

    an order's stock:   held ──paid──▶ committed ──cancelled──▶ released (back on the shelf)
                          └──────cancelled──────▶ released
                        rejected (something was short)

`on_hand` changes only with a movement in the ledger; `reserved` is the sum of what is held.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from oja_events.contracts import Event
from oja_events.contracts import catalog as told

DEFAULT_THRESHOLD = 5


class OrderStock(StrEnum):
    """Where an order's stock is."""

    HELD = "held"
    COMMITTED = "committed"
    RELEASED = "released"
    REJECTED = "rejected"


class Reason(StrEnum):
    """Why a movement of the ledger happened."""

    INITIAL = "initial"
    RESTOCK = "restock"
    CORRECTION = "correction"
    DAMAGE = "damage"
    RETURN = "return"
    SALE = "sale"


# What staff may say; the others are written by orders and new variants.
STAFF_REASONS = (Reason.RESTOCK, Reason.CORRECTION, Reason.DAMAGE, Reason.RETURN)


@dataclass(frozen=True, slots=True)
class Step:
    """One move of an order's stock: what each unit of it does to the two counters."""

    since: OrderStock
    until: OrderStock
    on_hand: int
    reserved: int
    reason: Reason | None = None


SELL = Step(OrderStock.HELD, OrderStock.COMMITTED, on_hand=-1, reserved=-1, reason=Reason.SALE)
RELEASE = Step(OrderStock.HELD, OrderStock.RELEASED, on_hand=0, reserved=-1)
TAKE_BACK = Step(
    OrderStock.COMMITTED, OrderStock.RELEASED, on_hand=1, reserved=0, reason=Reason.RETURN
)

# What a cancellation does, by where the stock is; in any other state there is nothing to undo.
UNDO = {OrderStock.HELD: RELEASE, OrderStock.COMMITTED: TAKE_BACK}


@dataclass(frozen=True, slots=True)
class Label:
    """What people call a variant: the product's name, and which of its kinds it is."""

    name: str
    options: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one change did to what customers can buy of a variant; `quantity` is without a sign."""

    sku: str
    product_id: UUID
    quantity: int
    before: int
    after: int
    threshold: int

    @property
    def sells_out_or_returns(self) -> bool:
        return (self.before > 0) != (self.after > 0)

    @property
    def crosses(self) -> bool:
        """Whether it is low now, or well again, and was not before."""
        return (self.before <= self.threshold) != (self.after <= self.threshold)

    def crossing(self, label: Label, at: datetime) -> Event:
        """The news of that, which staff should hear."""
        news = told.StockLow if self.after <= self.threshold else told.StockReplenished
        return news(
            sku=self.sku,
            product_id=self.product_id,
            name=label.name,
            options=label.options,
            available=self.after,
            threshold=self.threshold,
            at=at,
        )


@dataclass(frozen=True, slots=True)
class Shortage:
    """How far one SKU falls short; 0 are available of one that is not for sale."""

    sku: str
    requested: int
    available: int


@dataclass(frozen=True, slots=True)
class Reservation:
    """What became of an order's wish: either changes, or the shortages that prevented them."""

    changes: list[Change]
    shortages: list[Shortage]


@dataclass(frozen=True, slots=True)
class Terms:
    """How the stock of a variant is kept, as staff write it; None leaves it as it is.

    `initial` counts only when the variant is new.
    """

    initial: int = 0
    threshold: int | None = None
