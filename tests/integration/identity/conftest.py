"""The identity service over a real database, and people who use it."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from threading import Event
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, text
from werkzeug.test import TestResponse

from identity.adapters.unit_of_work import SqlUnitOfWork
from identity.bootstrap import MIGRATIONS, Dependencies, build
from identity.domain.values import EmailAddress, Profile
from identity.entrypoints.http.app import create_app
from identity.settings import HashingSettings, Settings, SignInSettings
from identity.use_cases.commands import accounts, staff
from oja_events.migrating import migrate
from oja_web.testing import bearer, make_key_pair
from tests.support.postgres import scratch_database
from tests.support.redis import private_redis

PASSWORD = "a horse of course"
SHOP = "http://shop.test:8080"
CHEAP = HashingSettings(memory_kib=8, time_cost=1, parallelism=1, concurrency=8)
KEYS = make_key_pair()
INTERNAL_TOKEN = "t" * 40
RATES = ("anonymous", "signed_in", "login", "register", "reset", "confirm", "resend")
NO_REDIS = "redis://127.0.0.1:1/0"
# All these people have one address; what happens to a crowd is tested in test_throttling.py.
CROWD = SignInSettings(
    failures_of_address=10**6, failures_overall=10**6, taken_addresses=10**6, reset_mails=10**6
)


@pytest.fixture(scope="session")
def settings() -> Iterator[Settings]:
    with scratch_database() as url, private_redis() as server:
        migrate("identity", MIGRATIONS, url)
        yield Settings(
            database_url=url,
            broker_url="amqp://nowhere.test",
            public_url=SHOP,
            jwt_private_key=KEYS.private_pem,
            jwt_public_keys=KEYS.jwks,
            jwt_issuer=SHOP,
            redis_url=server.url,
            sign_in=CROWD,
            rates=dict.fromkeys(RATES, "100000 per minute"),
            readiness_urls={},
            feed_urls={},
            internal_token=INTERNAL_TOKEN,
            storefront_url=SHOP,
            hashing=CHEAP,
        )


@pytest.fixture(scope="session")
def deps(settings: Settings) -> Iterator[Dependencies]:
    wired = build(settings, pool_size=30)
    yield wired
    wired.engine.dispose()


@pytest.fixture(scope="session")
def app(settings: Settings, deps: Dependencies) -> Flask:
    return create_app(settings, deps)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def secure_app(settings: Settings, deps: Dependencies) -> Flask:
    """The same shop behind TLS."""
    secure = replace(settings, public_url="https://shop.test")
    return create_app(secure, replace(deps, settings=secure))


@dataclass
class Database:
    """What the tests look at and turn the clock back in."""

    engine: Engine

    def rows(self, statement: str, **values: Any) -> list[Any]:
        with self.engine.connect() as connection:
            return list(connection.execute(text(statement), values))

    def change(self, statement: str, **values: Any) -> int:
        with self.engine.begin() as connection:
            return connection.execute(text(statement), values).rowcount

    def audit(self, target: str | UUID) -> list[str]:
        rows = self.rows(
            "SELECT action FROM audit_log WHERE target_id = :id ORDER BY id", id=str(target)
        )
        return [row.action for row in rows]

    def somebody_waits(self) -> bool:
        """For a lock that somebody else holds."""
        return bool(
            self.rows(
                "SELECT FROM pg_stat_activity"
                " WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
        )


@pytest.fixture(scope="session")
def database(deps: Dependencies) -> Database:
    return Database(deps.engine)


@dataclass
class Held:
    """A unit of work that has done everything, and commits when it is let go."""

    uow: SqlUnitOfWork
    reached: Event = field(default_factory=Event)
    let_go: Event = field(default_factory=Event)

    def commit(self) -> None:
        self.reached.set()
        self.let_go.wait(20)
        SqlUnitOfWork.commit(self.uow)


@pytest.fixture
def held(deps: Dependencies, monkeypatch: pytest.MonkeyPatch) -> Held:
    held = Held(deps.unit_of_work())
    monkeypatch.setattr(held.uow, "commit", held.commit)
    return held


@dataclass
class Person:
    """A customer or colleague with a client of their own."""

    client: FlaskClient
    email: str
    id: str
    password: str = PASSWORD
    headers: dict[str, str] = field(default_factory=dict)

    def log_in(self, password: str | None = None) -> TestResponse:
        body = {"email": self.email, "password": password or self.password}
        return self.client.post("/api/auth/login", json=body)

    def tokens(self) -> dict[str, Any]:
        """Sign in; later calls carry the access token."""
        tokens: dict[str, Any] = self.log_in().json
        self.headers = bearer(tokens["access_token"])
        return tokens

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.open(path, method=method, json=body, headers=self.headers | named)

    def open_session(self, **headers: str) -> TestResponse:
        body = {"email": self.email, "password": self.password}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post("/api/admin/session", json=body, headers=named)


def registration(address: str, /, **changes: Any) -> dict[str, Any]:
    return {
        "email": address,
        "password": PASSWORD,
        "password_confirm": PASSWORD,
        "first_name": "Ada",
        "last_name": "Obi",
    } | changes


def an_email() -> str:
    return f"ada.{uuid.uuid4().hex[:12]}@example.com"


@pytest.fixture
def ada(app: Flask) -> Person:
    return a_customer(app)


@pytest.fixture
def zoe(app: Flask) -> Person:
    return a_customer(app)


def a_customer(app: Flask) -> Person:
    client, email = app.test_client(), an_email()
    user = client.post("/api/auth/register", json=registration(email)).json
    person = Person(client, email, user["id"])
    person.tokens()
    return person


@pytest.fixture
def admin(app: Flask, deps: Dependencies) -> Person:
    return a_colleague(app, deps, "admin")


@pytest.fixture
def support(app: Flask, deps: Dependencies) -> Person:
    return a_colleague(app, deps, "support")


def a_colleague(app: Flask, deps: Dependencies, *roles: str) -> Person:
    email = an_email()
    new = staff.NewUser(
        EmailAddress(email, email), Profile("Shop", "Keeper"), PASSWORD, frozenset(roles)
    )
    user = staff.create_admin(new, policy=deps.policy, hasher=deps.hasher, uow=deps.unit_of_work())
    person = Person(app.test_client(), email, str(user.id))
    person.tokens()
    return person


def close(person: Person, deps: Dependencies, uow: SqlUnitOfWork) -> None:
    """The owner closes the account, in this unit of work."""
    accounts.erase_account(
        UUID(person.id),
        person.password,
        address=None,
        attempts=deps.attempts,
        hasher=deps.hasher,
        uow=uow,
    )
