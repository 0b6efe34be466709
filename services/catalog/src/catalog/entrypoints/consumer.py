"""Which news catalog listens to, and what it does about each."""

from catalog.bootstrap import SERVICE, Dependencies, build
from catalog.settings import Settings
from catalog.use_cases import event_handlers
from oja_events.access_marks import access_revoked
from oja_events.consuming import POOL_SIZE
from oja_events.contracts.catalog import CatalogMessageParked
from oja_events.contracts.identity import AccessRevoked, CustomerErased
from oja_events.contracts.ordering import OrderCancelled, OrderCompleted, OrderPlaced
from oja_events.contracts.payments import PaymentConfirmed
from oja_events.handling import MessageHandler, Subscriptions
from oja_web.consumer_process import consume
from oja_web.logs import configure_logging

SUBSCRIPTIONS: Subscriptions = {
    AccessRevoked: access_revoked,
    CustomerErased: event_handlers.customer_erased,
    OrderPlaced: event_handlers.order_placed,
    OrderCancelled: event_handlers.order_cancelled,
    OrderCompleted: event_handlers.order_completed,
    PaymentConfirmed: event_handlers.payment_confirmed,
}


def message_handler(deps: Dependencies) -> MessageHandler:
    return MessageHandler(
        SUBSCRIPTIONS,
        unit_of_work=lambda envelope: deps.unit_of_work(handling=envelope),
        engine=deps.engine,
        told_as=CatalogMessageParked,
    )


def main() -> None:
    settings = Settings.from_env()
    configure_logging(SERVICE, settings.log_level)
    deps = build(settings, role="consumer", pool_size=POOL_SIZE)
    consume(SERVICE, SUBSCRIPTIONS, message_handler(deps), engine=deps.engine, settings=settings)


if __name__ == "__main__":
    main()
