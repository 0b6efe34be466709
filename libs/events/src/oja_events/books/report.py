"""What an audit found."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

MOST_FAULTS = 100  # of one rule; whoever has more has one cause, and that shows in these


class SourceAway(Exception):
    """Somebody whose facts are needed does not answer right now, so a rule cannot be judged."""


class Enough(Exception):
    """A rule has found as many faults as anybody will read."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that does not add up. `id` is that of the order, event, SKU, reference ...; `mend`
    is the command that would put it right."""

    service: str
    id: str
    detail: str
    mend: str


@dataclass(slots=True)
class Verdict:
    """What one rule came to. `waiting` counts what cannot be judged yet, because news of it is
    still under way."""

    rule: str
    says: str
    checked: int = 0
    waiting: int = 0
    faults: list[Fault] = field(default_factory=list)
    error: str | None = None

    @property
    def status(self) -> str:
        if self.faults:
            return "red"
        return "unknown" if self.error else "green"

    def add(self, fault: Fault) -> None:
        """Raises Enough once nobody would read more."""
        self.faults.append(fault)
        if len(self.faults) >= MOST_FAULTS:
            raise Enough


@dataclass(frozen=True, slots=True)
class Report:
    """All rules, for what happened between `since` and `began_at`."""

    began_at: datetime
    since: datetime
    seconds: float
    verdicts: list[Verdict]

    @property
    def status(self) -> str:
        """`red` if any rule is, else `unknown` if any could not be judged, else `green`."""
        found = {verdict.status for verdict in self.verdicts}
        return next((status for status in ("red", "unknown") if status in found), "green")

    @property
    def waiting(self) -> int:
        return sum(verdict.waiting for verdict in self.verdicts)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "status": self.status,
            "began_at": self.began_at.isoformat(),
            "since": self.since.isoformat(),
            "seconds": round(self.seconds, 2),
            "rules": [
                {
                    "rule": verdict.rule,
                    "says": verdict.says,
                    "status": verdict.status,
                    "checked": verdict.checked,
                    "waiting": verdict.waiting,
                    "faults": [asdict(fault) for fault in verdict.faults],
                    "error": verdict.error,
                }
                for verdict in self.verdicts
            ],
        }
