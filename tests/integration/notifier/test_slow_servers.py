"""How long a sender waits for a slow mail server, and which of its answers may take longer."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from notifier.adapters.smtp import SMTPAddress, SMTPServer
from notifier.use_cases.errors import Deferred, ServerAway, Unclear
from tests.support.notifier import SENDER
from tests.unit.notifier.fakes import a_mail

Say = Callable[[socket.socket, bytes], None]

# Far less than it takes to say something byte by byte.
WITHOUT_AN_END = 20


def said(connection: socket.socket, answer: bytes) -> None:
    connection.sendall(answer)


def said_slowly(connection: socket.socket, answer: bytes) -> None:
    time.sleep(0.15)
    connection.sendall(answer)


def said_byte_by_byte(connection: socket.socket, answer: bytes) -> None:
    for byte in b"250-still thinking" * 100:
        time.sleep(0.05)
        connection.sendall(bytes([byte]))


@contextmanager
def a_server(**ways: Say | bytes) -> Iterator[tuple[str, list[bytes]]]:
    """Says yes to everything, unless `ways` has another way or answer for a command (`hello` is the
    first word, `content` what comes to the mail); yields its URL and what it was told."""
    heard: list[bytes] = []

    def answer(connection: socket.socket, command: str, usual: bytes) -> None:
        way = ways.get(command, ways.get("always", said))
        if isinstance(way, bytes):
            connection.sendall(way)
        else:
            way(connection, usual)

    def serve(connection: socket.socket) -> None:
        answer(connection, "hello", b"220 here\r\n")
        lines = connection.makefile("rb")
        for line in lines:
            heard.append(line)
            command = line[:4].decode().strip().lower()
            if command != "data":
                answer(connection, command, b"250 OK\r\n")
                continue
            answer(connection, command, b"354 go ahead\r\n")
            while (line := next(lines, b".\r\n")) != b".\r\n":
                heard.append(line)
            answer(connection, "content", b"250 taken\r\n")

    def accept() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=quietly, args=(connection,), daemon=True).start()

    def quietly(connection: socket.socket) -> None:
        with connection, suppress(OSError):  # the sender has had enough
            serve(connection)

    listening = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=accept, daemon=True).start()
    yield f"smtp://127.0.0.1:{listening.getsockname()[1]}", heard
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()


@contextmanager
def sender_to(
    url: str, *, time_to_offer: float = 10, time_to_answer: float = 10
) -> Iterator[SMTPServer]:
    server = SMTPServer(
        SMTPAddress.from_url(url),
        sender=SENDER,
        time_to_offer=time_to_offer,
        time_to_answer=time_to_answer,
    )
    yield server
    server.close()


@pytest.mark.parametrize(
    "ways",
    [{"always": said_slowly}, {"hello": said_byte_by_byte}, {"rcpt": said_byte_by_byte}],
    ids=["every answer a little late", "a first word without an end", "an answer without an end"],
)
def test_all_answers_before_the_content_share_one_limit(ways: dict[str, Say]) -> None:
    with a_server(**ways) as (url, _), sender_to(url, time_to_offer=0.4) as server:
        began = time.monotonic()
        with pytest.raises(ServerAway):
            server.offer(a_mail())

    assert 0.3 < time.monotonic() - began < WITHOUT_AN_END


def test_a_kept_connection_leaves_time_for_a_new_one() -> None:
    turns = [said, said_byte_by_byte, said]

    def once_slow(connection: socket.socket, answer: bytes) -> None:
        turns.pop(0)(connection, answer)

    with a_server(mail=once_slow) as (url, _), sender_to(url, time_to_offer=2) as server:
        for _ in range(2):
            server.offer(mail := a_mail())
            server.hand_over(mail)

    assert turns == []


def test_the_answer_to_the_content_may_take_longer() -> None:
    def late(connection: socket.socket, answer: bytes) -> None:
        time.sleep(2)
        connection.sendall(answer)

    with a_server(content=late) as (url, _), sender_to(url, time_to_offer=1.5) as server:
        server.offer(mail := a_mail())
        server.hand_over(mail)


@pytest.mark.parametrize("stage", ["data", "content"])
def test_an_answer_that_does_not_come_leaves_a_doubt(stage: str) -> None:
    with (
        a_server(**{stage: said_byte_by_byte}) as (url, _),
        sender_to(url, time_to_offer=1, time_to_answer=0.3) as server,
    ):
        server.offer(mail := a_mail())
        began = time.monotonic()
        with pytest.raises(Unclear):
            server.hand_over(mail)

    assert time.monotonic() - began < WITHOUT_AN_END


@pytest.mark.parametrize(
    ("answer", "problem"), [(b"450 later\r\n", Deferred), (b"250 what?\r\n", Unclear)]
)
def test_a_server_that_does_not_want_the_content_has_not_taken_it(
    answer: bytes, problem: type[Exception]
) -> None:
    with a_server(data=answer) as (url, heard), sender_to(url) as server:
        server.offer(mail := a_mail())
        with pytest.raises(problem):
            server.hand_over(mail)

        assert heard[-1].lower() == b"data\r\n"


def test_a_line_that_begins_with_a_dot_gets_another_one_on_its_way() -> None:
    with a_server() as (url, heard), sender_to(url) as server:
        server.offer(mail := a_mail(text="one\n.two\n..three\n"))
        server.hand_over(mail)

    assert heard[(begin := heard.index(b"one\r\n")) : begin + 3] == [
        b"one\r\n",
        b"..two\r\n",
        b"...three\r\n",
    ]
