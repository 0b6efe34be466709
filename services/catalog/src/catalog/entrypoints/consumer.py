"""Which news catalog listens to, and what it does about each."""

from catalog.bootstrap import SERVICE, Dependencies, build
from catalog.settings import Settings
from catalog.use_cases import event_handlers
from oja_events.access_marks import access_revoked
from oja_events.consuming import PREFETCH, run_consumer
from oja_events.contracts.catalog import CatalogMessageParked
from oja_events.contracts.identity import AccessRevoked, CustomerErased
from oja_events.contracts.ordering import OrderCancelled, OrderCompleted, OrderPlaced
from oja_events.contracts.payments import PaymentConfirmed
from oja_events.handling import MessageHandler, Subscriptions
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
    deps = build(settings, role="consumer", pool_size=PREFETCH + 2)
    run_consumer(
        SERVICE,
        SUBSCRIPTIONS,
        message_handler(deps),
        broker_url=settings.broker_url,
        health=(settings.health_host, settings.health_port),
    )


if __name__ == "__main__":
    main()
