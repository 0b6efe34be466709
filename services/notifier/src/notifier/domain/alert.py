"""What staff should know and nobody else will take care of."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class AlertKind(StrEnum):
    LOW_STOCK = "low_stock"
    REFUND_FAILED = "refund_failed"
    PAYMENT = "payment"
    MAIL_FAILED = "mail_failed"
    MAIL_UNCERTAIN = "mail_uncertain"
    TEMPLATE_UNFIT = "template_unfit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One thing to look at; one alert per kind and `occasion`, however often it is raised."""

    kind: AlertKind
    occasion: str
    title: str
    detail: str
    order_id: UUID | None = None
