"""`./oja logs`: the processes' own words, from their files."""

import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from stack.context import Stack
from stack.failure import Failure
from stack.programs import everything, matching
from stack.report import out

_POLL = 0.25


def show(stack: Stack, wish: str | None, *, lines: int, follow: bool) -> None:
    """Print the last lines of the chosen processes, and with `follow` those to come."""
    files = _files(stack, wish)
    for file in files:
        for line in _last(file, lines):
            _print(file, line, alone=len(files) == 1)
    if follow:
        _follow(files)


def _files(stack: Stack, wish: str | None) -> list[Path]:
    programs = everything(stack) if stack.supervisor.configured() else []
    if not programs:
        raise Failure("This stack has never been up; start it with ./oja up.")
    names = matching(programs, wish) if wish else [program.name for program in programs]
    found = [stack.home.log / f"{name}.log" for name in names]
    return [file for file in found if file.exists()]


def _last(file: Path, count: int) -> deque[str]:
    with file.open(errors="replace") as content:
        return deque(content, maxlen=count)


def _follow(files: list[Path]) -> None:
    tails = {file: _tail(file) for file in files}
    try:
        while True:
            for file, tail in tails.items():
                for line in next(tail):
                    _print(file, line, alone=len(files) == 1)
            time.sleep(_POLL)
    except KeyboardInterrupt:
        return


def _tail(file: Path) -> Iterator[list[str]]:
    """Complete lines since the last look; begins anew when the file was rotated."""
    position, inode = file.stat().st_size, file.stat().st_ino
    while True:
        if file.exists() and (file.stat().st_ino != inode or file.stat().st_size < position):
            position, inode = 0, file.stat().st_ino
        text = _from(file, position)
        whole = text[: text.rfind(b"\n") + 1]
        position += len(whole)
        yield whole.decode(errors="replace").splitlines()


def _from(file: Path, position: int) -> bytes:
    try:
        with file.open("rb") as content:
            content.seek(position)
            return content.read()
    except FileNotFoundError:
        return b""


def _print(file: Path, line: str, *, alone: bool) -> None:
    if not alone:
        out.print(f"[cyan]{file.stem:<20}[/cyan] ", end="")
    out.print(line.rstrip("\n"), markup=False)
