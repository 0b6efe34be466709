"""Profiles are read from Redis, are never older than the last change, and need no Redis."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event

from identity.adapters.profile_cache import RedisProfiles
from identity.bootstrap import Dependencies, build
from identity.entrypoints.http.app import create_app
from tests.integration.identity.conftest import Person, a_customer
from tests.support.redis import PrivateRedis, private_redis

ME = "/api/auth/me"


@pytest.fixture(scope="module")
def server() -> Iterator[PrivateRedis]:
    with private_redis() as running:
        yield running


@dataclass
class Cached:
    """Identity with a Redis, somebody who uses it, and how often Postgres was asked for users."""

    deps: Dependencies
    ada: Person
    asked: list[str]

    def name(self) -> str:
        answer = self.ada.call("GET", ME)
        assert (answer.status_code, answer.mimetype) == (200, "application/json")
        assert answer.headers["Cache-Control"] == "no-store"
        return str(answer.json["first_name"])

    def rename(self, name: str) -> None:
        assert self.ada.call("PATCH", ME, {"first_name": name}).status_code == 200


@pytest.fixture
def cached(deps: Dependencies, server: PrivateRedis) -> Iterator[Cached]:
    settings = replace(deps.settings, redis_url=server.url)
    own = build(settings)
    asked: list[str] = []

    def count(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "FROM users" in statement:
            asked.append(statement)

    event.listen(own.engine, "before_cursor_execute", count)
    yield Cached(own, a_customer(create_app(settings, own)), asked)
    own.engine.dispose()


def fresh(cached: Cached) -> None:
    """As if the last change were some seconds ago."""
    cached.deps.profiles._redis.delete(f"identity:profile:{cached.ada.id}")


def test_a_profile_is_read_from_postgres_once(cached: Cached):
    fresh(cached)
    first = cached.ada.call("GET", ME).json
    del cached.asked[:]

    assert [cached.ada.call("GET", ME).json for _ in range(3)] == [first] * 3
    assert cached.asked == []
    kept = cached.deps.profiles.get(UUID(cached.ada.id))
    assert b"argon2" not in kept


def test_a_change_is_seen_at_once(cached: Cached):
    fresh(cached)
    assert cached.name() == "Ada"

    for name in ("Adaeze", "Adaora"):
        cached.rename(name)
        assert cached.name() == name


def test_who_read_before_a_change_cannot_put_the_old_profile_back(cached: Cached):
    fresh(cached)
    user_id = UUID(cached.ada.id)
    old = cached.ada.call("GET", ME).get_data()
    cached.rename("Adaeze")

    cached.deps.profiles.keep(user_id, old)

    assert cached.name() == "Adaeze"


def test_without_redis_everything_goes_on(cached: Cached, server: PrivateRedis):
    server.stop()
    try:
        cached.rename("Adaeze")
        assert cached.name() == "Adaeze"
    finally:
        server.start()


def test_a_cache_that_nobody_answers_is_empty():
    away = RedisProfiles("redis://127.0.0.1:1/0")
    nobody = UUID(int=1)

    away.keep(nobody, b"x")
    away.clear(nobody)

    assert away.get(nobody) is None
