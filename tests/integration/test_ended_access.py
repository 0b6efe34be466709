"""Every service refuses, at once, tokens that identity has ended."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from typing import Any
from uuid import UUID

import pytest

from oja_events.contracts.identity import AccessRevoked
from oja_events.envelope import encode
from oja_events.handling import Result, Verdict
from oja_events.migrating import migrate
from oja_events.topology import SUBSCRIBERS
from oja_web.testing import KeyPair, bearer, make_key_pair, make_token
from tests.contract.test_http import made_up_environment
from tests.support.notifier import envelope_of
from tests.support.postgres import scratch_database
from tests.support.waiting import wait_until

ROUTES = {
    "catalog": "/api/admin/products",
    "ordering": "/api/admin/orders",
    "payments": "/api/admin/payments",
    "notifier": "/api/admin/alerts",
}
PERMISSIONS = ["products:read", "orders:read", "payments:read", "alerts:read"]
ISSUER = made_up_environment()["JWT_ISSUER"]


class Shop:
    """One service over a database of its own: its HTTP side and what its consumer does."""

    def __init__(self, service: str, url: str, keys: KeyPair) -> None:
        env = made_up_environment() | {"DATABASE_URL": url, "JWT_PUBLIC_KEYS": keys.jwks}
        settings = import_module(f"{service}.settings").Settings.from_env(env)
        self.deps = import_module(f"{service}.bootstrap").build(settings)
        app = import_module(f"{service}.entrypoints.http.app").create_app(settings, self.deps)
        self._client = app.test_client()
        self._consumer = import_module(f"{service}.entrypoints.consumer")
        self._route, self._keys = ROUTES[service], keys

    def status(self, user_id: uuid.UUID, **claims: Any) -> int:
        token = make_token(
            self._keys.private_pem, sub=str(user_id), iss=ISSUER, permissions=PERMISSIONS, **claims
        )
        return self._client.get(self._route, headers=bearer(token)).status_code

    def hears(self, event: AccessRevoked) -> Result:
        return self._consumer.message_handler(self.deps).handle(encode(envelope_of(event)), {})


@pytest.fixture(scope="module", params=SUBSCRIBERS[AccessRevoked])
def shop(request: pytest.FixtureRequest) -> Iterator[Shop]:
    service = request.param
    with scratch_database() as url:
        migrate(service, import_module(f"{service}.bootstrap").MIGRATIONS, url)
        shop = Shop(service, url, make_key_pair())
        yield shop
        shop.deps.engine.dispose()


def test_s17_after_a_change_of_password_or_roles_old_tokens_are_refused(shop: Shop) -> None:
    ada = uuid.uuid4()
    revoked = AccessRevoked(user_id=ada, revoked_at=datetime.now(UTC), generation=2)

    assert shop.hears(revoked) == Result(Verdict.DONE)

    wait_until(lambda: shop.status(ada, gen=1) == 401)
    assert shop.status(ada, gen=2) == 200
    assert shop.status(uuid.uuid4(), gen=1) == 200


def test_s17_after_signing_out_tokens_of_that_sign_in_are_refused(shop: Shop) -> None:
    ada, sign_in = uuid.uuid4(), str(uuid.uuid4())
    revoked = AccessRevoked(user_id=ada, revoked_at=datetime.now(UTC), sign_in_id=UUID(sign_in))

    assert shop.hears(revoked) == Result(Verdict.DONE)

    wait_until(lambda: shop.status(ada, gen=1, sid=sign_in) == 401)
    assert shop.status(ada, gen=1, sid=str(uuid.uuid4())) == 200
