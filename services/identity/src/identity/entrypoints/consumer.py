"""Which news identity listens to, and what it does about each."""

from identity.bootstrap import SERVICE, Dependencies, build
from identity.settings import Settings
from identity.use_cases import event_handlers
from oja_events.consuming import POOL_SIZE, run_consumer
from oja_events.contracts.catalog import CustomerReviewsErased
from oja_events.contracts.identity import IdentityMessageParked
from oja_events.contracts.notifier import CustomerMailsErased
from oja_events.contracts.ordering import CustomerOrdersErased
from oja_events.contracts.payments import CustomerPaymentsErased
from oja_events.handling import MessageHandler, Subscriptions
from oja_events.repair import Repair
from oja_web.feeds import HTTPFeeds
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
        refusals=(),
        told_as=IdentityMessageParked,
    )


def main() -> None:
    settings = Settings.from_env()
    configure_logging(SERVICE, settings.log_level)
    deps = build(settings, role="consumer", pool_size=POOL_SIZE)
    handler = message_handler(deps)
    feeds = HTTPFeeds(settings.feed_urls, settings.internal_token, consumer=SERVICE)
    run_consumer(
        SERVICE,
        SUBSCRIPTIONS,
        handler,
        broker_url=settings.broker_url,
        health=(settings.health_host, settings.health_port),
        repair=Repair(SERVICE, SUBSCRIPTIONS, handler, engine=deps.engine, feeds=feeds),
    )


if __name__ == "__main__":
    main()
