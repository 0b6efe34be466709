"""Which running processes belong to a stack, found without trusting any pid file.

Every program of a stack is started with OJA_STACK=<home> and OJA_PROCESS=<name>
in its environment, which children inherit. Postgres and nginx write over that
memory to show titles in `ps`; those are known by their working folder.
"""

import os
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

STACK = "OJA_STACK"
PROCESS = "OJA_PROCESS"
_HOME_MARK = f"{STACK}=".encode()
_NAME_MARK = f"{PROCESS}=".encode()


@dataclass(frozen=True, slots=True)
class Belonging:
    """A running process of a stack and the program that it is part of."""

    pid: int
    program: str


def belongings(home: Path, *, of: str | None = None) -> list[Belonging]:
    """Every living process of that stack, or of one of its programs; never ourselves."""
    found = (_belonging(pid, home) for pid in _pids() if pid != os.getpid())
    return [item for item in found if item and of in (None, item.program)]


def end(pids: Iterable[int], *, grace: float = 0.0) -> None:
    """SIGTERM, wait `grace` seconds, SIGKILL what is left; return when all are gone."""
    waiting = list(pids)
    if grace:
        waiting = _signal_and_wait(waiting, signal.SIGTERM, grace)
    _signal_and_wait(waiting, signal.SIGKILL, 30)


def alive(pid: int) -> bool:
    """Whether the process runs; one that has ended and waits for its parent does not count."""
    state = _read(Path(f"/proc/{pid}/stat")).rpartition(b")")[2].split()
    return bool(state) and state[0] not in (b"Z", b"X")


def _signal_and_wait(pids: list[int], number: signal.Signals, seconds: float) -> list[int]:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
    deadline = time.monotonic() + seconds
    while (left := [pid for pid in pids if alive(pid)]) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _belonging(pid: int, home: Path) -> Belonging | None:
    if not alive(pid):
        return None
    variables = _read(Path(f"/proc/{pid}/environ")).split(b"\0")
    if _HOME_MARK + os.fsencode(home) in variables:
        names = [item for item in variables if item.startswith(_NAME_MARK)]
        name = names[0].removeprefix(_NAME_MARK).decode() if names else ""
        return Belonging(pid, "epmd" if _executable(pid) == "epmd" else name)
    folder_of = _program_by_folder(pid, home)
    return Belonging(pid, folder_of) if folder_of else None


def _program_by_folder(pid: int, home: Path) -> str | None:
    folders = {"postgres": home / "data" / "postgres", "nginx": home / "run" / "gateway"}
    name = _executable(pid)
    if name not in folders:
        return None
    with suppress(OSError):
        if os.readlink(f"/proc/{pid}/cwd") == str(folders[name]):
            return {"nginx": "gateway"}.get(name, name)
    return None


def _executable(pid: int) -> str:
    with suppress(OSError):
        return os.path.basename(os.readlink(f"/proc/{pid}/exe").removesuffix(" (deleted)"))
    return ""


def _read(path: Path) -> bytes:
    with suppress(OSError):
        return path.read_bytes()
    return b""
