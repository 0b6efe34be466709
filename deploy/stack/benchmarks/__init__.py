"""`./oja bench`: how fast the shop is, beside what the machine can do at best.

Each benchmark is a module here with `run(bench: Bench) -> None`; see benchmarks/README.md.
"""

import importlib
from pathlib import Path

from stack.benchmarks.bench import Bench
from stack.benchmarks.own_stack import own_stack
from stack.benchmarks.results import Results
from stack.failure import Failure

# Each with the services that it needs; None for all of Oja.
BENCHMARKS: dict[str, list[str] | None] = {
    "catalog": ["catalog"],
    "delivery": None,
    "libraries": [],
    "login": ["identity"],
    "mail": ["notifier"],
    "orders": None,
}


def bench(name: str, *, quick: bool, json_file: Path | None) -> None:
    """Run one benchmark on a stack of its own, show the table, and write the file if asked."""
    if name not in BENCHMARKS:
        raise Failure(f"There is no benchmark {name!r}; there is {', '.join(BENCHMARKS)}.")
    results = Results(name)
    with own_stack(BENCHMARKS[name]) as stack:
        importlib.import_module(f"stack.benchmarks.{name}").run(Bench(stack, results, quick=quick))
    results.show()
    if json_file:
        results.write(json_file)
