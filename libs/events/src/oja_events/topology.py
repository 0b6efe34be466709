"""Every name on the broker, and who may do what there.

    oja.events (topic) --exact type--> S.main ----------------> consumer of S
                                         | delivery limit          | transient error: confirmed copy
                                         v                         v
                                     S.parking <--S.lanes--> S.retry.5s .. 1h --TTL--> S.main

All queues are quorum queues. Whatever may change later is a policy and not a queue argument,
because arguments of a queue are immutable (406 PRECONDITION_FAILED).
"""

import base64
import hashlib
import secrets
from collections.abc import Mapping
from typing import Any

from oja_events.contracts import Event
from oja_events.contracts.catalog import (
    CatalogMessageParked,
    CustomerReviewsErased,
    ProductArchived,
    ProductChanged,
    StockLow,
    StockRejected,
    StockReserved,
)
from oja_events.contracts.identity import (
    AccessRevoked,
    AddressesChanged,
    CustomerErased,
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
from oja_events.contracts.notifier import CustomerMailsErased
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
    CustomerPaymentsErased,
    PaymentAlertRaised,
    PaymentConfirmed,
    PaymentFailed,
    PaymentRefunded,
    PaymentsMessageParked,
    RefundFailed,
)

VHOST = "oja"
EVENTS_EXCHANGE = "oja.events"
PRODUCERS = ("catalog", "identity", "ordering", "payments", "notifier")
CONSUMERS = ("catalog", "identity", "ordering", "payments", "notifier")

# Who listens to what. The consumers' own tables must agree (tests/contract); kept here as well
# because a new broker must hold every binding before anybody connects, and because the relay must
# know which events nobody waits for: those may go nowhere, all others must reach a queue.
SUBSCRIBERS: dict[type[Event], tuple[str, ...]] = {
    CustomerRegistered: ("notifier",),
    # Identity itself notes it in the transaction that ends the access.
    AccessRevoked: ("catalog", "ordering", "payments", "notifier"),
    AddressesChanged: ("ordering",),
    CustomerErased: ("catalog", "ordering"),
    CustomerOrdersErased: ("payments", "notifier", "identity"),
    CustomerReviewsErased: ("identity",),
    CustomerPaymentsErased: ("identity",),
    CustomerMailsErased: ("identity",),
    EmailVerificationRequested: ("notifier",),
    PasswordResetRequested: ("notifier",),
    PasswordChanged: ("notifier",),
    EmailChangeRequested: ("notifier",),
    EmailChanged: ("notifier",),
    RefreshTokenReused: ("notifier",),
    StaffChanged: ("notifier",),
    ProductChanged: ("ordering",),
    ProductArchived: ("ordering",),
    StockReserved: ("ordering", "payments"),
    StockRejected: ("ordering", "payments"),
    StockLow: ("notifier",),
    OrderPlaced: ("catalog", "payments", "notifier"),
    OrderCancelled: ("catalog", "payments", "notifier"),
    OrderShipped: ("notifier",),
    OrderCompleted: ("catalog", "notifier"),
    RefundRequested: ("payments", "notifier"),
    PaymentConfirmed: ("ordering", "catalog", "notifier"),
    PaymentFailed: ("ordering",),
    PaymentRefunded: ("ordering", "notifier"),
    RefundFailed: ("notifier",),
    PaymentAlertRaised: ("notifier",),
    BooksTurned: ("notifier",),
    CatalogMessageParked: ("notifier",),
    IdentityMessageParked: ("notifier",),
    OrderingMessageParked: ("notifier",),
    PaymentsMessageParked: ("notifier",),
}
_AWAITED = {event.TYPE for event in SUBSCRIBERS}

# Growing delays: 5 s .. 10 min once each, then hourly; with 23 hours of 1 h the ladder lasts a day.
RETRY_TIERS = {"5s": 5, "30s": 30, "2m": 120, "10m": 600, "1h": 3600}
HOURLY_RETRIES = 23

# Every return counts, also that of innocents in a consumer that died, so the limit lies well above
# what deploys cause (RabbitMQ 3.10, rabbit_fifo return_all).
DELIVERY_LIMIT = 10
MAX_QUEUE_BYTES = 2 * 1024**3


def is_awaited(event_type: str) -> bool:
    """Whether somebody listens to events of this type."""
    return event_type in _AWAITED


def main_queue(service: str) -> str:
    return f"{service}.main"


def retry_queue(service: str, tier: str) -> str:
    return f"{service}.retry.{tier}"


def parking_queue(service: str) -> str:
    return f"{service}.parking"


def lanes_exchange(service: str) -> str:
    """The direct exchange between the queues of one service; nobody else may use it."""
    return f"{service}.lanes"


def lanes(service: str) -> dict[str, str]:
    """Routing key on the service's lanes exchange -> queue."""
    retries = {f"retry.{tier}": retry_queue(service, tier) for tier in RETRY_TIERS}
    return {"main": main_queue(service), **retries, "parking": parking_queue(service)}


