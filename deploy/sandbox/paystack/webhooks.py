"""Paystack's webhooks: how they are written and signed, and what tests may do to them."""

import hashlib
import hmac
import json
from typing import Any

from sandbox.deliveries import Deliveries, Message
from sandbox.switches import Setting, Switches

SCOPE = "webhook"


def encode(event: str, data: dict[str, Any]) -> bytes:
    """The body as JavaScript would write it, so that receivers who re-serialise agree too."""
    body = {"event": event, "data": data}
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()


def sign(body: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha512).hexdigest()


class Webhooks:
    def __init__(self, deliveries: Deliveries, switches: Switches, url: str, secret: str) -> None:
        self._deliveries, self._switches = deliveries, switches
        self._url, self._secret = url, secret
        self._before_redirect: set[str] = set()

    def emit(self, event: str, data: dict[str, Any], reference: str | None) -> None:
        """Queue an event, as the oldest switch that fits it wants it."""
        setting = self._switches.take(SCOPE, lambda s: _fits(s, event, reference)) or {}
        if reference and setting.get("order") == "before_redirect":
            self._before_redirect.add(reference)
        message = self._message(event, data, reference, setting)
        for _ in range(1 + int(setting.get("repeat", 0))):
            self._deliveries.enqueue(message)

    def _message(
        self, event: str, data: dict[str, Any], reference: str | None, setting: Setting
    ) -> Message:
        honest = encode(event, data)
        body = encode(event, _altered(data, setting["alter"])) if setting.get("alter") else honest
        signature = sign(body, self._secret)
        if setting.get("signature") == "invalid":
            # The signature of the unaltered body, as a tamperer on the way would leave it.
            signature = sign(honest if honest != body else honest + b" ", self._secret)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Paystack/2.0",
            "Accept": "application/json, text/plain, */*",
            "x-paystack-signature": signature,
        }
        return Message(
            event,
            reference,
            self._url,
            headers,
            body,
            _state(setting),
            float(setting.get("delay", 0)),
        )

    def before_redirect(self, reference: str) -> None:
        """Wait for the webhook if a switch wants it to come first."""
        if reference in self._before_redirect:
            self._before_redirect.discard(reference)
            self._deliveries.wait_for_first_attempts(reference, timeout=10)

    def after_redirect(self, reference: str) -> None:
        """Send what a switch wants to come second."""
        self._deliveries.release(reference)


def _fits(setting: Setting, event: str, reference: str | None) -> bool:
    return setting.get("event") in (None, event) and setting.get("reference") in (None, reference)


def _state(setting: Setting) -> str:
    if setting.get("drop"):
        return "dropped"
    return "held" if setting.get("order") == "after_redirect" else "waiting"


def _altered(data: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """A copy with changed fields; a dotted name reaches into an inner object."""
    copy: dict[str, Any] = json.loads(json.dumps(data))
    for path, value in changes.items():
        *outer, last = path.split(".")
        target = copy
        for name in outer:
            target = target.setdefault(name, {})
        target[last] = value
    return copy
