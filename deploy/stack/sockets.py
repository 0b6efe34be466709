"""Which connections a process has, as the kernel tells. IPv4, as all of a stack is."""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_LISTENING = "0A"
_SOCKET = "socket:["


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of /proc/net/tcp. `waiting`: connections that nobody has accepted yet, of one who
    listens; of others, bytes that nobody has read."""

    port: int
    state: str
    waiting: int
    inode: str


def listens(pid: int, port: int) -> bool:
    """Whether the process accepts connections there."""
    return any(row.state == _LISTENING for row in _of(pid, port))


def busy(pid: int, port: int) -> bool:
    """Whether somebody is connected to the process there, or waits for it to accept."""
    return any(row.state != _LISTENING or row.waiting for row in _of(pid, port))


def _of(pid: int, port: int) -> list[_Row]:
    inodes = set(_inodes(pid))
    return [row for row in _rows() if row.port == port and row.inode in inodes]


def _inodes(pid: int) -> Iterator[str]:
    with suppress(OSError):
        for name in os.listdir(f"/proc/{pid}/fd"):
            with suppress(OSError):
                target = os.readlink(f"/proc/{pid}/fd/{name}")
                if target.startswith(_SOCKET):
                    yield target.removeprefix(_SOCKET).removesuffix("]")


def _rows() -> Iterator[_Row]:
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        port, queues = fields[1].rpartition(":")[2], fields[4]
        yield _Row(int(port, 16), fields[3], int(queues.rpartition(":")[2], 16), fields[9])