def retry_tier(attempt: int) -> str | None:
    """The waiting room before try `attempt` + 1; None when it is time to give up."""
    tiers = list(RETRY_TIERS)
    if attempt < len(tiers):
        return tiers[attempt]
    return tiers[-1] if attempt < len(tiers) - 1 + HOURLY_RETRIES else None


def broker_definitions(
    passwords: Mapping[str, str], admin: tuple[str, str]
) -> dict[str, list[dict[str, Any]]]:
    """RabbitMQ's definitions file: what a new or wiped node must know before anybody connects.

    `passwords` has one entry per service. Every consumer declares its own part again.
    """
    name, password = admin
    return {
        "vhosts": [{"name": VHOST}],
        "users": [_user(name, password, tags=["administrator"])]
        + [_user(service, secret) for service, secret in sorted(passwords.items())],
        "permissions": [_permission(name, ".*", ".*", ".*")]
        + [_service_permission(service) for service in sorted(passwords)],
        "topic_permissions": [_topic_permission(service) for service in sorted(passwords)],
        "exchanges": [_exchange(EVENTS_EXCHANGE, "topic")]
        + [_exchange(lanes_exchange(service), "direct") for service in CONSUMERS],
        "policies": [policy for service in CONSUMERS for policy in _policies(service)],
        "queues": [_queue(queue) for service in CONSUMERS for queue in lanes(service).values()],
        "bindings": [binding for service in CONSUMERS for binding in _bindings(service)],
    }


def _user(name: str, password: str, tags: list[str] | None = None) -> dict[str, Any]:
    salt = secrets.token_bytes(4)
    digest = hashlib.sha256(salt + password.encode()).digest()
    return {
        "name": name,
        "password_hash": base64.b64encode(salt + digest).decode(),
        "hashing_algorithm": "rabbit_password_hashing_sha256",
        "tags": tags or [],
    }


def _permission(user: str, configure: str, write: str, read: str) -> dict[str, Any]:
    return {"user": user, "vhost": VHOST, "configure": configure, "write": write, "read": read}


def _service_permission(service: str) -> dict[str, Any]:
    own = rf"{service}\..*"
    shared = EVENTS_EXCHANGE.replace(".", r"\.")
    return _permission(service, f"^{own}$", f"^({own}|{shared})$", f"^({own}|{shared})$")


def _topic_permission(service: str) -> dict[str, Any]:
    """A service speaks only in its own name; it may bind to anybody's events."""
    return {
        "user": service,
        "vhost": VHOST,
        "exchange": EVENTS_EXCHANGE,
        "write": rf"^oja\.{service}\.",
        "read": ".*",
    }


def _exchange(name: str, kind: str) -> dict[str, Any]:
    return {
        "name": name,
        "vhost": VHOST,
        "type": kind,
        "durable": True,
        "auto_delete": False,
        "internal": False,
        "arguments": {},
    }


def _queue(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "vhost": VHOST,
        "durable": True,
        "auto_delete": False,
        "arguments": {"x-queue-type": "quorum"},
    }


def _bindings(service: str) -> list[dict[str, Any]]:
    inner = [
        _binding(lanes_exchange(service), queue, routing_key)
        for routing_key, queue in lanes(service).items()
    ]
    events = [
        _binding(EVENTS_EXCHANGE, main_queue(service), event.TYPE)
        for event, listeners in SUBSCRIBERS.items()
        if service in listeners
    ]
    return inner + events


def _binding(exchange: str, queue: str, routing_key: str) -> dict[str, Any]:
    return {
        "source": exchange,
        "vhost": VHOST,
        "destination": queue,
        "destination_type": "queue",
        "routing_key": routing_key,
        "arguments": {},
    }


def _policies(service: str) -> list[dict[str, Any]]:
    # At-least-once dead lettering needs both keys; with one of them missing the broker silently
    # falls back to at-most-once (RabbitMQ 3.10, rabbit_quorum_queue dlh/5).
    keep = {"dead-letter-strategy": "at-least-once", "overflow": "reject-publish"}
    to_main = {
        **keep,
        "dead-letter-exchange": lanes_exchange(service),
        "dead-letter-routing-key": "main",
    }
    main = {
        **keep,
        "delivery-limit": DELIVERY_LIMIT,
        "dead-letter-exchange": lanes_exchange(service),
        "dead-letter-routing-key": "parking",
        "max-length-bytes": MAX_QUEUE_BYTES,
    }
    policies = [_policy(main_queue(service), main)]
    for tier, seconds in RETRY_TIERS.items():
        policies.append(
            _policy(retry_queue(service, tier), {**to_main, "message-ttl": seconds * 1000})
        )
    return policies


def _policy(queue: str, definition: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": queue,
        "vhost": VHOST,
        "pattern": f"^{queue.replace('.', chr(92) + '.')}$",
        "apply-to": "queues",
        "priority": 0,
        "definition": definition,
    }
