"""Looking at a stack from outside: its processes, what they listen on, whether all is well."""

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from stack.belongings import Belonging, belongings
from tests.support.servers import CHECKOUT, Servers

_LISTENING = "0A"


def status(servers: Servers) -> dict[str, Any]:
    done = oja(servers, "status", "--json")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def oja(servers: Servers, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command that may fail."""
    return subprocess.run(
        [sys.executable, "-m", "stack", *arguments],
        cwd=CHECKOUT,
        env=servers.env,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )


def is_well(servers: Servers) -> bool:
    """Everything runs and is ready, the watchers of the processes included."""
    found = status(servers)["stack"]
    return bool(found["ready"] and found["pid"])


def pids(servers: Servers) -> dict[str, int]:
    """The main process of each program, and the supervisor's."""
    found = status(servers)
    known = {process["name"]: process["pid"] for process in found["processes"]}
    return known | {"supervisord": found["stack"]["pid"]}


def children(servers: Servers) -> dict[str, int]:
    """For each program the oldest process under its main one: a younger one may soon end."""
    mains = set(pids(servers).values())
    found = [item for item in belongings(servers.home) if item.pid not in mains]
    return {item.program: item.pid for item in sorted(found, key=_started, reverse=True)}


def _started(item: Belonging) -> int:
    """In ticks since the machine started; who has ended meanwhile is not old."""
    try:
        stat = Path(f"/proc/{item.pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return sys.maxsize
    return int(stat.rpartition(")")[2].split()[19])


def living(servers: Servers) -> list[int]:
    return [item.pid for item in belongings(servers.home)]


def listening_addresses(servers: Servers) -> set[str]:
    """The addresses (hexadecimal, as in /proc/net/tcp*) on which processes of the stack listen."""
    sockets = {link for pid in living(servers) for link in _sockets(pid)}
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == _LISTENING and f"socket:[{fields[9]}]" in sockets:
                found.add(fields[1].split(":")[0])
    return found


def _sockets(pid: int) -> set[str]:
    """What the process holds open; it may close any of it meanwhile, or end."""
    found = set()
    with suppress(FileNotFoundError, ProcessLookupError):
        for file in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(FileNotFoundError):
                found.add(os.readlink(file))
    return found
