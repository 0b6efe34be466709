"""What a run came to: a matrix of fault and target, for people and for programs."""

import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from rich.table import Table

from stack.report import out
from tests.chaos.nemesis.answers import KINDS
from tests.chaos.nemesis.customers import Market, Purchase
from tests.chaos.nemesis.plan import Fault
from tests.chaos.nemesis.verdict import Verdict

_ROLES = ("http", "consumer", "worker")


@dataclass(frozen=True, slots=True)
class Injected:
    """One fault that was done, what customers saw from its beginning until it was healed, and how
    many seconds after its end that was; None if it did not heal. `load` is the load average then:
    on a machine that is busy with other things it takes longer."""

    fault: Fault
    saw: Mapping[str, int]
    healed_after: float | None
    load: float = 0.0
    error: str = ""


@dataclass(slots=True)
class Run:
    seed: int
    minutes: float
    quiet: float | None = None
    injected: list[Injected] = field(default_factory=list)
    answers: Mapping[str, int] = field(default_factory=dict)
    odd: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    purchases: list[Purchase] = field(default_factory=list)
    verdict: Verdict | None = None

    def remember(self, market: Market) -> None:
        """What its customers saw, and what kept them from going on."""
        self.answers, self.odd = dict(market.answers.so_far()), market.answers.odd()
        self.purchases = list(market.purchases)
        self.troubles = [
            f"{each.want}: {each.trouble}" for each in market.purchases if each.trouble
        ]

    @property
    def is_good(self) -> bool:
        """Nothing was lost, doubled or left wrong, and everything healed."""
        healed = all(each.healed_after is not None and not each.error for each in self.injected)
        verdict = self.verdict
        rested = verdict is not None and verdict.seconds_to_rest is not None
        return bool(healed and rested and verdict and not verdict.faults)

    @property
    def worst(self) -> float | None:
        """The longest healing; None if nothing healed."""
        return max((each.healed_after or 0 for each in self.injected), default=None)


@dataclass(frozen=True, slots=True)
class Row:
    kind: str
    target: str
    times: int
    saw: dict[str, int]
    median: float | None
    worst: float | None
    not_healed: int


def matrix(injected: Iterable[Injected]) -> list[Row]:
    """A row for each kind of fault and what it was done to, processes of one role together."""
    groups = defaultdict(list)
    for each in injected:
        groups[each.fault.kind, group_of(each.fault.target)].append(each)
    return [_row(kind, target, group) for (kind, target), group in sorted(groups.items())]


def group_of(target: str) -> str:
    """`ordering-http-1` and `payments-http-1` are one, and the links to the same server are."""
    if " → " in target:
        return f"a service → {target.partition(' → ')[2]}"
    return next((f"{role} of a service" for role in _ROLES if f"-{role}-" in target), target)


def show(run: Run) -> None:
    """On the terminal, or as Markdown where there is none to draw on."""
    if not out.is_terminal:
        out.print(markdown(run), markup=False)
        return
    shown = Table(*_headings(), title="What the nemesis did")
    for row in matrix(run.injected):
        shown.add_row(*_cells(row))
    out.print(shown)
    for line in summary(run):
        out.print(line, markup=False)


def summary(run: Run) -> list[str]:
    """The numbers that matter, a line each."""
    verdict = run.verdict or Verdict()
    healed = [each.healed_after for each in run.injected if each.healed_after is not None]
    lines = [
        f"seed {run.seed}, {run.minutes:g} minutes",
        f"faults injected: {len(run.injected)}, not healed: {len(run.injected) - len(healed)}",
        f"orders placed: {verdict.placed}, lost: {len(verdict.lost)},"
        f" doubled: {len(verdict.doubled)}",
        f"how they ended: {_listed(verdict.outcomes)}",
        f"mails: {verdict.mailed}, missing or doubled: {len(verdict.mails)},"
        f" repeated under the same Message-ID: {len(verdict.repeated)}",
        f"time to heal: median {_seconds(median(healed) if healed else None)},"
        f" worst {_seconds(run.worst)} (an order on a quiet day: {_seconds(run.quiet)})",
        f"load average meanwhile, on {os.cpu_count()} processors: {_listed_loads(run.injected)}",
        f"at rest {_seconds(verdict.seconds_to_rest)} after the last customer",
        f"answers: {_listed(run.answers)}",
    ]
    lines += [
        f"WRONG, {name}: {fault}" for name, faults in verdict.faults.items() for fault in faults
    ]
    lines += [f"NOT HEALED: {_told(each)}" for each in run.injected if each.healed_after is None]
    lines += [f"ERROR: {_told(each)}: {each.error}" for each in run.injected if each.error]
    return [*lines, "all is well" if run.is_good else "NOT ALL IS WELL"]


def write(run: Run, file: Path) -> list[Path]:
    """The same as JSON with every single fault, and as Markdown, beside each other."""
    file.parent.mkdir(parents=True, exist_ok=True)
    files = [file.with_suffix(".json"), file.with_suffix(".md")]
    files[0].write_text(json.dumps(as_dict(run), indent=2, ensure_ascii=False) + "\n")
    files[1].write_text(markdown(run))
    return files


def as_dict(run: Run) -> dict[str, Any]:
    return asdict(run) | {
        "is_good": run.is_good,
        "worst": run.worst,
        "matrix": [asdict(row) for row in matrix(run.injected)],
    }


def markdown(run: Run) -> str:
    headings = _headings()
    rows = [headings, ["---"] * len(headings), *(_cells(row) for row in matrix(run.injected))]
    lines = ["# Nemesis", "", *(f"- {line}" for line in summary(run)), ""]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    lines += ["", "## Answers that nobody should see", ""]
    lines += [f"- {n} times {about}" for about, n in Counter(run.odd).most_common()] or ["None."]
    lines += ["", "## Customers who went no further", ""]
    lines += [f"- {trouble}" for trouble in run.troubles] or ["None."]
    return "\n".join(lines) + "\n"


def _row(kind: str, target: str, group: list[Injected]) -> Row:
    healed = [each.healed_after for each in group if each.healed_after is not None]
    saw: Counter[str] = Counter()
    for each in group:
        saw.update(each.saw)
    return Row(
        kind,
        target,
        len(group),
        dict(saw),
        round(median(healed), 1) if healed else None,
        round(max(healed), 1) if healed else None,
        len(group) - len(healed),
    )


def _headings() -> list[str]:
    return ["fault", "target", "times", *KINDS, "healed: median", "worst", "not healed"]


def _cells(row: Row) -> list[str]:
    saw = [str(row.saw.get(kind, "")) for kind in KINDS]
    ends = [_seconds(row.median), _seconds(row.worst), str(row.not_healed or "")]
    return [row.kind, row.target, str(row.times), *saw, *ends]


def _told(each: Injected) -> str:
    fault = each.fault
    return f"{fault.number}. {fault.kind} {fault.target} for {fault.seconds} s"


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{n} times {what}" for what, n in sorted(counts.items())) or "none"


def _listed_loads(injected: Iterable[Injected]) -> str:
    loads = sorted(each.load for each in injected)
    return f"median {median(loads):.0f}, highest {loads[-1]:.0f}" if loads else "-"


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} s"
