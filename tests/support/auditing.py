"""An audit log in memory."""

from copy import deepcopy
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Noted:
    action: str
    target: str
    before: Any
    after: Any


class FakeAuditLog:
    """Writes into `noted`, which whoever owns it commits with the rest."""

    def __init__(self, noted: list[Noted]) -> None:
        self._noted = noted

    def note(
        self, action: str, target: object, *, before: object = None, after: object = None
    ) -> None:
        if before is None or before != after:
            self._noted.append(Noted(action, str(target), deepcopy(before), deepcopy(after)))
