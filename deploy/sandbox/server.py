"""The HTTP server: one process with many threads, so that all of them share the books."""

import logging
import socket
from typing import Any

from cheroot import wsgi
from flask import Flask

from sandbox.log import logger

log = logger("server")
THREADS = 64
KEPT_ALIVE = 1000
SOCKET = "sandbox.socket"


class _Gateway(wsgi.Gateway_10):
    """Tells the app the connection's socket, which it needs to break off an answer."""

    def get_environ(self) -> Any:
        environ: Any = super().get_environ()  # type: ignore[no-untyped-call]
        environ[SOCKET] = self.req.conn.socket
        return environ


class _Server(wsgi.Server):
    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
        log.log(level, "http server", exc_info=traceback, extra={"detail": msg})


def http_server(app: Flask, host: str, port: int) -> wsgi.Server:
    """The server, not yet started."""
    server = _Server((host, port), app, numthreads=THREADS, request_queue_size=512)
    server.gateway = _Gateway
    server.keep_alive_conn_limit = KEPT_ALIVE
    server.timeout = 30
    server.shutdown_timeout = 2
    return server


def break_off(environ: dict[str, Any]) -> None:
    """Close the connection of this request; nothing of the answer reaches the client."""
    connection: socket.socket = environ[SOCKET]
    connection.shutdown(socket.SHUT_RDWR)
