"""Watches the watcher: if supervisord is killed, starts it again.

supervisord restarts whatever dies, this program included; nobody but this program
restarts supervisord. Killing any single one of the two is thus healed by the other.

A broker whose data somebody deletes does not die: it goes on answering and takes nothing any more.
So that is watched as well, and such a broker is ended; what starts in its place begins anew.
Logs that have become long are begun anew, too.
"""

import os
import select
import sys
import time
from collections.abc import Callable
from pathlib import Path

from stack.belongings import belongings, end
from stack.context import Stack
from stack.home import Home
from stack.rotation import rotate
from stack.servers import rabbitmq
from stack.supervision import Supervisor

# Postgres and RabbitMQ were told by the kernel to end properly; they get this long.
_ORPHANS_END_WITHIN = 15.0
_SECONDS_BETWEEN_LOOKS = 2.0


def main() -> None:
    """Wait for the end of the parent, then start another and leave the watch to its guardian."""
    stack = Stack(Home(Path(sys.argv[1])))
    broker = _Broker(stack)

    def look() -> None:
        broker.look()
        rotate(stack.home.log)

    _wait_for_end_of(os.getppid(), meanwhile=look)
    if stack.wanted:
        _clear_orphans(stack.home.path)
        _revive(stack.supervisor)


class _Broker:
    """Ends the broker when what it keeps has vanished under it."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._had_data = False

    def look(self) -> None:
        has_data = rabbitmq.node_folder(self._stack).exists()
        if self._had_data and not has_data and self._stack.wanted:
            self._stack.supervisor.kill(rabbitmq.NAME)
        self._had_data = has_data


def _wait_for_end_of(pid: int, *, meanwhile: Callable[[], None]) -> None:
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    # A parent that had ended before we asked for its pid would be somebody else's by now.
    while os.getppid() == pid and not select.select([watched], [], [], _SECONDS_BETWEEN_LOOKS)[0]:
        meanwhile()


def _clear_orphans(home: Path) -> None:
    deadline = time.monotonic() + _ORPHANS_END_WITHIN
    while (left := belongings(home)) and time.monotonic() < deadline:
        time.sleep(0.05)
    end(item.pid for item in left)


def _revive(supervisor: Supervisor) -> None:
    supervisor.start()


if __name__ == "__main__":
    main()
