"""Aggregates in Postgres. Saving one also hands its events to the outbox, so that a change cannot
be kept without being told.

What is claimed is handed to one taker: SKIP LOCKED, and a time at which it comes up again should
the taker die. A refund, which nobody may ask for twice, comes alone, for longer than all calls to
Paystack that are made for it; of what comes in batches a slow taker may be overtaken unharmed.
"""

from payments.adapters.repositories.alerts import SqlAlertRepository
from payments.adapters.repositories.orders import SqlOrderRepository
from payments.adapters.repositories.payments import SqlPaymentRepository
from payments.adapters.repositories.refunds import SqlRefundRepository
from payments.adapters.repositories.webhooks import SqlWebhookRepository

__all__ = [
    "SqlAlertRepository",
    "SqlOrderRepository",
    "SqlPaymentRepository",
    "SqlRefundRepository",
    "SqlWebhookRepository",
]
