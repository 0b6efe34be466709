"""Reading another service's feed: whatever goes wrong, it is away and nothing worse."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from oja_events.feed import FeedAway
from oja_web.feeds import HTTPFeeds, internal_token, service_urls

TOKEN = "t" * 40
PAGE = {"events": [], "next": 7, "more": False, "head": 9, "unpublished_seconds": 0.5}


class Source:
    """Answers every request with `status` and `body`; remembers what it was asked."""

    def __init__(self) -> None:
        self.status, self.body = 200, json.dumps(PAGE).encode()
        self.asked: list[tuple[str, str | None]] = []
        source = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                source.asked.append((self.path, self.headers.get("Authorization")))
                self.send_response(source.status)
                self.send_header("Content-Length", str(len(source.body)))
                self.end_headers()
                self.wfile.write(source.body)

            def log_message(self, format: str, *args: object) -> None:
                """Not worth a line."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def source() -> Iterator[Source]:
    source = Source()
    yield source
    source.stop()


def read(source: Source) -> int:
    feeds = HTTPFeeds({"catalog": source.url}, TOKEN, consumer="ordering")
    return feeds.page("catalog", after=5, types=["a", "b"], older_than=60.0).next


def test_a_feed_is_asked_for_what_is_missing_with_the_token(source: Source) -> None:
    assert read(source) == 7

    [(path, token)] = source.asked
    assert token == f"Bearer {TOKEN}"
    assert urlsplit(path).path == "/internal/events"
    assert parse_qs(urlsplit(path).query) == {
        "after": ["5"],
        "types": ["a,b"],
        "older_than": ["60"],
        "consumer": ["ordering"],
    }


@pytest.mark.parametrize(
    ("status", "body"), [(500, b"{}"), (401, b"{}"), (200, b"no json"), (200, b"{}"), (204, b"")]
)
def test_an_answer_that_is_no_page_is_no_feed(source: Source, status: int, body: bytes) -> None:
    source.status, source.body = status, body

    with pytest.raises(FeedAway):
        read(source)


def test_a_service_that_does_not_answer_is_away(source: Source) -> None:
    source.stop()

    with pytest.raises(FeedAway):
        read(source)


def test_a_service_that_nobody_named_is_away(source: Source) -> None:
    with pytest.raises(FeedAway, match="identity"):
        HTTPFeeds({}, TOKEN, consumer="x").page("identity", after=0, types=(), older_than=0)


@pytest.mark.parametrize("text", ["", "[]", "http://x", '"catalog"'])
def test_urls_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"JSON|Expecting value"):
        service_urls(text)


def test_a_token_that_can_be_guessed_is_refused() -> None:
    assert internal_token(TOKEN) == TOKEN
    with pytest.raises(ValueError, match="32 characters"):
        internal_token("secret")
