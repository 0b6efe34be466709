"""The size of the programs' logs, which every program writes to its file by itself."""

import shutil
from contextlib import suppress
from pathlib import Path

_MOST_BYTES = 10_000_000


def rotate(folder: Path) -> None:
    """Begin the long logs anew; `.1` and `.2` keep what they said before."""
    for log in folder.glob("*.log"):
        with suppress(OSError):  # whatever is the matter with one, the others need their room
            if log.stat().st_size > _MOST_BYTES:
                _rotate(log)


def _rotate(log: Path) -> None:
    # Emptied and not renamed, for nobody tells a program to open its log again. A line written
    # between the last look and the cut is lost.
    new, last, before = (log.with_name(f"{log.name}.{end}") for end in ("new", "1", "2"))
    with log.open("rb+") as said:
        try:
            with new.open("wb") as kept:
                shutil.copyfileobj(said, kept)
        except OSError:
            new.unlink(missing_ok=True)
            raise
        if last.exists():
            last.replace(before)
        new.replace(last)
        said.truncate(0)
