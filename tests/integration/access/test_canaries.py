"""S62: secrets that people send or get stay out of logs, databases and events."""

import logging
import re
from collections.abc import Iterator
from uuid import uuid4

import pytest
from sqlalchemy import text

from stack.services import SERVICES
from tests.support.five_apps import FiveApps

PASSWORD = f"canary-{uuid4().hex}"


def everything_stored(shop: FiveApps) -> Iterator[tuple[str, str]]:
    """Every row of every table of every service, as text."""
    for service in SERVICES:
        with shop.deps[service].engine.connect() as connection:
            tables = connection.scalars(
                text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            ).all()
            for table in tables:
                for row in connection.execute(text(f'SELECT t::text FROM "{table}" t')):
                    yield f"{service}.{table}", row[0]
            # Events are kept as bytes, which would show as digits.
            for row in connection.execute(
                text("SELECT convert_from(envelope, 'utf8') FROM event_log")
            ):
                yield f"{service}.event_log", row[0]


@pytest.fixture
def logs_as_usual(capsys: pytest.CaptureFixture[str]) -> Iterator[None]:
    """All that the shop writes, and caught from here on."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.INFO)
    yield
    root.setLevel(level)


@pytest.fixture
def secrets(shop: FiveApps, logs_as_usual: None) -> dict[str, str]:
    """What a colleague sends and gets on a day at work, going wrong here and there."""
    email = f"ada.{uuid4().hex[:12]}@example.com"
    body = {
        "email": email,
        "password": PASSWORD,
        "password_confirm": PASSWORD,
        "first_name": "Ada",
        "last_name": "Obi",
    }
    call = shop.call
    assert call("identity", "POST", "/api/auth/register", {}, json=body).status_code == 201
    signed_in = {"email": email, "password": PASSWORD}
    tokens = call("identity", "POST", "/api/auth/login", {}, json=signed_in).get_json()
    fresh = call(
        "identity",
        "POST",
        "/api/auth/refresh",
        {},
        json={"refresh_token": tokens["refresh_token"]},
    ).get_json()
    wrong = {"email": email, "password": f"wrong-{PASSWORD}"}
    assert call("identity", "POST", "/api/auth/login", {}, json=wrong).status_code == 401
    typo = {"email": email, "pasword": PASSWORD}
    assert call("identity", "POST", "/api/auth/login", {}, json=typo).status_code == 422
    forged = {"Authorization": f"Bearer {fresh['access_token']}x"}
    for service, path in (("ordering", "/api/cart"), ("payments", "/api/payments")):
        assert call(service, "GET", path, forged).status_code == 401
        assert call(service, "GET", f"{path}?token={PASSWORD}", forged).status_code == 401
    console = shop.console(shop.person("admin"))
    return {
        "password": PASSWORD,
        "first refresh token": tokens["refresh_token"],
        "second refresh token": fresh["refresh_token"],
        "access token": fresh["access_token"],
        "cookie": re.sub("^.*?=", "", console["Cookie"]),
        "CSRF token": console["X-CSRF-Token"],
    }


def test_s62_no_secret_is_stored_or_logged_or_told(
    shop: FiveApps, secrets: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    logged = "".join(capsys.readouterr())
    assert logged.count("request answered") >= len(secrets)
    stored = list(everything_stored(shop))
    assert len(stored) > 50

    for name, secret in secrets.items():
        assert secret not in logged, f"{name} in the logs"
        holding = {where for where, row in stored if secret in row}
        assert not holding, f"{name} in {holding}"


def test_s62_a_name_cannot_forge_a_line_of_the_log(
    shop: FiveApps, capsys: pytest.CaptureFixture[str]
) -> None:
    forged = '{"level": "info", "event": "forged"}'
    headers = {"User-Agent": "x", "X-Request-ID": f"a\\n{forged}"}
    shop.call("ordering", "GET", f"/api/cart?x=%0a{forged}", headers)

    assert not [line for line in capsys.readouterr().out.splitlines() if line.startswith(forged)]
