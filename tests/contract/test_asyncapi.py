"""The AsyncAPI document says what the contracts say. Write the snapshot anew with

UPDATE_SNAPSHOTS=1 ./oja test contract -k asyncapi
"""

import os
from pathlib import Path

import pytest
from faststream.specification.asyncapi.v3_0_0.schema import ApplicationSchema
from jsonschema import Draft202012Validator

from oja_events import asyncapi
from oja_events.contracts import EVENTS, Event
from oja_events.topology import SUBSCRIBERS
from tests.contract.golden import KINDS, MINIMAL, sample

SNAPSHOT = Path(__file__).parent / "asyncapi.json"
DOCUMENT = asyncapi.document()
CONTRACTS = [pytest.param(contract, id=name) for name, contract in sorted(EVENTS.items())]


def validator(contract: type[Event]) -> Draft202012Validator:
    payload = DOCUMENT["components"]["messages"][contract.__name__]["payload"]
    return Draft202012Validator(payload | {"components": DOCUMENT["components"]})


def test_the_asyncapi_document_is_the_one_that_was_agreed() -> None:
    if os.environ.get("UPDATE_SNAPSHOTS"):
        SNAPSHOT.write_text(asyncapi.as_json())

    assert asyncapi.as_json() == SNAPSHOT.read_text()


def test_the_asyncapi_document_is_one() -> None:
    read = ApplicationSchema.model_validate(DOCUMENT)

    assert read.asyncapi == "3.0.0"
    assert len(read.channels) == len(EVENTS)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("contract", CONTRACTS)
def test_what_was_ever_told_fits_the_document(contract: type[Event], kind: str) -> None:
    assert list(validator(contract).iter_errors(sample(contract, kind))) == []


@pytest.mark.parametrize("contract", CONTRACTS)
def test_what_lacks_something_does_not_fit_the_document(contract: type[Event]) -> None:
    envelope = sample(contract, MINIMAL)

    for field in envelope["data"]:
        data = {name: value for name, value in envelope["data"].items() if name != field}
        assert not validator(contract).is_valid({**envelope, "data": data})
    assert not validator(contract).is_valid({**envelope, "type": "oja.other.v1"})
    assert not validator(contract).is_valid({**envelope, "subject": ""})


def test_the_document_names_who_tells_and_who_listens() -> None:
    told = {
        (operation["action"], operation["tags"][0]["name"], operation["channel"]["$ref"])
        for operation in DOCUMENT["operations"].values()
    }

    expected = {
        ("send", event.TYPE.split(".")[1], f"#/channels/{event.__name__}")
        for event in EVENTS.values()
    }
    for event, services in SUBSCRIBERS.items():
        expected |= {("receive", service, f"#/channels/{event.__name__}") for service in services}
    assert told == expected


def test_every_reference_in_the_document_leads_somewhere() -> None:
    for reference in references(DOCUMENT):
        place = DOCUMENT
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


def references(part: object) -> list[str]:
    if isinstance(part, dict):
        own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
        return own + [found for value in part.values() for found in references(value)]
    if isinstance(part, list):
        return [found for value in part for found in references(value)]
    return []
