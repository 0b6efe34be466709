"""Cloudinary's own webhooks: a plain hash over body, time and secret."""

import json
import secrets
import time
from typing import Any

from sandbox.books import now_text
from sandbox.cloudinary.signature import sign
from sandbox.deliveries import Message
from sandbox.parts import parts


def notify(kind: str, content: dict[str, Any], url: str | None) -> None:
    """Queue a notification, if the caller asked for one."""
    if url is None:
        return
    account, timestamp = parts().settings.cloudinary, str(int(time.time()))
    cause = {
        "triggered_at": now_text(),
        "triggered_by": {"source": "api", "id": account.key},
    }
    payload = {
        "notification_type": kind,
        "timestamp": now_text(),
        "request_id": secrets.token_hex(16),
        **content,
        "notification_context": cause,
        "signature_key": account.key,
    }
    body = json.dumps(payload, separators=(",", ":"), ensure_ascii=False)
    headers = {
        "Content-Type": "application/json",
        "X-Cld-Timestamp": timestamp,
        "X-Cld-Signature": sign_notification(body, timestamp, account.secret),
    }
    reference = content.get("public_id")
    message = Message(f"cloudinary.{kind}", reference, url, headers, body.encode())
    parts().deliveries.enqueue(message)


def sign_notification(body: str, timestamp: str, secret: str) -> str:
    return sign(body + timestamp, secret)
