"""What notifier does about the news of others: it writes mails, and other processes send them.

Repeated news comes to nothing: the inbox stops it, and were the inbox lost, the ledger keeps one
mail per event, template and recipient. Early or late news needs no patience: an event carries all
that its mail says, so no mail waits for another. Where that would make a mail untrue or needless,
its handler says so.

Of a customer who closed their account late news is only noted: a mail without words and address,
which is never sent. The Books find every mail that an order calls for, and nobody is named.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from uuid import UUID

from notifier.domain.alert import Alert, AlertKind, parked_alert
from notifier.domain.letter import ERASED, Letter, Recipient, Template
from notifier.domain.staff import Member, may_get
from notifier.use_cases.errors import TooEarly
from notifier.use_cases.ports import UnitOfWork
from oja_events.contracts import MessageParked
from oja_events.contracts.catalog import StockLow
from oja_events.contracts.identity import (
    CustomerRegistered,
    EmailChanged,
    EmailChangeRequested,
    EmailVerificationRequested,
    PasswordChanged,
    PasswordResetRequested,
    RefreshTokenReused,
    StaffChanged,
)
from oja_events.contracts.ordering import (
    CustomerOrdersErased,
    OrderCancelled,
    OrderCompleted,
    OrderPlaced,
    OrderShipped,
    RefundRequested,
)
from oja_events.contracts.payments import (
    BooksTurned,
    PaymentAlertRaised,
    PaymentConfirmed,
    PaymentRefunded,
    RefundFailed,
)

PaymentNews = PaymentConfirmed | PaymentRefunded
AccountNews = (
    EmailVerificationRequested
    | EmailChangeRequested
    | EmailChanged
    | PasswordResetRequested
    | PasswordChanged
    | RefreshTokenReused
)
# Why ordering asks for the refund of a cancelled order; whoever words it otherwise costs a customer
# no more than a second mail about the same money.
_CANCELLED = "the order was cancelled"
OrderNews = OrderPlaced | OrderShipped | OrderCompleted | OrderCancelled | RefundRequested


def customer_registered(event: CustomerRegistered, *, uow: UnitOfWork) -> None:
    """Welcome them, once per account. Repeated, early, late: nothing changes."""
    with uow:
        uow.mails.write(
            Letter(
                template=Template.WELCOME,
                to=Recipient(event.email, f"{event.first_name} {event.last_name}"),
                occasion=str(event.customer_id),
                facts=vars(event),
            )
        )
        uow.commit()


def customer_orders_erased(event: CustomerOrdersErased, *, uow: UnitOfWork) -> None:
    """Forget the customer, who left and for whom ordering has nothing under way any more. Repeated:
    another receipt. Early (ahead of other news of theirs, which retries, feeds and operators may
    bring days later): that news is only noted. Late: mails were sent meanwhile, and are emptied
    with the others. While a mail to them is in a sender's hands: tried again later."""
    with uow:
        uow.erasures.erase(event.customer_id)
        uow.commit()


def email_verification_requested(event: EmailVerificationRequested, *, uow: UnitOfWork) -> None:
    """Send the link, once per request. Repeated: silence. Late (verified or asked anew meanwhile):
    identity gives no link any more when the mail is to leave, and it is dropped."""
    with uow:
        uow.mails.write(
            _to_user(
                Template.VERIFY_EMAIL,
                event,
                occasion=event.request_id,
                link_request=event.request_id,
            )
        )
        uow.commit()


def password_reset_requested(event: PasswordResetRequested, *, uow: UnitOfWork) -> None:
    """Send the link, once per request. Repeated: silence. Late (reset or asked anew meanwhile):
    identity gives no link any more when the mail is to leave, and it is dropped."""
    with uow:
        uow.mails.write(
            _to_user(
                Template.RESET_PASSWORD,
                event,
                occasion=event.request_id,
                link_request=event.request_id,
            )
        )
        uow.commit()


def password_changed(event: PasswordChanged, *, uow: UnitOfWork) -> None:
    """Say so, in case it was somebody else. Repeated: silence. Early, late: true all the same."""
    with uow:
        uow.mails.write(_to_user(Template.PASSWORD_CHANGED, event, occasion=uow.event_id))
        uow.commit()


def email_change_requested(event: EmailChangeRequested, *, uow: UnitOfWork) -> None:
    """Send the link to the address that is to be theirs, once per request. Repeated: silence. Late
    (done, asked anew, or another password meanwhile): identity gives no link any more."""
    with uow:
        uow.mails.write(
            _to_user(
                Template.CONFIRM_EMAIL,
                event,
                occasion=event.request_id,
                link_request=event.request_id,
            )
        )
        uow.commit()


