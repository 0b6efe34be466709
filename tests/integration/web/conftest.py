"""A throw-away service that counts what it did, in a Postgres of its own."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from flask import Flask, Response
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.orm import Session, sessionmaker

from oja_events.outbox import Outbox
from oja_events.unit_of_work import SqlTransaction
from oja_web.app import make_app
from oja_web.auth import AuthSettings, signed_in
from oja_web.blueprint import Blueprint
from oja_web.fields import StrictSchema, Text
from oja_web.idempotency import answer_once, answer_once_leased, idempotent
from oja_web.idempotency_store import KeyStore, create_idempotency_table
from oja_web.problems import Problem, Refusal
from oja_web.strict_json import json_response
from oja_web.testing import ISSUER, KeyPair, make_key_pair
from oja_web.throttling import Throttling
from tests.support.postgres import scratch_database


class NobodyListens:
    def wake(self) -> None:
        pass


class UnitOfWork(SqlTransaction):
    def open(self, session: Session, outbox: Outbox) -> None:
        self.idempotency_keys = KeyStore(session)


class SoldOut(Exception):
    pass


class OrderSchema(StrictSchema):
    item = Text(required=True)
    note = Text()


@dataclass
class Shop:
    """What the views do besides counting; tests replace `then`."""

    sessions: sessionmaker[Session]
    then: Callable[[], None] = lambda: None
    started: threading.Event = field(default_factory=threading.Event)

    def unit_of_work(self) -> UnitOfWork:
        return UnitOfWork(self.sessions, source="shop", waker=NobodyListens())

    def orders(self) -> int:
        with self.sessions() as session:
            return session.scalar(text("SELECT count(*) FROM orders"))

    def sell(self, item: str, uow: UnitOfWork) -> Response:
        with uow:
            number = uow.session.scalar(
                text("INSERT INTO orders (item) VALUES (:item) RETURNING id"), {"item": item}
            )
            uow.commit()
        self.started.set()
        self.then()
        headers = {"Location": f"/orders/{number}", "ETag": '"v1"', "Set-Cookie": "a=b"}
        return json_response({"number": number, "item": item}, 201, headers)


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    with scratch_database() as url:
        engine = create_engine(url, pool_size=20)
        with engine.begin() as connection:
            create_idempotency_table(Operations(MigrationContext.configure(connection)))
            connection.execute(
                text("CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY, item text)")
            )
        yield engine
        engine.dispose()


@pytest.fixture
def shop(engine: Engine) -> Shop:
    with engine.begin() as connection:
        connection.execute(text("TRUNCATE orders, idempotency_keys"))
    return Shop(sessionmaker(engine))


@pytest.fixture(scope="session")
def keys() -> KeyPair:
    return make_key_pair()


@pytest.fixture
def app(shop: Shop, keys: KeyPair, engine: Engine) -> Flask:
    blp = Blueprint("shop", __name__, url_prefix="/api")

    @blp.post("/orders")
    @signed_in
    @idempotent
    @blp.arguments(OrderSchema)
    @blp.response(201)
    def order(body: dict[str, Any]) -> Response:
        return answer_once(shop.unit_of_work(), lambda uow: shop.sell(body["item"], uow))

    @blp.post("/gifts")
    @signed_in
    @idempotent
    @blp.arguments(OrderSchema)
    @blp.response(201)
    def gift(body: dict[str, Any]) -> Response:
        return answer_once(shop.unit_of_work(), lambda uow: shop.sell(body["item"], uow))

    @blp.post("/payments")
    @signed_in
    @idempotent
    @blp.arguments(OrderSchema)
    @blp.response(201)
    def pay(body: dict[str, Any]) -> Response:
        return answer_once_leased(engine, lambda: shop.sell(body["item"], shop.unit_of_work()))

    return make_app(
        "shop",
        title="Shop",
        auth=AuthSettings(keys.jwks, ISSUER),
        blueprints=[blp],
        errors={SoldOut: Refusal(409, "sold_out", "There is none left.")},
        dependencies=shop,
        ready=lambda: None,
        throttling=Throttling(dict.fromkeys(("anonymous", "signed_in"), "100000 per minute")),
    )


def refuse() -> None:
    raise SoldOut


def refuse_for_now() -> None:
    raise Problem(409, "not_ready", "Soon.", headers={"Retry-After": "1"})


def fail() -> None:
    raise RuntimeError("the shelf fell down")


def be_unreachable() -> None:
    raise Problem(503, "provider_unavailable", "The bank does not answer.")
