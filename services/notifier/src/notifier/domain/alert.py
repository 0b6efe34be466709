"""What staff should know and nobody else will take care of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from notifier.domain.letter import Template


class AlertKind(StrEnum):
    LOW_STOCK = "low_stock"
    REFUND_FAILED = "refund_failed"
    PAYMENT = "payment"
    MAIL_FAILED = "mail_failed"
    MAIL_UNCERTAIN = "mail_uncertain"
    TEMPLATE_UNFIT = "template_unfit"
    MESSAGE_PARKED = "message_parked"
    BOOKS = "books"


# What often comes in numbers: several of these within a short time are one mail. Money that waits
# for somebody is not among them, its mail leaves at once.
DIGESTS: Mapping[Template, tuple[AlertKind, ...]] = {
    Template.LOW_STOCK: (AlertKind.LOW_STOCK,),
    Template.MAIL_FAILING: (
        AlertKind.MAIL_FAILED,
        AlertKind.MAIL_UNCERTAIN,
        AlertKind.TEMPLATE_UNFIT,
    ),
    Template.MESSAGE_PARKED: (AlertKind.MESSAGE_PARKED,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One thing to look at; one alert per kind and `occasion`, however often it is raised.

    `facts` are for the digest that it is mailed in, if it is not `quiet`.
    """

    kind: AlertKind
    occasion: str
    title: str
    detail: str
    order_id: UUID | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    quiet: bool = False

    @property
    def waits_for_digest(self) -> bool:
        return not self.quiet and any(self.kind in kinds for kinds in DIGESTS.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """An alert that is on record."""

    id: UUID
    title: str
    detail: str
    raised_at: datetime
    facts: Mapping[str, Any]


def parked_alert(service: str, *, occasion: str, message_type: str | None, detail: str) -> Alert:
    """A message to this service was put away."""
    return Alert(
        kind=AlertKind.MESSAGE_PARKED,
        occasion=occasion,
        title=f"A message to {service} was parked: {message_type or 'of unknown type'}",
        detail=detail,
    )
