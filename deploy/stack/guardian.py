"""Watches the watcher: if supervisord is killed, starts it again.

supervisord restarts whatever dies, this program included; nobody but this program
restarts supervisord. Killing any single one of the two is thus healed by the other.
"""

import os
import select
import sys
import time
from pathlib import Path

from stack.belongings import belongings, end
from stack.context import Stack
from stack.home import Home
from stack.supervision import Supervisor

# Postgres and RabbitMQ were told by the kernel to end properly; they get this long.
_ORPHANS_END_WITHIN = 15.0


def main() -> None:
    """Wait for the end of the parent, then start another and leave the watch to its guardian."""
    stack = Stack(Home(Path(sys.argv[1])))
    _wait_for_end_of(os.getppid())
    if stack.wanted:
        _clear_orphans(stack.home.path)
        _revive(stack.supervisor)


def _wait_for_end_of(pid: int) -> None:
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    # A parent that had ended before we asked for its pid would be somebody else's by now.
    if os.getppid() == pid:
        select.select([watched], [], [])


def _clear_orphans(home: Path) -> None:
    deadline = time.monotonic() + _ORPHANS_END_WITHIN
    while (left := belongings(home)) and time.monotonic() < deadline:
        time.sleep(0.05)
    end(item.pid for item in left)


def _revive(supervisor: Supervisor) -> None:
    supervisor.start()


if __name__ == "__main__":
    main()
