"""Which news identity listens to, and what it does about each."""

from identity.bootstrap import SERVICE, Dependencies, build
from identity.settings import Settings
from identity.use_cases import event_handlers
from oja_events.consuming import POOL_SIZE
from oja_events.contracts.catalog import CustomerReviewsErased
from oja_events.contracts.identity import IdentityMessageParked
from oja_events.contracts.notifier import CustomerMailsErased
from oja_events.contracts.ordering import CustomerOrdersErased
from oja_events.contracts.payments import CustomerPaymentsErased
from oja_events.handling import MessageHandler, Subscriptions
from oja_web.consumer_process import consume
from oja_web.logs import configure_logging

SUBSCRIPTIONS: Subscriptions = {
    CustomerReviewsErased: event_handlers.customer_reviews_erased,
    CustomerOrdersErased: event_handlers.customer_orders_erased,
    CustomerPaymentsErased: event_handlers.customer_payments_erased,
    CustomerMailsErased: event_handlers.customer_mails_erased,
}


def message_handler(deps: Dependencies) -> MessageHandler:
    return MessageHandler(
        SUBSCRIPTIONS,
        unit_of_work=lambda envelope: deps.unit_of_work(handling=envelope),
        engine=deps.engine,
        told_as=IdentityMessageParked,
    )


def main() -> None:
    settings = Settings.from_env()
    configure_logging(SERVICE, settings.log_level)
    deps = build(settings, role="consumer", pool_size=POOL_SIZE)
    consume(SERVICE, SUBSCRIPTIONS, message_handler(deps), engine=deps.engine, settings=settings)


if __name__ == "__main__":
    main()
