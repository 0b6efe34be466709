"""Which news notifier listens to, and what it does about each."""

from notifier.bootstrap import SERVICE, Dependencies, build
from notifier.domain.letter import BadAddress
from notifier.settings import Settings
from notifier.use_cases import event_handlers
from oja_events.access_marks import access_revoked
from oja_events.consuming import POOL_SIZE
from oja_events.contracts.catalog import CatalogMessageParked, StockLow
from oja_events.contracts.identity import (
    AccessRevoked,
    CustomerRegistered,
    EmailChanged,
    EmailChangeRequested,
    EmailVerificationRequested,
    IdentityMessageParked,
    PasswordChanged,
    PasswordResetRequested,
    RefreshTokenReused,
    StaffChanged,
)
from oja_events.contracts.ordering import (
    CustomerOrdersErased,
    OrderCancelled,
    OrderCompleted,
    OrderingMessageParked,
    OrderPlaced,
    OrderShipped,
    RefundRequested,
)
from oja_events.contracts.payments import (
    BooksTurned,
    PaymentAlertRaised,
    PaymentConfirmed,
    PaymentRefunded,
    PaymentsMessageParked,
    RefundFailed,
)
from oja_events.handling import MessageHandler, Subscriptions
from oja_web.consumer_process import consume
from oja_web.logs import configure_logging

SUBSCRIPTIONS: Subscriptions = {
    AccessRevoked: access_revoked,
    CustomerOrdersErased: event_handlers.customer_orders_erased,
    CustomerRegistered: event_handlers.customer_registered,
    EmailVerificationRequested: event_handlers.email_verification_requested,
    PasswordResetRequested: event_handlers.password_reset_requested,
    PasswordChanged: event_handlers.password_changed,
    EmailChangeRequested: event_handlers.email_change_requested,
    EmailChanged: event_handlers.email_changed,
    RefreshTokenReused: event_handlers.refresh_token_reused,
    StaffChanged: event_handlers.staff_changed,
    OrderPlaced: event_handlers.order_placed,
    PaymentConfirmed: event_handlers.payment_confirmed,
    OrderShipped: event_handlers.order_shipped,
    OrderCompleted: event_handlers.order_completed,
    OrderCancelled: event_handlers.order_cancelled,
    RefundRequested: event_handlers.refund_requested,
    PaymentRefunded: event_handlers.payment_refunded,
    RefundFailed: event_handlers.refund_failed,
    PaymentAlertRaised: event_handlers.payment_alert_raised,
    BooksTurned: event_handlers.books_turned,
    StockLow: event_handlers.stock_low,
    CatalogMessageParked: event_handlers.message_parked,
    IdentityMessageParked: event_handlers.message_parked,
    OrderingMessageParked: event_handlers.message_parked,
    PaymentsMessageParked: event_handlers.message_parked,
}


def message_handler(deps: Dependencies) -> MessageHandler:
    return MessageHandler(
        SUBSCRIPTIONS,
        unit_of_work=lambda envelope: deps.unit_of_work(handling=envelope),
        engine=deps.engine,
        refusals=(BadAddress,),
    )


def main() -> None:
    settings = Settings.from_env()
    configure_logging(SERVICE, settings.log_level)
    deps = build(settings, role="consumer", pool_size=POOL_SIZE + 1)
    consume(SERVICE, SUBSCRIPTIONS, message_handler(deps), engine=deps.engine, settings=settings)


if __name__ == "__main__":
    main()
