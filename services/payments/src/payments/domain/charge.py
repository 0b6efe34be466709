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
