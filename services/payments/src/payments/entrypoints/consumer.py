"""Which news payments listens to, and what it does about each."""

from oja_events.access_marks import access_revoked
from oja_events.consuming import POOL_SIZE
from oja_events.contracts.catalog import StockRejected, StockReserved
from oja_events.contracts.identity import AccessRevoked
from oja_events.contracts.ordering import (
    CustomerOrdersErased,
    OrderCancelled,
    OrderPlaced,
    RefundRequested,
)
from oja_events.contracts.payments import PaymentsMessageParked
from oja_events.handling import MessageHandler, Subscriptions
from oja_web.consumer_process import consume
from oja_web.logs import configure_logging
from payments.bootstrap import SERVICE, Dependencies, build
from payments.domain.refund import NotRefundable
from payments.settings import Settings
from payments.use_cases import event_handlers

SUBSCRIPTIONS: Subscriptions = {
    AccessRevoked: access_revoked,
    CustomerOrdersErased: event_handlers.customer_orders_erased,
    OrderPlaced: event_handlers.order_placed,
    StockReserved: event_handlers.stock_reserved,
    StockRejected: event_handlers.stock_rejected,
    OrderCancelled: event_handlers.order_cancelled,
    RefundRequested: event_handlers.refund_requested,
}


def message_handler(deps: Dependencies) -> MessageHandler:
    return MessageHandler(
        SUBSCRIPTIONS,
        unit_of_work=lambda envelope: deps.unit_of_work(handling=envelope),
        engine=deps.engine,
        refusals=(NotRefundable,),
        told_as=PaymentsMessageParked,
    )


def main() -> None:
    settings = Settings.from_env()
    configure_logging(SERVICE, settings.log_level)
    deps = build(settings, role="consumer", pool_size=POOL_SIZE)
    consume(SERVICE, SUBSCRIPTIONS, message_handler(deps), engine=deps.engine, settings=settings)


if __name__ == "__main__":
    main()
