"""The published language: every event that one service tells the others.

`EVENTS` maps the wire type (`oja.ordering.order_placed.v1`) to its class. Within a version only
optional fields may be added; anything else is a new class with a new type beside the old one.
"""

from oja_events.contracts import catalog, identity, notifier, ordering, payments
from oja_events.contracts.base import (
    Contact,
    Event,
    Line,
    MessageParked,
    Money,
    SkuQuantity,
)

EVENTS: dict[str, type[Event]] = {
    event.TYPE: event
    for module in (catalog, identity, notifier, ordering, payments)
    for event in vars(module).values()
    if isinstance(event, type) and issubclass(event, Event) and vars(event).get("TYPE")
}

__all__ = ["EVENTS", "Contact", "Event", "Line", "MessageParked", "Money", "SkuQuantity"]
