"""How a server process leaves while another, on the same port, has come to take its place.

    SIGUSR1 ──▶ (again and again, until the name shows: a thread that is just about to wait for
                 something overlooks it)
            ──▶ the kernel gives new connections to the successor
            ──▶ every answer to what comes now closes its connection: nobody sends more on it
            ──▶ the process is called `leaving`: whoever told it to go can see that it knows
    SIGTERM ──▶ once it has no connection any more, nothing is cut off

Both listen on the port with SO_REUSEPORT, as granian's workers do. A listener that simply closes
resets what its queue holds, and a connection that is closed while it rests resets the request that
has just been sent on it; a gateway may repeat neither for a POST.
"""

import ctypes
import logging
import os
import signal
import socket
import stat
import struct
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # who tells a process to leave needs no Flask
    from flask import Flask

log = logging.getLogger(__name__)

NAME = "leaving"
_SO_ATTACH_REUSEPORT_CBPF = 51
_RETURN_CONSTANT = 0x06  # BPF_RET | BPF_K

WSGI = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def leave_when_told(app: "Flask") -> None:
    """Have this process leave on SIGUSR1; another one makes no difference. Only a main thread may
    wait for signals; elsewhere, as in tests, nothing is done."""

    def leave_once(*_: object) -> None:
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        leave(app)

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGUSR1, leave_once)


def leave(app: "Flask") -> None:
    """Send new connections on, and give back those that are there."""
    app.wsgi_app = closing(app.wsgi_app)  # type: ignore[assignment, method-assign]
    for listener in own_listeners():
        with listener:
            send_on(listener)
    # Last, for it says that all of this is done. Shown by `ps` as well.
    Path("/proc/self/comm").write_text(NAME)
    log.info("leaving")


def closing(application: WSGI) -> WSGI:
    """The same application, every answer of which ends its connection."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            return start_response(status, [*headers, ("Connection", "close")], *more)

        return application(environ, start)

    return answer


def own_listeners() -> list[socket.socket]:
    """Duplicates of this process's listening TCP sockets."""
    found = []
    for number in _own_sockets():
        duplicate = socket.socket(fileno=os.dup(number))
        if _listens(duplicate):
            found.append(duplicate)
        else:
            duplicate.close()
    return found


def send_on(listener: socket.socket) -> None:
    """Let the kernel give this port's new connections to the first who came after us.

    Sockets of one port are numbered in the order in which they began to listen. We and our
    siblings were first, and as many as we are have come after us. Once we are gone the number is
    too high for anybody, and the kernel spreads connections as usual.
    """
    listeners = _listening_on(listener.getsockname()[1])
    if listeners < 2:
        log.warning("nobody has come to take over", extra={"listeners": listeners})
        return
    first_successor = ctypes.create_string_buffer(
        struct.pack("HBBI", _RETURN_CONSTANT, 0, 0, listeners // 2)
    )
    program = struct.pack("HL", 1, ctypes.addressof(first_successor))
    listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_REUSEPORT_CBPF, program)


def _own_sockets() -> Iterator[int]:
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):  # the descriptor of that very folder is gone by now
            if stat.S_ISSOCK(os.fstat(int(name)).st_mode):
                yield int(name)


def _listens(candidate: socket.socket) -> bool:
    internet = candidate.family in (socket.AF_INET, socket.AF_INET6)
    return internet and bool(candidate.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))


def _listening_on(port: int) -> int:
    wanted, listening = f":{port:04X}", "0A"
    lines = Path("/proc/self/net/tcp").read_text().splitlines()[1:]
    rows = [line.split() for line in lines]
    return sum(1 for row in rows if row[1].endswith(wanted) and row[3] == listening)
