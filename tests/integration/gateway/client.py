"""A client that sends whatever bytes it is given; well-behaved libraries refuse to."""

import json
import socket
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Answer:
    """`closed` tells whether the gateway ended the connection after it, where that was watched."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    closed: bool = False

    def header(self, name: str) -> str | None:
        values = self.all_headers(name)
        assert len(values) <= 1, f"{name} came {len(values)} times: {values}"
        return values[0] if values else None

    def all_headers(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def json(self) -> Any:
        return json.loads(self.body)


def exchange(port: int, request: bytes, *, watch: bool = False) -> Answer:
    """Send the bytes and read one answer; `watch` then waits for the connection's end."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        # Refused before everything was sent? Then the answer is there to read.
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(request)
        answer = _read_answer(connection, to_head=request.startswith(b"HEAD "))
        return replace(answer, closed=_is_closed(connection)) if watch else answer


def _read_answer(connection: socket.socket, *, to_head: bool) -> Answer:
    stream = connection.makefile("rb")
    with stream:
        status_line = stream.readline().decode("latin-1")
        assert status_line, "the gateway closed without an answer"
        headers = []
        while line := stream.readline().decode("latin-1").strip():
            name, _, value = line.partition(":")
            headers.append((name, value.strip()))
        body = b"" if to_head else _read_body(stream, {k.lower(): v for k, v in headers})
        return Answer(int(status_line.split()[1]), headers, body)


def _read_body(stream: Any, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding") != "chunked":
        return bytes(stream.read(int(headers.get("content-length", "0"))))
    body = b""
    while size := int(stream.readline(), 16):
        body += stream.read(size)
        stream.readline()
    stream.readline()
    return body


def _is_closed(connection: socket.socket) -> bool:
    # Less than the gateway itself waits for what may come next.
    connection.settimeout(5)
    try:
        return connection.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionResetError:
        return True
