"""What every benchmark works with: repeats, medians, reference points."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from stack.benchmarks.load import Measured
from stack.benchmarks.results import Results
from stack.context import Stack
from stack.report import out

REPEATS = 3


@dataclass(frozen=True, slots=True)
class Bench:
    stack: Stack
    results: Results
    quick: bool

    @property
    def seconds(self) -> int:
        """How long one measurement takes."""
        return 1 if self.quick else 3

    def median(self, what: str, measure: Callable[[int], Measured]) -> Measured:
        """The medians of several runs; `measure` gets seconds. An earlier one does not count,
        unless it must be quick: then the first of the runs is the warm-up, whose oddities the
        median leaves out."""
        out.print(f"  {what}")
        if not self.quick:
            measure(1)
        runs = [measure(self.seconds) for _ in range(REPEATS)]
        return Measured(median(run.per_second for run in runs), median(run.p99 for run in runs))