def email_changed(event: EmailChanged, *, uow: UnitOfWork) -> None:
    """Say so at the address of before, in case it was somebody else. Repeated: silence. Early,
    late: true all the same."""
    with uow:
        uow.mails.write(_to_user(Template.EMAIL_CHANGED, event, occasion=uow.event_id))
        uow.commit()


def refresh_token_reused(event: RefreshTokenReused, *, uow: UnitOfWork) -> None:
    """Say that a sign-in was ended, and why. Repeated: silence. Early, late: true all the same."""
    with uow:
        uow.mails.write(_to_user(Template.SIGN_IN_ENDED, event, occasion=uow.event_id))
        uow.commit()


def staff_changed(event: StaffChanged, *, uow: UnitOfWork) -> None:
    """Remember whom to write to of what, and keep back what they may not know any more. Repeated,
    late: the highest version stays. Somebody who closed the account is forgotten. While a mail that
    is not for them any more is in a sender's hands: tried again later, for it may come back."""
    with uow:
        member = _member(event)
        if uow.staff.keep(member):
            uow.mails.withhold(member.user_id, but=may_get(member.permissions))
        if member.is_erased:
            uow.erasures.erase_member(member.user_id)
        uow.commit()


def order_placed(event: OrderPlaced, *, uow: UnitOfWork) -> None:
    """Say that we have the order and until when to pay. Repeated: silence. Late (paid or cancelled
    meanwhile): a request to pay would be untrue, so the mail goes without it."""
    overtakers = (Template.PAYMENT_CONFIRMED, Template.ORDER_CANCELLED)
    with uow:
        overtaken = uow.mails.is_written(str(event.order_id), *overtakers)
        facts = {"awaits_payment": not overtaken}
        uow.mails.write(_to_customer(Template.ORDER_RECEIVED, event, facts=facts))
        uow.commit()


def payment_confirmed(event: PaymentConfirmed, *, uow: UnitOfWork) -> None:
    """Confirm the order, once however many captures there are.

    Late (the order was cancelled while the card was charged): the money goes back by itself and
    that mail follows, so nothing is confirmed.
    """
    with uow:
        if not uow.mails.is_written(str(event.order_id), Template.ORDER_CANCELLED):
            uow.mails.write(_to_customer(Template.PAYMENT_CONFIRMED, event))
        uow.commit()


def order_shipped(event: OrderShipped, *, uow: UnitOfWork) -> None:
    """Say how to follow the parcel. Repeated: silence. Early, late: true all the same."""
    with uow:
        uow.mails.write(_to_customer(Template.ORDER_SHIPPED, event))
        uow.commit()


def order_completed(event: OrderCompleted, *, uow: UnitOfWork) -> None:
    """Say thank you, and ask for a review of each product. Repeated: silence. Early, late: true
    all the same."""
    names = {line.product_id: line.name for line in event.lines}
    products = [{"id": product_id, "name": name} for product_id, name in names.items()]
    with uow:
        uow.mails.write(_to_customer(Template.ORDER_COMPLETED, event, facts={"products": products}))
        uow.commit()


def order_cancelled(event: OrderCancelled, *, uow: UnitOfWork) -> None:
    """Say why, and what happens to the money. Repeated: silence. Early, late: true all the same."""
    with uow:
        uow.mails.write(_to_customer(Template.ORDER_CANCELLED, event))
        uow.commit()


def refund_requested(event: RefundRequested, *, uow: UnitOfWork) -> None:
    """Say that money is on its way back, once per payment, unless the mail about the cancellation
    has promised it. Repeated: silence. Early (ahead of the cancellation): tried again later."""
    with uow:
        cancellation = uow.mails.told(Template.ORDER_CANCELLED, str(event.order_id))
        if cancellation is None and event.reason == _CANCELLED:
            raise TooEarly(f"the cancellation of {event.number} was not heard of yet")
        if cancellation is None or not cancellation.get("was_paid"):
            letter = _to_customer(
                Template.REFUND_STARTED,
                event,
                occasion=f"{event.order_id} {event.payment_reference}",
            )
            uow.mails.write(letter)
        uow.commit()


def payment_refunded(event: PaymentRefunded, *, uow: UnitOfWork) -> None:
    """Say that the money is back, once per refund: an order may have several. Repeated: silence."""
    with uow:
        uow.mails.write(_to_customer(Template.REFUND_DONE, event, occasion=str(event.refund_id)))
        uow.commit()


