"""Starts one program under supervisord: `launch.py <home> <name>` becomes that program.

Before it does, it opens the program's log, ends what a killed predecessor left behind
(nginx workers that still hold the port, for instance), reads the secrets as the stack's
owner, gives up root, and asks the kernel to end the program should supervisord die.
Standard library only, and few imports: it runs at every (re)start.
"""

import json
import os
import shutil
import socket
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from stack.belongings import alive, belongings, end

# A program that cannot start is tried once a second, for ever.
_AT_MOST_EVERY = 1.0
_NEEDS_TIMEOUT = 60.0


def main() -> None:
    home, name = Path(sys.argv[1]), sys.argv[2]
    _count_start(home / "run" / "starts" / name)
    _write_to(home / "log" / f"{name}.log")
    specification = json.loads((home / "run" / "programs.json").read_text())[name]
    end(item.pid for item in belongings(home, of=name))
    _drop_foreign_lock(specification["lock_file"])
    _await_ports(specification["needs_ports"])
    _become(specification)


def _write_to(log: Path) -> None:
    """Let standard output and error end there, at its end even after it was emptied."""
    log.parent.mkdir(mode=0o711, exist_ok=True)
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.dup2(file, 1)
    os.dup2(file, 2)


def _count_start(file: Path) -> None:
    """Note the start, and wait a moment if the one before was just now."""
    file.parent.mkdir(exist_ok=True)
    if file.exists():
        age = time.time() - file.stat().st_mtime
        time.sleep(max(0.0, min(_AT_MOST_EVERY, _AT_MOST_EVERY - age)))
    with file.open("ab") as starts:
        starts.write(b".")


def _drop_foreign_lock(lock_file: str | None) -> None:
    """Remove a pid file that names a living stranger: ours are all gone by now.

    A lock with a dead pid stays: Postgres reads in it which shared memory to free.
    """
    if lock_file and Path(lock_file).exists():
        first = Path(lock_file).read_text().split("\n", 1)[0].strip()
        if not first.isdigit() or alive(int(first)):
            Path(lock_file).unlink()


def _await_ports(ports: list[int]) -> None:
    """Wait for what the program needs, to spare it a row of failing starts; then try anyway."""
    deadline = time.monotonic() + _NEEDS_TIMEOUT
    for port in ports:
        while not _accepts(port) and time.monotonic() < deadline:
            time.sleep(0.1)


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _become(specification: dict[str, Any]) -> None:
    environment = dict(os.environ) | specification["env"]
    if specification["env_file"]:
        environment |= _variables(Path(specification["env_file"]))
    if specification["expendable"]:
        _make_again(specification["folder"], specification["uid"])
    if specification["folder"]:
        os.chdir(specification["folder"])
    _open_standard_output(specification["uid"])
    os.nice(specification.get("niceness", 0))
    command = [*specification["account"], *_leash(specification), *specification["command"]]
    program = shutil.which(command[0]) or command[0]
    os.execve(program, command, environment)  # noqa: S606  that is what it is for  # nosec B606


def _make_again(folder: str, uid: int) -> None:
    os.makedirs(folder, mode=0o700, exist_ok=True)
    if os.geteuid() == 0:
        os.chown(folder, uid, -1)


def _open_standard_output(uid: int) -> None:
    # nginx opens /dev/stdout by name, which its user may do only if the log is his.
    if os.geteuid() == 0:
        os.fchown(1, uid, -1)


def _leash(specification: dict[str, Any]) -> list[str]:
    # After the change of user: the kernel forgets the wish when a process changes its user.
    if not specification["leashed"]:
        return []
    return ["setpriv", f"--pdeathsig={specification['orphan_signal']}", "--"]


def _variables(file: Path) -> dict[str, str]:
    lines = (line for line in file.read_text().splitlines() if line and line[0] != "#")
    return dict(line.split("=", 1) for line in lines)


if __name__ == "__main__":
    main()
