import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from oja_web.readiness import register_readiness_of_all

STATUS = {"/ready": 200, "/unready": 503, "/moved": 302}


class Service(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(STATUS[self.path])
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        pass


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def silent() -> Iterator[str]:
    """A service that accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def ask(app, urls):
    register_readiness_of_all(app, urls)
    return app.test_client().get("/internal/readyz/all")


def test_all_are_ready_when_each_is(app, base):
    answer = ask(app, {"catalog": f"{base}/ready", "ordering": f"{base}/ready"})

    assert answer.status_code == 200
    assert answer.json["status"] == "ready"
    assert answer.json["services"].keys() == {"catalog", "ordering"}
    assert all(each["ready"] and each["ms"] >= 0 for each in answer.json["services"].values())


def test_who_is_not_ready_is_named(app, base, silent):
    urls = {
        "catalog": f"{base}/ready",
        "ordering": f"{base}/unready",
        "payments": silent,
        "notifier": "http://127.0.0.1:1/",
        "identity": f"{base}/moved",
    }

    answer = ask(app, urls)

    assert answer.status_code == 503
    assert answer.json["status"] == "unready"
    assert {name: each["ready"] for name, each in answer.json["services"].items()} == {
        "catalog": True,
        "ordering": False,
        "payments": False,
        "notifier": False,
        "identity": False,
    }


def test_they_are_asked_at_the_same_time(app, silent):
    started = time.monotonic()

    answer = ask(app, {f"service-{number}": silent for number in range(20)})

    assert answer.status_code == 503
    assert 1 <= time.monotonic() - started < 15
