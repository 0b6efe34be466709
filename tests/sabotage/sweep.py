"""The table of the crash sweep: where a process died, the how manieth time, and what came of it."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

_TEST = re.compile(r"test_crash_points\.py::\w+\[([^-]+)-([^-]+)-(\d+)\]")
_WORDS = {"passed": "ok", "failed": "FAILED", "error": "FAILED", "skipped": "-"}


def table(outcomes: Mapping[str, Iterable[str]]) -> str:
    """Markdown. `outcomes` has the ids of tests by what pytest says of them; empty if the sweep was
    not among them."""
    cells: dict[tuple[str, str], dict[int, str]] = {}
    for outcome, word in _WORDS.items():
        for test in outcomes.get(outcome, ()):
            if match := _TEST.search(test):
                point, service, time = match.groups()
                cells.setdefault((point, service), {})[int(time)] = word
    if not cells:
        return ""
    times = range(1, max(max(row) for row in cells.values()) + 1)
    found = [word for row in cells.values() for word in row.values()]
    lines = [
        f"| point | dies | {' | '.join(f'time {n}' for n in times)} |",
        "|---" * (2 + len(times)) + "|",
        *(
            f"| {point} | {service} | {' | '.join(row.get(n, '') for n in times)} |"
            for (point, service), row in sorted(cells.items())
        ),
        "",
        f"{len({point for point, _ in cells})} points, {len(found) - found.count('-')} crashes,"
        f" {found.count('FAILED')} failures; - is a point that the journey passes less often.",
    ]
    return "\n".join(lines) + "\n"


def save(text: str, folder: Path) -> Path:
    """Beside the stack that it is about."""
    file = folder / "crash-sweep.md"
    file.write_text(text)
    return file
