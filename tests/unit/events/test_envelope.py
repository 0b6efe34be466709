"""The envelope on the wire: what we write we can read, and nothing that is sent to us surprises."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from oja_events.contracts import SkuQuantity
from oja_events.contracts.catalog import StockReserved
from oja_events.envelope import (
    Envelope,
    Malformed,
    UnknownType,
    as_dict,
    decode,
    encode,
    encode_data,
)

ORDER = UUID("01890000-0000-7000-8000-000000000001")
EVENT = StockReserved(
    order_id=ORDER,
    lines=(SkuQuantity(sku="MUG", quantity=2),),
    reserved_at=datetime(2026, 3, 1, 12, 0, tzinfo=UTC),
)


def an_envelope(**replaced: Any) -> Envelope:
    fields = {
        "specversion": "1.0",
        "id": uuid4(),
        "source": "/catalog",
        "type": EVENT.TYPE,
        "subject": EVENT.subject,
        "time": datetime(2026, 3, 1, 12, 0, 1, tzinfo=UTC),
        "sequence": 1,
        "correlationid": "journey",
        "data": encode_data(EVENT),
    }
    return Envelope(**{**fields, **replaced})


def altered(**replaced: Any) -> bytes:
    """A good envelope with some fields replaced; ... leaves one out."""
    plain = {**as_dict(an_envelope()), **replaced}
    return msgspec.json.encode({name: value for name, value in plain.items() if value is not ...})


def test_what_is_written_can_be_read() -> None:
    envelope = an_envelope(causationid="cause", traceparent="00-aa-bb-01")

    read = decode(encode(envelope))

    assert as_dict(read) == as_dict(envelope)
    assert read.event() == EVENT


def test_the_wire_format_is_cloudevents_json() -> None:
    plain = as_dict(an_envelope())

    assert plain["specversion"] == "1.0"
    assert plain["time"] == "2026-03-01T12:00:01Z"
    assert plain["data"]["lines"] == [{"sku": "MUG", "quantity": 2}]
    assert "causationid" not in plain


def test_fields_that_we_do_not_know_are_passed_over() -> None:
    body = altered(shiny="new", data={**as_dict(an_envelope())["data"], "shiny": {"deep": [1]}})

    assert decode(body).event() == EVENT


@pytest.mark.parametrize(
    "name",
    [
        "specversion", "id", "source", "type", "subject", "time", "sequence", "correlationid",
        "data",
    ],
)  # fmt: skip
def test_an_envelope_without_a_required_field_is_malformed(name: str) -> None:
    with pytest.raises(Malformed):
        decode(altered(**{name: ...}))


@pytest.mark.parametrize(
    "replaced",
    [
        {"specversion": "0.3"},
        {"id": "not-a-uuid"},
        {"id": 7},
        {"time": "yesterday"},
        {"time": "2026-03-01T12:00:01"},
        {"sequence": "1"},
        {"sequence": 1.5},
        {"sequence": 0},
        {"sequence": 2**63},
        {"subject": ""},
        {"subject": "a\x00b"},
        {"type": "a\x00b"},
        {"source": "a\x00b"},
        {"correlationid": None},
        {"correlationid": ""},
    ],
    ids=str,
)
def test_an_envelope_with_a_wrong_value_is_malformed(replaced: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        decode(altered(**replaced))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        b'{"specversion": "\xff"}',
        b"[" * 100_000,
        b'{"data":' + b"[" * 100_000,
        b"NaN",
        b'{"subject": "\\ud800"}',
    ],
    ids=lambda body: repr(body[:16]),
)
def test_s60_bytes_that_are_no_envelope_are_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        decode(body)


@pytest.mark.parametrize(
    "data",
    [
        b"null",
        b"[]",
        b"{}",
        b'{"order_id": 1}',
        b'{"order_id": "\xff"}',
        b'{"\xff": 1}',
        b'{"shiny": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
        b'{"lines": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
        b'{"order_id": "01890000-0000-7000-8000-000000000001", "lines": [{"sku": "MUG"}],'
        b' "reserved_at": "2026-03-01T12:00:00Z"}',
    ],
    ids=lambda data: repr(data[:24]),
)
def test_data_that_does_not_fit_the_contract_is_malformed(data: bytes) -> None:
    body = encode(an_envelope(data=msgspec.Raw(data)))

    with pytest.raises(Malformed):
        decode(body).event()


def test_a_type_of_tomorrow_is_well_formed_but_unknown() -> None:
    envelope = decode(altered(type="oja.catalog.stock_reserved.v2"))

    with pytest.raises(UnknownType):
        envelope.event()
