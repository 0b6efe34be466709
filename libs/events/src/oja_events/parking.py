"""Where messages end that cannot be handled: rows that staff can look at and redrive."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from oja_events import inbox
from oja_events.contracts import MessageParked
from oja_events.envelope import Envelope, Malformed, decode
from oja_events.outbox import Outbox

_PARK = text("""
    INSERT INTO parked_message (key, type, reason, error, body, headers)
    VALUES (:key, :type, :reason, :error, :body, CAST(:headers AS jsonb))
    ON CONFLICT (key) DO UPDATE SET
        reason = excluded.reason, error = excluded.error, headers = excluded.headers,
        status = 'open', parked_at = now(), closed_at = NULL
    WHERE parked_message.status = 'redriven'
    RETURNING key
""")


def park(
    engine: Engine,
    body: bytes,
    headers: Mapping[str, Any],
    *,
    reason: str,
    error: str,
    told_as: type[MessageParked] | None = None,
) -> None:
    """Keep the message with its reason, mark it handled and tell of it, in one transaction.

    Parked twice it stays one row, open again if it was redriven in vain; an event that has had its
    effect meanwhile is not parked.
    """
    envelope = _readable(body)
    row = {
        "key": str(envelope.id) if envelope else hashlib.sha256(body).hexdigest(),
        "type": envelope.type if envelope else None,
        "reason": reason,
        "error": _plain(error)[:2000],
        "body": body,
        "headers": json.dumps(_storable(headers)),
    }
    with Session(engine) as session:
        if envelope:
            try:
                inbox.note(session, envelope, outcome="parked")
            except inbox.AlreadyHandled:
                return
        is_new = session.execute(_PARK, row).first() is not None
        if told_as and is_new:
            _tell(session, told_as, row, envelope)
        session.commit()


def _tell(
    session: Session, told_as: type[MessageParked], row: Mapping[str, Any], cause: Envelope | None
) -> None:
    # Nobody wakes the relay for it: staff read it a second later.
    outbox = Outbox(session, source=told_as.TYPE.split(".")[1], caused_by=cause)
    outbox.add(
        told_as(
            key=row["key"],
            message_type=row["type"],
            reason=row["reason"],
            error=row["error"][:500],
            parked_at=datetime.now(UTC),
        )
    )
    outbox.flush()


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
