"""What a service shows to an auditor over HTTP: to who has the token, and in pages."""

from collections.abc import Iterator
from threading import Thread
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine
from werkzeug.serving import make_server

from oja_events.books.facts import SqlSources
from oja_events.books.report import SourceAway
from oja_web.books import HTTPSources, register_books
from oja_web.problems import register_problems
from tests.integration.web.test_feed import SERVICE, TOKEN, engine
from tests.support.servers import free_port

__all__ = ["engine"]
FACTS = {
    "numbers": "SELECT n FROM generate_series(1, 9) AS n WHERE n > CAST(:after AS int) LIMIT :limit"
}


@pytest.fixture
def app(engine: Engine) -> Flask:
    app = Flask("shop")
    register_problems(app, {})
    register_books(app, engine, TOKEN, FACTS)
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def url(app: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_over_http_the_facts_are_what_they_are_in_the_database(url: str, engine: Engine) -> None:
    over_http = HTTPSources({"shop": url}, TOKEN)
    from_database = SqlSources({"shop": (engine, FACTS)})
    event_id = str(uuid4())

    for sources in (over_http, from_database):
        assert sources.rows("shop", "numbers", after="3", limit=2) == [{"n": 4}, {"n": 5}]
        assert sources.rows("shop", "heard", ids=[event_id]) == [
            {"event_id": event_id, "outcome": "missing"}
        ]


def test_a_service_that_cannot_be_asked_is_away(url: str) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    for sources in (
        HTTPSources({"shop": nowhere}, TOKEN),
        HTTPSources({}, TOKEN),
        HTTPSources({"shop": url}, "another token"),
    ):
        with pytest.raises(SourceAway):
            sources.rows("shop", "numbers", after="0")


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}])
def test_strangers_are_shown_nothing(client: FlaskClient, headers: dict[str, str]) -> None:
    assert client.post("/internal/books/numbers", json={}, headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("fact", "wish", "status"),
    [
        ("nothing", {}, 404),
        ("numbers", {"limit": 501}, 400),
        ("numbers", {"limit": 0}, 400),
        ("heard", {"ids": [str(uuid4())] * 501}, 400),
        ("numbers", {"unknown": 1}, 400),
    ],
)
def test_what_is_not_shown_or_too_much_is_refused(
    client: FlaskClient, fact: str, wish: dict[str, object], status: int
) -> None:
    answer = client.post(f"/internal/books/{fact}", json=wish, headers=SERVICE)

    assert answer.status_code == status
