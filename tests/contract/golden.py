"""The golden samples: what was once told, and must be understood for as long as it is v1."""

import json
from pathlib import Path
from typing import Any

from oja_events.contracts import Event

SAMPLES = Path(__file__).parent / "samples"
MINIMAL, FULL, FROM_THE_FUTURE = KINDS = ("minimal", "full", "from_the_future")


def file_of(contract: type[Event]) -> Path:
    """Where the samples of an event are: oja.ordering.order_placed.v1 -> order_placed.v1.json."""
    return SAMPLES / f"{contract.TYPE.split('.', 2)[2]}.json"


def sample(contract: type[Event], kind: str) -> dict[str, Any]:
    """A complete envelope as plain JSON values."""
    found: dict[str, Any] = json.loads(file_of(contract).read_text())[kind]
    return found


def on_the_wire(envelope: dict[str, Any]) -> bytes:
    return json.dumps(envelope).encode()
