"""The catalogue over one real database; tests share it and stay apart by random SKUs and tags."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, text
from werkzeug.test import TestResponse

from catalog.bootstrap import MIGRATIONS, Dependencies, build
from catalog.entrypoints.http.app import create_app
from catalog.settings import Settings
from catalog.use_cases import importing
from oja_events.contracts import Event
from oja_events.envelope import decode
from oja_events.migrating import migrate
from oja_web.testing import ISSUER, bearer, make_key_pair, make_token
from tests.integration.catalog.tables import send
from tests.support.postgres import scratch_database

KEYS = make_key_pair()
PERMISSIONS = ["products:read", "products:write", "inventory:read", "inventory:write"]


@pytest.fixture(scope="session")
def deps() -> Iterator[Dependencies]:
    with scratch_database() as url:
        migrate("catalog", MIGRATIONS, url)
        wired = build(settings(url), pool_size=20)
        yield wired
        wired.engine.dispose()


def settings(database_url: str) -> Settings:
    return Settings(
        database_url=database_url,
        broker_url="amqp://none",
        jwt_public_keys=KEYS.jwks,
        jwt_issuer=ISSUER,
        internal_token="t" * 40,
        feed_urls={},
    )


@dataclass(frozen=True)
class SqlShop:
    """See tests.unit.catalog.stock_contract.Shop; `since` is where its own news begin."""

    deps: Dependencies
    since: int

    @property
    def engine(self) -> Engine:
        return self.deps.engine

    def uow(self) -> Any:
        return self.deps.unit_of_work()

    def told(self) -> list[Event]:
        rows = self.rows(
            "SELECT envelope FROM event_log WHERE id > :since ORDER BY id", since=self.since
        )
        return [decode(bytes(row.envelope)).event() for row in rows]

    def level(self, sku: str) -> tuple[int, int]:
        [row] = self.rows("SELECT on_hand, reserved FROM stock WHERE sku = :sku", sku=sku)
        return row.on_hand, row.reserved

    def movements(self, sku: str) -> list[tuple[str, int]]:
        query = "SELECT reason, delta FROM stock_movements WHERE sku = :sku ORDER BY id"
        return [(row.reason, row.delta) for row in self.rows(query, sku=sku)]

    def rows(self, query: str, **values: Any) -> list[Any]:
        with self.engine.connect() as connection:
            return [*connection.execute(text(query), values)]


def new_shop(deps: Dependencies) -> SqlShop:
    [row] = SqlShop(deps, 0).rows("SELECT coalesce(max(id), 0) AS last FROM event_log")
    return SqlShop(deps, row.last)


@pytest.fixture
def shop(deps: Dependencies) -> SqlShop:
    return new_shop(deps)


class Staff:
    """A client that is signed in with all of catalog's permissions."""

    def __init__(self, deps: Dependencies) -> None:
        self._client = create_app(deps.settings, deps).test_client()
        self._headers = bearer(make_token(KEYS.private_pem, permissions=PERMISSIONS))

    def open(
        self,
        method: str,
        url: str,
        *,
        seen: str | None = None,
        key: str | None = None,
        **options: Any,
    ) -> Any:
        """`seen` is the ETag to send as If-Match, `key` the Idempotency-Key."""
        more = {"If-Match": seen, "Idempotency-Key": key}
        headers = {**self._headers, **{name: value for name, value in more.items() if value}}
        return self._client.open(url, method=method, headers=headers, **options)

    def create(self, *variants: dict[str, Any], **changes: Any) -> TestResponse:
        body = {"name": "Basket", "status": "published", **changes}
        body["variants"] = list(variants) or [a_variant()]
        response: TestResponse = self.open("POST", "/api/admin/products", json=body)
        assert response.status_code == 201, response.text
        return response


def a_variant(sku: str | None = None, amount: int = 950_000, **changes: Any) -> dict[str, Any]:
    return {
        "sku": sku or f"SKU-{uuid4().hex[:12]}",
        "price": {"amount": amount, "currency": "NGN"},
        **changes,
    }


@pytest.fixture(scope="session")
def staff(deps: Dependencies) -> Staff:
    return Staff(deps)


@pytest.fixture
def client(deps: Dependencies) -> Any:
    return create_app(deps.settings, deps).test_client()


@pytest.fixture
def tag() -> str:
    """A tag that only this test uses."""
    return f"tag {uuid4().hex[:12]}"


@pytest.fixture
def work(deps: Dependencies) -> Callable[[], None]:
    """Let the worker take in the tables that were sent."""

    def work_until_done() -> None:
        while importing.advance(unit_of_work=deps.unit_of_work, currency="NGN"):
            pass

    return work_until_done


@pytest.fixture
def imported(staff: Staff, work: Callable[[], None]) -> Callable[..., Any]:
    """Send a table and have it taken in; what became of it."""

    def go(table: bytes, query: str = "") -> Any:
        answer = send(staff, table, query)
        assert answer.status_code == 202, answer.text
        assert answer.json["status"] == "queued"
        work()
        return staff.open("GET", answer.headers["Location"]).json

    return go
