"""The operator's commands."""

import io
import os
import subprocess
import sys
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from identity.entrypoints import admin
from identity.settings import Settings
from tests.integration.identity.conftest import (
    INTERNAL_TOKEN,
    KEYS,
    NO_REDIS,
    PASSWORD,
    SHOP,
    Database,
    an_email,
)

Command = Callable[..., None]


@pytest.fixture
def environment(settings: Settings) -> dict[str, str]:
    return {
        "DATABASE_URL": settings.database_url,
        "MIGRATION_DATABASE_URL": settings.database_url,
        "BROKER_URL": settings.broker_url,
        "PUBLIC_URL": SHOP,
        "JWT_ISSUER": SHOP,
        "JWT_PRIVATE_KEY": KEYS.private_pem.replace("\n", "\\n"),
        "JWT_PUBLIC_KEYS": KEYS.jwks,
        "READINESS_URLS": "{}",
        "REDIS_URL": NO_REDIS,
        "INTERNAL_TOKEN": INTERNAL_TOKEN,
        "FEED_URLS": "{}",
        "ARGON2_MEMORY_KIB": "8",
        "ARGON2_TIME_COST": "1",
    }


@pytest.fixture
def run(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Command:
    settings = Settings.from_env(environment)
    monkeypatch.setattr(admin.Settings, "from_env", lambda: settings)

    def call(*words: str, given: str = "") -> None:
        monkeypatch.setattr(sys, "argv", ["identity-admin", *words])
        monkeypatch.setattr(sys, "stdin", io.StringIO(given))
        admin.main()

    return call


def test_an_admin_is_created_by_a_program_of_its_own(
    environment: dict[str, str], client: FlaskClient, database: Database
):
    email = an_email()
    done = subprocess.run(
        [sys.executable, "-m", "identity.entrypoints.admin", "create-admin", "--email", email],
        input=f"{PASSWORD}\n", capture_output=True, text=True, env=os.environ | environment,
        timeout=60, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, "")
    session = client.post("/api/admin/session", json={"email": email, "password": PASSWORD}).json
    assert session["user"]["roles"] == ["admin"]
    assert database.audit(session["user"]["id"])[0] == "admin_created"


def test_a_second_one_of_the_same_address_is_refused_or_not_wanted(
    run: Command, client: FlaskClient
):
    email = an_email()
    command = ("create-admin", "--email", email)
    run(*command, given=f"{PASSWORD}\n")

    with pytest.raises(SystemExit, match="there is an account"):
        run(*command, given="another horse\n")
    run(*command, "--if-missing", given="another horse\n")

    body = {"email": email, "password": PASSWORD}
    assert client.post("/api/auth/login", json=body).status_code == 200


@pytest.mark.parametrize(
    ("email", "given", "reason"),
    [
        (an_email(), "12345678\n", "Too common"),
        (an_email(), "\n", "give a password"),
        (an_email(), "x" * 300, "give a password"),
        ("admin", f"{PASSWORD}\n", "@-sign"),
    ],
)
def test_s12_no_admin_with_a_weak_password(run: Command, email: str, given: str, reason: str):
    with pytest.raises(SystemExit, match=reason):
        run("create-admin", "--email", email, given=given)


def test_migrating_is_repeatable(run: Command):
    run("migrate")
