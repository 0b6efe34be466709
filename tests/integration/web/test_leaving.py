"""A server process leaves, and nobody who talks to it loses a word. Real granian, real sockets."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

from oja_web.leaving import NAME
from stack import sockets
from stack.ports import HOST, free_port
from tests.support.waiting import wait_until

READY_WITHIN = 60
# Answers with the number of its process; /slow keeps one waiting until a file appears.
APPLICATION = """
import os, time
from flask import Flask
from oja_web.leaving import leave_when_told

def create_app():
    app = Flask("leaving")
    who = lambda: str(os.getpid())
    app.add_url_rule("/", view_func=who, methods=["GET", "POST"])

    @app.get("/slow")
    def slow():
        while not os.path.exists(os.environ["GO_ON"]):
            time.sleep(0.01)
        return who()

    leave_when_told(app)
    return app
"""
SERVER = (
    "-m granian --interface wsgi --factory --workers 1 --blocking-threads 4 --no-ws"
    " --log-level warning leaving_app:create_app"
)


class Server:
    """One granian; `worker` is the process that answers."""

    def __init__(self, folder: Path, port: int) -> None:
        (folder / "leaving_app.py").write_text(APPLICATION)
        self.port = port
        environment = os.environ | {"GO_ON": str(folder / "go-on")}
        command = [sys.executable, *SERVER.split(), "--host", HOST, "--port", str(port)]
        self._main = subprocess.Popen(command, cwd=folder, env=environment)
        self.worker = 0

    def ready(self) -> None:
        self.worker = wait_until(self._find_worker, timeout=READY_WITHIN, what="it listens") or 0

    def _find_worker(self) -> int | None:
        children = Path(f"/proc/{self._main.pid}/task/{self._main.pid}/children").read_text()
        return next((int(pid) for pid in children.split() if self._is_worker(int(pid))), None)

    def _is_worker(self, pid: int) -> bool:
        return sockets.listens(pid, self.port)

    def told_to_leave(self) -> None:
        wait_until(self._knows, timeout=READY_WITHIN, what="it knows")

    def _knows(self) -> bool:
        os.kill(self.worker, signal.SIGUSR1)
        return Path(f"/proc/{self.worker}/comm").read_text().strip() == NAME

    @property
    def busy(self) -> bool:
        return sockets.busy(self.worker, self.port)

    def stop(self) -> None:
        self._main.terminate()
        self._main.wait(timeout=READY_WITHIN)


Call = Callable[[Server], HTTPConnection]


@contextmanager
def started(folder: Path, port: int) -> Iterator[Server]:
    server = Server(folder, port)
    try:
        server.ready()
        yield server
    finally:
        server.stop()


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Server, Server]]:
    """One who serves and one who has come to take over, on the same port."""
    port = free_port()
    with started(tmp_path, port) as old, started(tmp_path, port) as new:
        yield old, new


@pytest.fixture
def call() -> Iterator[Call]:
    """Opens connections, and closes them all in the end."""
    with ExitStack() as open_connections:

        def connect(server: Server) -> HTTPConnection:
            connection = HTTPConnection(HOST, server.port, timeout=30)
            return open_connections.enter_context(closing(connection))

        yield connect


def connected(call: Call, server: Server) -> HTTPConnection:
    """A connection that rests, to this one of the two."""

    def attempt() -> HTTPConnection | None:
        connection = call(server)
        return connection if asked(connection) == (server.worker, None) else None

    return wait_until(attempt, what="a connection to that one")


def asked(connection: HTTPConnection, method: str = "GET") -> tuple[int, str | None]:
    """Who has answered, and what he says about the connection."""
    connection.request(method, "/")
    answer = connection.getresponse()
    return int(answer.read()), answer.headers["Connection"]


def test_who_leaves_answers_what_is_his_and_gets_nothing_new(
    pair: tuple[Server, Server], call: Call
) -> None:
    old, new = pair
    resting = [connected(call, old) for _ in range(3)]
    waiting = connected(call, old)
    waiting.request("GET", "/slow")

    old.told_to_leave()

    assert {asked(call(old), "POST") for _ in range(50)} == {(new.worker, None)}
    assert [asked(each, "POST") for each in resting] == [(old.worker, "close")] * 3
    assert old.busy
    (Path(f"/proc/{old.worker}/cwd") / "go-on").touch()
    assert int(waiting.getresponse().read()) == old.worker
    # It was under way before, so its answer may not say so yet; then the next one does.
    if waiting.sock:
        assert asked(waiting) == (old.worker, "close")
    wait_until(lambda: not old.busy, what="nothing is left to do")
    assert new.busy


def test_a_third_takes_over_from_the_second(
    pair: tuple[Server, Server], call: Call, tmp_path: Path
) -> None:
    old, new = pair
    old.told_to_leave()
    old.stop()

    with started(tmp_path, old.port) as third:
        new.told_to_leave()
        assert {asked(call(third)) for _ in range(50)} == {(third.worker, None)}


def test_who_is_alone_goes_on_answering(call: Call, tmp_path: Path) -> None:
    with started(tmp_path, free_port()) as server:
        server.told_to_leave()

        assert asked(call(server)) == (server.worker, "close")
