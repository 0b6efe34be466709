"""The size of the programs' logs, which every program writes to its file by itself."""

import shutil
from pathlib import Path

_MOST_BYTES = 10_000_000


def rotate(folder: Path) -> None:
    """Begin the long logs anew; `.1` and `.2` keep what they said before."""
    for log in folder.glob("*.log"):
        if log.stat().st_size > _MOST_BYTES:
            _rotate(log)


def _rotate(log: Path) -> None:
    # Emptied and not renamed, for nobody tells a program to open its log again. A line written
    # between the last look and the cut is lost.
    last, before = log.with_name(f"{log.name}.1"), log.with_name(f"{log.name}.2")
    if last.exists():
        last.replace(before)
    with log.open("rb+") as said, last.open("wb") as kept:
        shutil.copyfileobj(said, kept)
        said.truncate(0)
