"""Who on the staff is told what by mail: whoever may know it and has not said that they would
rather not."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from notifier.domain.letter import Recipient, Template

# Nobody learns from a mail what the API would not tell them.
NEEDED: Mapping[Template, frozenset[str]] = {
    Template.LOW_STOCK: frozenset({"alerts:read", "inventory:read"}),
    Template.REFUND_FAILED: frozenset({"alerts:read", "payments:read"}),
    Template.PAYMENT_ALERT: frozenset({"alerts:read", "payments:read"}),
    Template.MAIL_FAILING: frozenset({"alerts:read", "notifications:read"}),
    Template.MESSAGE_PARKED: frozenset({"alerts:read"}),
    Template.BOOKS: frozenset({"alerts:read", "audit:read"}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Somebody on the staff; `who` is None for one who is no longer to be written to.

    Of two with one `user_id` the one with the higher `version` is the newer one.
    """

    user_id: UUID
    version: int
    who: Recipient | None
    permissions: frozenset[str]
    is_erased: bool = False


@dataclass(frozen=True, slots=True)
class Wishes:
    """The mails that somebody does not want; `version` 0 for who has never said anything."""

    muted: frozenset[Template]
    version: int = 0


def may_get(permissions: frozenset[str]) -> list[Template]:
    """The alerts that are mailed to somebody with these permissions."""
    return [template for template, needed in NEEDED.items() if needed <= permissions]
