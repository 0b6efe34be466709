"""A tiny HTTP endpoint for processes that serve no HTTP: /livez and /readyz."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def serve_health(address: tuple[str, int], ready: Callable[[], bool]) -> Iterator[None]:
    """Answer on `address` during the block: /livez 200, /readyz 200 or 503 as `ready` says."""
    server = ThreadingHTTPServer(address, _handler(ready))
    threading.Thread(target=server.serve_forever, name="health", daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def _handler(ready: Callable[[], bool]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = {"/livez": lambda: True, "/readyz": ready}
            check = known.get(self.path)
            status = 404 if check is None else 200 if check() else 503
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Probes are not worth a line."""

    return Handler
