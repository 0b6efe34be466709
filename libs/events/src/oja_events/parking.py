"""Where messages end that cannot be handled: rows that staff can look at and redrive."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from oja_events import inbox
from oja_events.envelope import Envelope, Malformed, decode

_PARK = text("""
    INSERT INTO parked_message (key, type, reason, error, body, headers)
    VALUES (:key, :type, :reason, :error, :body, CAST(:headers AS jsonb))
    ON CONFLICT (key) DO NOTHING
""")


def park(
    engine: Engine, body: bytes, headers: Mapping[str, Any], *, reason: str, error: str
) -> None:
    """Keep the message with its reason and mark it handled, in one transaction.

    Parked twice it stays one row; an event that has had its effect meanwhile is not parked.
    """
    envelope = _readable(body)
    with Session(engine) as session:
        if envelope:
            try:
                inbox.note(session, envelope, outcome="parked")
            except inbox.AlreadyHandled:
                return
        session.execute(
            _PARK,
            {
                "key": str(envelope.id) if envelope else hashlib.sha256(body).hexdigest(),
                "type": envelope.type if envelope else None,
                "reason": reason,
                "error": _plain(error)[:2000],
                "body": body,
                "headers": json.dumps(_storable(headers)),
            },
        )
        session.commit()


def _storable(value: Any) -> Any:
    """The same as JSON that Postgres takes: losing a message for a character in it is no option."""
    if isinstance(value, Mapping):
        return {_plain(str(key)): _storable(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_storable(inner) for inner in value]
    return value if value is None or isinstance(value, int) else _plain(str(value))


def _plain(text: str) -> str:
    """Without NUL and half surrogates, which no text column takes."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def _readable(body: bytes) -> Envelope | None:
    try:
        return decode(body)
    except Malformed:
        return None
