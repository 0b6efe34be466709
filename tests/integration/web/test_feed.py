"""A service's feed over HTTP: for services alone."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from oja_events import schema
from oja_events.database import make_engine
from oja_web.feed import register_feed
from oja_web.problems import register_problems
from tests.support.postgres import scratch_database

TOKEN = "t" * 40
SERVICE = {"Authorization": f"Bearer {TOKEN}"}


class _Op:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def execute(self, sqltext: str) -> None:
        with self._engine.begin() as connection:
            connection.execute(text(sqltext))


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with scratch_database() as url:
        engine = make_engine(url, application="test")
        schema.create_v1(_Op(engine))
        schema.create_feed(_Op(engine))
        yield engine
        engine.dispose()


@pytest.fixture
def client(engine: Engine) -> FlaskClient:
    app = Flask("shop")
    register_problems(app, {})
    register_feed(app, engine, TOKEN)
    return app.test_client()


def test_a_feed_is_told_as_it_was_written(client: FlaskClient, engine: Engine) -> None:
    envelope = '{"b":1, "a": "ọjà"}'
    with engine.begin() as connection:
        connection.execute(
            text(
                "WITH log AS (INSERT INTO event_log"
                " (event_id, type, subject, sequence, occurred_at, envelope)"
                " VALUES (gen_random_uuid(), 'oja.shop.opened.v1', 's', 1, now(), :envelope)"
                " RETURNING id) INSERT INTO event_feed (position, event_log_id)"
                " SELECT 1, id FROM log"
            ),
            {"envelope": envelope.encode()},
        )

    answer = client.get("/internal/events", headers=SERVICE)

    assert answer.status_code == 200
    assert f'"envelope":{envelope}' in answer.text
    assert (answer.json["next"], answer.json["head"], answer.json["more"]) == (1, 1, False)


def test_a_feed_remembers_how_far_each_consumer_has_read(
    client: FlaskClient, engine: Engine
) -> None:
    for after in (0, 1):
        client.get(f"/internal/events?after={after}&consumer=packing", headers=SERVICE)

    with engine.connect() as connection:
        assert connection.execute(text("SELECT consumer, position FROM feed_reader")).all() == [
            ("packing", 1)
        ]


@pytest.mark.parametrize("token", ["", "Bearer", "Bearer ", "Bearer x", f"Basic {TOKEN}", TOKEN])
def test_a_feed_is_nothing_for_strangers(client: FlaskClient, token: str) -> None:
    answer = client.get("/internal/events", headers={"Authorization": token})

    assert (answer.status_code, answer.json["code"]) == (401, "unauthenticated")


@pytest.mark.parametrize(
    "query", ["after=-1", "after=x", "after=1e3", "limit=501", "after=٣", f"after={'9' * 30}"]
)
def test_a_question_that_makes_no_sense_is_refused(client: FlaskClient, query: str) -> None:
    assert client.get(f"/internal/events?{query}", headers=SERVICE).status_code == 400
