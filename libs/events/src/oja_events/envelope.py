"""The envelope around an event on the wire: CloudEvents 1.0, structured JSON.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md
"""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec

from oja_events.contracts import EVENTS, Event

# What the database's columns take: a message that they refuse would be tried again for a day.
_Text = Annotated[str, msgspec.Meta(min_length=1, pattern=r"\A[^\x00]+\Z")]
_Count = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
_Instant = Annotated[datetime, msgspec.Meta(tz=True)]


class Malformed(Exception):
    """These bytes are not an envelope that we can read; reading them again will not help."""


class UnknownType(Exception):
    """A well-formed envelope of a type that this version of the code does not know."""


class Envelope(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One event as it travels. `sequence` counts the events of `subject` from 1, without gaps."""

    specversion: str
    id: UUID
    source: _Text
    type: _Text
    subject: _Text
    time: _Instant
    sequence: _Count
    correlationid: _Text
    data: msgspec.Raw
    datacontenttype: str = "application/json"
    causationid: str | None = None
    traceparent: str | None = None

    def event(self) -> Event:
        """The event inside. Fields that this version does not know are left out.

        Raises UnknownType, or Malformed when `data` does not fit the contract.
        """
        contract = EVENTS.get(self.type)
        if contract is None:
            raise UnknownType(self.type)
        try:
            return msgspec.json.decode(self.data, type=contract)
        except msgspec.MsgspecError as error:
            raise Malformed(f"{self.type}: {error}") from None


UNNUMBERED = 0
"""The sequence of an envelope that gets its number when it is written."""

# All that stands before it are strings, and in those a quotation mark is escaped.
_SEQUENCE = b'"sequence":'
_NO_NUMBER = _SEQUENCE + b"%d" % UNNUMBERED

_decoder = msgspec.json.Decoder(Envelope)
_encoder = msgspec.json.Encoder()


def encode(envelope: Envelope) -> bytes:
    """The exact bytes that go into the journal and onto the wire."""
    return _encoder.encode(envelope)


def encode_around_sequence(envelope: Envelope) -> tuple[bytes, bytes]:
    """What stands before and after the number of an UNNUMBERED envelope in its bytes."""
    head, _, tail = encode(envelope).partition(_NO_NUMBER)
    return head + _SEQUENCE, tail


def encode_data(event: Event) -> msgspec.Raw:
    """The event's own fields as JSON, ready for `Envelope.data`."""
    return msgspec.Raw(_encoder.encode(event))


def decode(body: bytes) -> Envelope:
    """Read what `encode` wrote; raises Malformed."""
    try:
        envelope = _decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(str(error)) from None
    if envelope.specversion != "1.0":
        raise Malformed(f"specversion {envelope.specversion!r}")
    return envelope


def as_dict(envelope: Envelope) -> dict[str, Any]:
    """The envelope as plain JSON values, for people and tests."""
    plain: dict[str, Any] = msgspec.json.decode(encode(envelope))
    return plain
