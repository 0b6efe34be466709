"""HTTP servers that stand where the services stand, and remember what reached them."""

import json
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Received:
    """One request as it came out of the gateway; `target` is the raw path with its query."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(values) <= 1, f"{name} came {len(values)} times"
        return values[0] if values else None


@dataclass(frozen=True)
class Reply:
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: dict(JSON))
    body: bytes = b"{}"


class HangUp(Exception):
    """The service dies after it read the request."""


Behaviour = Callable[[Received], Reply]


def hang_up(request: Received) -> Reply:
    raise HangUp


class FakeService:
    """Answers on every path, by default 200 with its own name; `behaviour` changes that."""

    def __init__(self, name: str, port: int = 0) -> None:
        self.name = name
        self.received: list[Received] = []
        self.connections = 0
        self.behaviour: Behaviour = self.say_own_name
        self.port = port
        self.start()

    def start(self) -> None:
        self._server = _Server(("127.0.0.1", self.port), self)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.close_everything()

    def reset(self) -> None:
        self.received.clear()
        self.behaviour = self.say_own_name

    def say_own_name(self, request: Received) -> Reply:
        return Reply(body=json.dumps({"service": self.name}).encode())

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], service: FakeService) -> None:
        self.service = service
        self._connections: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        connection, peer = super().get_request()
        self._connections.add(connection)
        self.service.connections += 1
        return connection, peer

    def shutdown_request(self, request: socket.socket) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that the gateway cut is part of some tests."""

    def close_everything(self) -> None:
        self.socket.close()
        for connection in list(self._connections):
            super().shutdown_request(connection)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        self._answer()

    def _answer(self) -> None:
        service = self.server.service
        request = self._read()
        service.received.append(request)
        try:
            reply = service.behaviour(request)
        except HangUp:
            self.close_connection = True
            return
        self._send(reply)

    def _read(self) -> Received:
        method, target, _ = self.raw_requestline.decode("latin-1").split(" ")
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        return Received(method, target, self.headers.items(), body)

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        body = b"" if reply.status == HTTPStatus.NO_CONTENT else reply.body
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Requests are looked at in `received`."""
