"""S14: another key for access tokens, while people are signed in."""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.test_scaling import oja
from tests.support.shop import Client, Customer, Shop

# One call per service that tells whether a customer's token is good: not 401.
ASKED = {
    "identity": "/api/auth/me",
    "catalog": "/api/admin/products",
    "ordering": "/api/cart",
    "payments": "/api/payments",
    "notifier": "/api/admin/alerts",
}


def key_of(token: str) -> str:
    head = token.split(".")[0]
    kid: str = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))["kid"]
    return kid


def statuses(client: Client) -> dict[str, int]:
    return {service: client.get(path).status_code for service, path in ASKED.items()}


def published(shop: Shop) -> set[str]:
    keys: list[dict[str, Any]] = shop.visitor().get("/api/auth/jwks.json").json()["keys"]
    return {key["kid"] for key in keys}


def token_of(customer: Customer) -> str:
    return customer.headers["Authorization"].removeprefix("Bearer ")


def let_tokens_expire(shop: Shop) -> None:
    """As if the key had been retired an hour ago."""
    file = Path(shop.description["home"]) / "credentials" / "jwt-keys-retired.json"
    long_ago = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    entries = [entry | {"at": long_ago} for entry in json.loads(file.read_text())]
    file.write_text(json.dumps(entries))


def test_s14_nobody_is_signed_out_by_another_key(shop: Shop):
    ada = shop.customer()
    tokens = shop.visitor().post("/api/auth/login", ada.credentials).json()
    console = shop.staff.get("/api/admin/session")
    before = statuses(ada)

    assert "A new key signs" in oja(shop, "keys", "rotate")

    assert statuses(ada) == before
    assert 401 not in before.values()
    zoe = shop.customer()
    old, new = key_of(token_of(ada)), key_of(token_of(zoe))
    assert old != new
    assert {old, new} <= published(shop)
    assert statuses(zoe) == before
    assert shop.staff.get("/api/admin/session").json() == console.json()
    assert shop.staff.get("/api/admin/orders").status_code == 200

    with pytest.raises(AssertionError, match="are good until"):
        oja(shop, "keys", "drop")
    let_tokens_expire(shop)
    oja(shop, "keys", "drop")

    assert published(shop) == {new}
    assert statuses(ada) == dict.fromkeys(ASKED, 401)
    assert statuses(zoe) == before
    refresh = {"refresh_token": tokens["refresh_token"]}
    refreshed = shop.visitor().post("/api/auth/refresh", refresh)
    assert refreshed.status_code == 200
    assert key_of(refreshed.json()["access_token"]) == new
