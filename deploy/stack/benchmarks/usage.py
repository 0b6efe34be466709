"""What processes use, as the kernel tells it in /proc."""

import os
from collections.abc import Iterable
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_USER, _SYSTEM = 11, 12  # of /proc/<pid>/stat, counted from behind the name


def memory_of(pids: Iterable[int]) -> float:
    """MiB that these processes and their children have for themselves, their part of what is
    shared included."""
    return sum(_pss(each) for pid in pids for each in _family(pid)) / 1024


def cpu_of(pid: int) -> float:
    """Seconds of CPU that this process and those of its children that live have taken so far."""
    return sum(_ticks(each) for each in _family(pid)) / _TICKS


def _family(pid: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [int(each) for task in tasks for each in (task / "children").read_text().split()]
    except OSError:
        return []
    return [pid, *(each for child in children for each in _family(child))]


def _pss(pid: int) -> int:
    """In KiB."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def _ticks(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return int(fields[_USER]) + int(fields[_SYSTEM])
