"""What Paystack says of one reference, in our words."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from payments.domain.values import Money


class ChargeState(StrEnum):
    """`open`: not paid yet, may still be. `moving`: money is under way. `returned`: it came, and
    went back."""

    OPEN = "open"
    MOVING = "moving"
    CAPTURED = "captured"
    FAILED = "failed"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """`mode` is `test` or `live`; `order_id` is what the metadata says, None if nothing."""

    reference: str
    state: ChargeState
    amount: Money
    mode: str
    provider_id: int | None = None
    order_id: str | None = None
    channel: str | None = None
    paid_at: datetime | None = None

    def fits_like(self, other: "Charge") -> bool:
        """Whether both agree in all that must fit our books, so that one fits if the other does."""
        return (self.reference, self.amount, self.mode, self.order_id) == (
            other.reference,
            other.amount,
            other.mode,
            other.order_id,
        )
