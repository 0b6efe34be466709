"""Producers and consumers agree on every event, today's, yesterday's and tomorrow's."""

import dataclasses
import json
from collections.abc import Iterator
from copy import deepcopy
from importlib import import_module
from typing import Any, cast

import pytest
from sqlalchemy import Engine

from oja_events.contracts import EVENTS, Event
from oja_events.envelope import Malformed, as_dict, decode, encode_data
from oja_events.handling import MessageHandler, Result, Verdict
from oja_events.topology import CONSUMERS
from tests.contract.golden import (
    FROM_THE_FUTURE,
    FULL,
    KINDS,
    MINIMAL,
    SAMPLES,
    file_of,
    on_the_wire,
    sample,
)

CONTRACTS = [pytest.param(contract, id=name) for name, contract in sorted(EVENTS.items())]
SUBSCRIPTIONS = [
    pytest.param(service, contract, id=f"{service}-{contract.TYPE}")
    for service in CONSUMERS
    for contract in import_module(f"{service}.entrypoints.consumer").SUBSCRIPTIONS
]
# Required, and yet nothing may be known: the field is there and says null.
NULLABLE = {"tracking", "channel"}

Path = tuple[str | int, ...]


def told(contract: type[Event], kind: str) -> Event:
    return decode(on_the_wire(sample(contract, kind))).event()


def paths(value: Any, prefix: Path = ()) -> Iterator[Path]:
    """Every field in a sample's data, those of nested objects included."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield (*prefix, name)
            yield from paths(inner, (*prefix, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from paths(inner, (*prefix, number))


def without(data: Any, path: Path) -> Any:
    data = deepcopy(data)
    parent = data
    for step in path[:-1]:
        parent = parent[step]
    del parent[path[-1]]
    return data


def required_fields(contract: type[Event]) -> set[str]:
    return {
        field.name
        for field in dataclasses.fields(contract)
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    }


def test_every_event_has_its_samples_and_no_sample_is_left_over() -> None:
    files = {file_of(contract) for contract in EVENTS.values()}

    assert set(SAMPLES.iterdir()) == files
    assert len(files) == len(EVENTS)


@pytest.mark.parametrize("contract", CONTRACTS)
def test_the_samples_are_of_three_kinds_and_in_the_owners_name(contract: type[Event]) -> None:
    assert tuple(json.loads(file_of(contract).read_text())) == KINDS
    for kind in KINDS:
        envelope = sample(contract, kind)
        assert envelope["type"] == contract.TYPE
        assert envelope["source"] == f"/{contract.TYPE.split('.')[1]}"
        assert envelope["subject"] == told(contract, kind).subject


@pytest.mark.parametrize("contract", CONTRACTS)
def test_a_version_never_asks_for_more_than_it_did(contract: type[Event]) -> None:
    """A new field that is required, or one that is gone, is a new version beside this one."""
    assert sample(contract, MINIMAL)["data"].keys() == required_fields(contract)
    assert sample(contract, FULL)["data"].keys() == {
        field.name for field in dataclasses.fields(contract)
    }


@pytest.mark.parametrize("contract", CONTRACTS)
def test_what_was_told_is_understood_and_told_again_in_the_same_words(
    contract: type[Event],
) -> None:
    full = sample(contract, FULL)

    envelope = decode(on_the_wire(full))

    assert type(envelope.event()) is contract
    assert json.loads(bytes(encode_data(envelope.event()))) == full["data"]
    assert as_dict(envelope).items() <= full.items()


@pytest.mark.parametrize("contract", CONTRACTS)
def test_the_least_that_can_be_told_is_enough(contract: type[Event]) -> None:
    event = told(contract, MINIMAL)

    again = json.loads(bytes(encode_data(event)))

    assert (
        again.items()
        >= {
            name: value
            for name, value in sample(contract, MINIMAL)["data"].items()
            if not isinstance(value, list | dict)
        }.items()
    )


@pytest.mark.parametrize("contract", CONTRACTS)
def test_what_we_do_not_know_yet_is_passed_over(contract: type[Event]) -> None:
    assert told(contract, FROM_THE_FUTURE) == told(contract, FULL)
    assert "from_the_future" in sample(contract, FROM_THE_FUTURE)["data"]


@pytest.mark.parametrize("contract", CONTRACTS)
def test_without_any_required_field_it_is_malformed(contract: type[Event]) -> None:
    envelope = sample(contract, MINIMAL)

    for path in paths(envelope["data"]):
        if "options" in path[:-1]:
            continue
        lacking = {**envelope, "data": without(envelope["data"], path)}
        with pytest.raises(Malformed):
            decode(on_the_wire(lacking)).event()


@pytest.mark.parametrize("contract", CONTRACTS)
def test_null_is_no_value(contract: type[Event]) -> None:
    envelope = sample(contract, MINIMAL)

    for name in required_fields(contract) - NULLABLE:
        empty = {**envelope, "data": {**envelope["data"], name: None}}
        with pytest.raises(Malformed):
            decode(on_the_wire(empty)).event()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("service", "contract"), SUBSCRIPTIONS)
def test_every_consumer_understands_what_it_listens_to(
    service: str, contract: type[Event], kind: str
) -> None:
    received: list[Event] = []
    handler = consumer_of(service, received)

    result = handler.handle(on_the_wire(sample(contract, kind)), {})

    assert result == Result(Verdict.DONE)
    assert received == [told(contract, kind)]


def consumer_of(service: str, received: list[Event]) -> MessageHandler:
    """The service's own table of subscriptions, with handlers that only take note."""

    def take_note(event: Event, /, *, uow: object) -> None:
        received.append(event)

    listens_to = import_module(f"{service}.entrypoints.consumer").SUBSCRIPTIONS
    return MessageHandler(
        dict.fromkeys(listens_to, take_note),
        unit_of_work=lambda envelope: None,
        engine=cast(Engine, None),
    )
