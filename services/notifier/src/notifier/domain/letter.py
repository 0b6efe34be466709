"""What is to be said to whom, before it is put into words."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from notifier.domain.plain_text import one_line

MAX_ADDRESS_LENGTH = 254  # RFC 5321, 4.5.3.1.3
# Addresses of people who closed their account end like this; no mail can get there.
ERASED = "@erased.invalid"
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
# With "=?" it might be read as an encoded word.
_LOCAL_PART = re.compile(rf"(?=.{{1,64}}\Z)(?!.*=\?){_ATOM}(\.{_ATOM})*")
_DOMAIN = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*")


class BadAddress(Exception):
    """Nobody can be written to at this address."""


class Audience(StrEnum):
    CUSTOMER = "customer"
    STAFF = "staff"


class Template(StrEnum):
    """Every mail that there is. The value names its files and is what staff see."""

    WELCOME = "welcome"
    ORDER_RECEIVED = "order_received"
    PAYMENT_CONFIRMED = "payment_confirmed"
    ORDER_SHIPPED = "order_shipped"
    ORDER_COMPLETED = "order_completed"
    ORDER_CANCELLED = "order_cancelled"
    REFUND_STARTED = "refund_started"
    REFUND_DONE = "refund_done"
    LOW_STOCK = "low_stock"
    REFUND_FAILED = "refund_failed"
    PAYMENT_ALERT = "payment_alert"
    MAIL_FAILING = "mail_failing"
    MESSAGE_PARKED = "message_parked"
    BOOKS = "books"
    VERIFY_EMAIL = "verify_email"
    RESET_PASSWORD = "reset_password"  # noqa: S105  a mail, not a password  # nosec B105
    PASSWORD_CHANGED = "password_changed"  # noqa: S105  # nosec B105
    SIGN_IN_ENDED = "sign_in_ended"
    CONFIRM_EMAIL = "confirm_email"
    EMAIL_CHANGED = "email_changed"

    @property
    def audience(self) -> Audience:
        return Audience.STAFF if self in FOR_STAFF else Audience.CUSTOMER


FOR_STAFF = (
    Template.LOW_STOCK,
    Template.REFUND_FAILED,
    Template.PAYMENT_ALERT,
    Template.MAIL_FAILING,
    Template.MESSAGE_PARKED,
    Template.BOOKS,
)


@dataclass(frozen=True, slots=True)
class Recipient:
    """One person with one address; raises BadAddress for what is not exactly one.

    `user_id` is whose account it is, where they are written to as a member of the staff.
    """

    email: str
    name: str = ""
    user_id: UUID | None = None

    def __post_init__(self) -> None:
        local, _, domain = self.email.rpartition("@")
        if (
            len(self.email) > MAX_ADDRESS_LENGTH
            or not _LOCAL_PART.fullmatch(local)
            or not _DOMAIN.fullmatch(_ascii(domain))
        ):
            raise BadAddress(f"no mail can be sent to {one_line(self.email)!r}")
        object.__setattr__(self, "email", f"{local}@{_ascii(domain)}")
        object.__setattr__(self, "name", one_line(self.name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One thing to say to one person.

    `occasion` names what it is about (an order, a refund): one mail per template, occasion and
    recipient is ever written, whichever events lead to it. `facts` are the template's variables.
    `link_request` is what the one-time link in it is asked for by, when the mail leaves.
    """

    template: Template
    to: Recipient
    occasion: str
    facts: Mapping[str, object]
    order_id: UUID | None = None
    link_request: UUID | None = None


def _ascii(domain: str) -> str:
    try:
        return domain.encode("idna").decode()
    except UnicodeError:
        return ""
