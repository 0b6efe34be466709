"""Notifier asks identity for a link, here over a socket."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from uuid import uuid4

import pytest

from notifier.adapters.one_time_links import IdentityLinks
from notifier.use_cases.errors import Deferred, NotWantedAnyMore

TOKEN = "t" * 40


@contextmanager
def identity(status: int) -> Iterator[tuple[str, list[tuple[str, str | None, dict[str, str]]]]]:
    """A server that answers with this status; yields its URL and what it was asked."""
    asked: list[tuple[str, str | None, dict[str, str]]] = []

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append((self.path, self.headers["Authorization"], body))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(b'{"url": "https://shop.test/x#token=1"}')

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked


def test_it_shows_its_token_and_gets_the_link() -> None:
    request_id = uuid4()
    with identity(200) as (url, asked):
        link = IdentityLinks(url, TOKEN).link_for(request_id)

    assert link == "https://shop.test/x#token=1"
    assert asked == [
        ("/internal/one-time-links", f"Bearer {TOKEN}", {"request_id": str(request_id)})
    ]


@pytest.mark.parametrize(
    ("status", "problem"), [(410, NotWantedAnyMore), (401, Deferred), (503, Deferred)]
)
def test_a_refusal_says_whether_to_ask_again(status: int, problem: type[Exception]) -> None:
    with identity(status) as (url, _), pytest.raises(problem):
        IdentityLinks(url, TOKEN).link_for(uuid4())


def test_nobody_there_means_later() -> None:
    with pytest.raises(Deferred, match="ConnectionRefusedError"):
        IdentityLinks("http://127.0.0.1:1", TOKEN).link_for(uuid4())
