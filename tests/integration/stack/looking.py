"""Looking at a stack from outside: its processes, what they listen on, whether all is well."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from stack.belongings import belongings
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
    folder = Path(f"/proc/{pid}/fd")
    found = set()
    for name in os.listdir(folder):
        try:
            found.add(os.readlink(folder / name))
        except FileNotFoundError:
            continue
    return found
