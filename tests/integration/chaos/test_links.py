"""The nemesis cuts and holds connections, and lets them be."""

import socket
import socketserver
import threading
from collections.abc import Iterator

import pytest

from tests.chaos.nemesis.links import Links, links
from tests.support.waiting import wait_until

NAME = "shop → database"


class _Echo(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        for line in self.rfile:
            self.server.heard.append(line)  # type: ignore[attr-defined]
            self.wfile.write(line)


@pytest.fixture
def server() -> Iterator[socketserver.ThreadingTCPServer]:
    """Answers each line with itself, and remembers what it has heard."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Echo) as echo:
        echo.daemon_threads = True
        echo.heard = []  # type: ignore[attr-defined]
        threading.Thread(target=echo.serve_forever, daemon=True).start()
        yield echo
        echo.shutdown()


@pytest.fixture
def between() -> Iterator[Links]:
    with links() as found:
        yield found


@pytest.fixture
def port(between: Links, server: socketserver.ThreadingTCPServer) -> int:
    return between.add(NAME, server.server_address[1])


def connected(port: int, timeout: float = 30) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=timeout)


def said(connection: socket.socket, line: bytes) -> bytes:
    connection.sendall(line)
    return connection.recv(100)


def test_what_is_said_gets_its_answer(port: int) -> None:
    with connected(port) as connection:
        assert said(connection, b"one\n") == b"one\n"
        assert said(connection, b"two\n") == b"two\n"


def test_a_cut_link_resets_everybody_until_it_is_mended(between: Links, port: int) -> None:
    with connected(port) as connection:
        said(connection, b"one\n")

        between.cut(NAME)

        with pytest.raises(ConnectionResetError):
            connection.recv(100)
    with pytest.raises(ConnectionResetError), connected(port) as another:
        another.recv(100)
    between.mend(NAME)
    with connected(port) as connection:
        assert said(connection, b"two\n") == b"two\n"


def test_a_held_link_is_silent_and_then_brings_everything(between: Links, port: int) -> None:
    with connected(port) as connection:
        said(connection, b"one\n")
        between.hold(NAME)
        connection.settimeout(0.2)

        with pytest.raises(TimeoutError):
            said(connection, b"two\n")

        between.mend(NAME)
        connection.settimeout(30)
        assert connection.recv(100) == b"two\n"


def test_a_lost_answer_is_to_something_that_was_done(
    between: Links, port: int, server: socketserver.ThreadingTCPServer
) -> None:
    with connected(port) as connection:
        said(connection, b"one\n")
        between.hold_answers(NAME)
        connection.settimeout(0.5)

        with pytest.raises(TimeoutError):
            said(connection, b"two\n")
        wait_until(lambda: len(server.heard) == 2)  # type: ignore[attr-defined]
        between.lose(NAME)

        connection.settimeout(30)
        with pytest.raises(ConnectionResetError):
            connection.recv(100)
    assert server.heard == [b"one\n", b"two\n"]  # type: ignore[attr-defined]
    with connected(port) as connection:
        assert said(connection, b"three\n") == b"three\n"


def test_who_hangs_up_is_hung_up_on_at_the_other_end(port: int) -> None:
    with connected(port) as connection:
        said(connection, b"one\n")
        connection.shutdown(socket.SHUT_WR)

        assert connection.recv(100) == b""
