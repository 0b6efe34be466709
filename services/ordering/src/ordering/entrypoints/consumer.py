"""Which news ordering listens to, and what it does about each."""

from oja_events.access_marks import access_revoked
from oja_events.consuming import POOL_SIZE
from oja_events.contracts.catalog import (
    ProductArchived,
    ProductChanged,
    StockRejected,
    StockReserved,
)
from oja_events.contracts.identity import AccessRevoked, AddressesChanged, CustomerErased
from oja_events.contracts.ordering import OrderingMessageParked
from oja_events.contracts.payments import PaymentConfirmed, PaymentFailed, PaymentRefunded
from oja_events.handling import MessageHandler, Subscriptions
from oja_web.consumer_process import consume
from oja_web.logs import configure_logging
from ordering.bootstrap import SERVICE, Dependencies, build
from ordering.domain.order import IllegalTransition
from ordering.settings import Settings
from ordering.use_cases import event_handlers

SUBSCRIPTIONS: Subscriptions = {
    AccessRevoked: access_revoked,
    AddressesChanged: event_handlers.addresses_changed,
    CustomerErased: event_handlers.customer_erased,
    ProductChanged: event_handlers.product_changed,
    ProductArchived: event_handlers.product_archived,
    StockReserved: event_handlers.stock_reserved,
    StockRejected: event_handlers.stock_rejected,
    PaymentConfirmed: event_handlers.payment_confirmed,
    PaymentFailed: event_handlers.payment_failed,
    PaymentRefunded: event_handlers.payment_refunded,
}


def message_handler(deps: Dependencies) -> MessageHandler:
    return MessageHandler(
        SUBSCRIPTIONS,
        unit_of_work=lambda envelope: deps.unit_of_work(handling=envelope),
        engine=deps.engine,
        refusals=(IllegalTransition,),
        told_as=OrderingMessageParked,
    )


def main() -> None:
    settings = Settings.from_env()
    configure_logging(SERVICE, settings.log_level)
    deps = build(settings, role="consumer", pool_size=POOL_SIZE)
    consume(SERVICE, SUBSCRIPTIONS, message_handler(deps), engine=deps.engine, settings=settings)


if __name__ == "__main__":
    main()
