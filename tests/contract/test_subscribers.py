"""The broker's bindings and the consumers' own tables say the same."""

from importlib import import_module

import pytest

from oja_events.contracts import EVENTS
from oja_events.topology import CONSUMERS, SUBSCRIBERS, broker_definitions, is_awaited


@pytest.mark.parametrize("service", CONSUMERS)
def test_a_consumer_listens_to_exactly_what_the_topology_says(service: str) -> None:
    handled = set(import_module(f"{service}.entrypoints.consumer").SUBSCRIPTIONS)

    assert handled == {event for event, names in SUBSCRIBERS.items() if service in names}


def test_a_new_broker_knows_every_binding() -> None:
    definitions = broker_definitions(dict.fromkeys(CONSUMERS, "x"), ("admin", "x"))

    bound = {(each["routing_key"], each["destination"]) for each in definitions["bindings"]}

    for event, names in SUBSCRIBERS.items():
        assert {(event.TYPE, f"{name}.main") for name in names} <= bound


def test_an_event_is_awaited_when_somebody_listens() -> None:
    assert {type_ for type_ in EVENTS if is_awaited(type_)} == {e.TYPE for e in SUBSCRIBERS}