def refund_failed(event: RefundFailed, *, uow: UnitOfWork) -> None:
    """Call staff: a customer waits for money. Once per refund, repeated or not. The mail names the
    order, as mails to staff stay when the customer has left."""
    alert = Alert(
        kind=AlertKind.REFUND_FAILED,
        occasion=str(event.refund_id),
        title=f"A refund of order {event.number} failed",
        detail=event.reason,
        order_id=event.order_id,
    )
    facts = {name: value for name, value in vars(event).items() if name != "contact"}
    with uow:
        _call_staff(alert, Template.REFUND_FAILED, facts, uow)
        uow.commit()


def payment_alert_raised(event: PaymentAlertRaised, *, uow: UnitOfWork) -> None:
    """Call staff, once per kind of trouble and what it is about. Repeated: silence. Early, late:
    each is a fact of its own."""
    alert = Alert(
        kind=AlertKind.PAYMENT,
        occasion=f"{event.kind} {event.about}",
        title=f"{event.kind.replace('_', ' ').capitalize()}: {event.about}",
        detail=event.detail,
        order_id=event.order_id,
    )
    with uow:
        _call_staff(alert, Template.PAYMENT_ALERT, vars(event), uow)
        uow.commit()


def books_turned(event: BooksTurned, *, uow: UnitOfWork) -> None:
    """Call staff when a rule turns red, and say so when it is green again. Repeated: silence.
    Early, late: each turn is a fact of its own, with its time."""
    turned = "does not add up" if event.status == "red" else "adds up again"
    alert = Alert(
        kind=AlertKind.BOOKS,
        occasion=f"{event.rule} {event.status} {event.turned_at.isoformat()}",
        title=f"Books: {event.rule} {turned}",
        detail=f"{event.says}: {', '.join(event.ids) or 'true again'}",
    )
    with uow:
        _call_staff(alert, Template.BOOKS, vars(event), uow)
        uow.commit()


def message_parked(event: MessageParked, *, uow: UnitOfWork) -> None:
    """Raise an alert, once per message and service; a digest mails it to staff. Repeated: silence.
    Early, late: true all the same."""
    service = event.TYPE.split(".")[1]
    alert = parked_alert(
        service,
        occasion=f"{service} {event.key}",
        message_type=event.message_type,
        detail=f"{event.reason}: {event.error}",
    )
    with uow:
        uow.alerts.add(alert)
        uow.commit()


def stock_low(event: StockLow, *, uow: UnitOfWork) -> None:
    """Raise an alert, once per crossing of the threshold; a digest mails it to staff. Late
    (restocked meanwhile): said all the same, with the time of the event."""
    with uow:
        uow.alerts.add(
            Alert(
                kind=AlertKind.LOW_STOCK,
                occasion=str(uow.event_id),
                title=f"{event.sku} is running low",
                detail=f"{event.name}: {event.available} left, the threshold is {event.threshold}",
                facts=vars(event),
            )
        )
        uow.commit()


def _member(event: StaffChanged) -> Member:
    works_here = event.is_active and bool(event.permissions)
    return Member(
        user_id=event.user_id,
        version=event.version,
        who=Recipient(event.email, event.name, event.user_id) if works_here else None,
        permissions=frozenset(event.permissions if works_here else ()),
        is_erased=event.email.endswith(ERASED),
    )


def _to_user(
    template: Template,
    event: AccountNews,
    *,
    occasion: UUID,
    link_request: UUID | None = None,
) -> Letter:
    return Letter(
        template=template,
        to=Recipient(event.email, event.name),
        occasion=str(occasion),
        facts=vars(event),
        link_request=link_request,
    )


def _to_customer(
    template: Template,
    event: OrderNews | PaymentNews,
    *,
    occasion: str | None = None,
    facts: Mapping[str, object] = MappingProxyType({}),
) -> Letter:
    return Letter(
        template=template,
        to=Recipient(event.contact.email, event.contact.name),
        occasion=occasion or str(event.order_id),
        facts={**vars(event), **facts},
        order_id=event.order_id,
    )


def _call_staff(alert: Alert, template: Template, facts: dict[str, Any], uow: UnitOfWork) -> None:
    uow.alerts.add(alert)
    for recipient in uow.staff.to_alert(template):
        uow.mails.write(
            Letter(
                template=template,
                to=recipient,
                occasion=alert.occasion,
                facts=facts,
                order_id=alert.order_id,
            )
        )
