"""What was measured, as a table for people and as JSON for programs."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.table import Column, Table

from stack.report import out


@dataclass(frozen=True, slots=True)
class Result:
    """`ratio` is the value over the reference's, which was measured in the same run."""

    metric: str
    value: float
    unit: str
    reference: str | None = None
    reference_value: float | None = None
    ratio: float | None = None


@dataclass(slots=True)
class Results:
    name: str
    results: list[Result] = field(default_factory=list)

    def add(
        self, metric: str, value: float, unit: str, reference: tuple[str, float] | None = None
    ) -> None:
        """`reference` is its name and its value, in the same unit."""
        name, best = reference or (None, None)
        ratio = round(value / best, 3) if best else None
        self.results.append(
            Result(metric, round(value, 2), unit, name, best and round(best, 2), ratio)
        )

    def show(self) -> None:
        table = Table(
            Column("metric", no_wrap=True), "value", "unit", "reference", "its value", "ratio"
        )
        for each in self.results:
            cells = (each.value, each.unit, each.reference, each.reference_value, each.ratio)
            table.add_row(each.metric, *("" if cell is None else str(cell) for cell in cells))
        out.print(table)

    def write(self, file: Path) -> None:
        body = {"name": self.name, "results": [asdict(each) for each in self.results]}
        file.write_text(json.dumps(body, indent=2) + "\n")
