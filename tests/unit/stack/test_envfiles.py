"""The environments of the services, and what an --env-file replaces in them."""

import stat
from importlib import import_module
from pathlib import Path

import pytest

from stack import envfiles
from stack.credentials import Credentials
from stack.envfiles import Addresses
from stack.failure import Failure
from stack.services import SERVICES


@pytest.fixture
def at(tmp_path: Path) -> Addresses:
    return some_addresses(tmp_path)


def some_addresses(folder: Path, **overrides: str) -> Addresses:
    credentials = Credentials(folder)
    urls = {service: f"postgresql+psycopg2://{service}:x@127.0.0.1:1/oja" for service in SERVICES}
    return Addresses(
        public_url="http://localhost:8080",
        databases=urls,
        migrations=urls,
        brokers={service: f"amqp://{service}:x@127.0.0.1:2/oja" for service in SERVICES},
        redis={service: f"redis://{service}:x@127.0.0.1:3/0" for service in SERVICES},
        readiness={service: "http://127.0.0.1:4/internal/readyz" for service in SERVICES},
        feeds={service: "http://127.0.0.1:4" for service in SERVICES},
        sandbox="http://127.0.0.1:8025",
        smtp="smtp://oja:x@127.0.0.1:5",
        paystack_secret=credentials.paystack_secret(),
        cloudinary_url="cloudinary://1:x@oja-sandbox",
        jwt_private_key=credentials.jwt_private_key(),
        jwt_public_keys=credentials.jwt_public_keys(),
        identity="http://127.0.0.1:6",
        internal_token=credentials.password("internal"),
        overrides=overrides,
    )


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_can_read_its_settings_from_its_file(service, at, tmp_path):
    envfiles.write(tmp_path, at)
    written = dict(
        line.split("=", 1) for line in (tmp_path / f"{service}.env").read_text().splitlines()
    )
    settings = import_module(f"{service}.settings").Settings

    assert settings.from_env(written | {"HEALTH_HOST": "127.0.0.1", "HEALTH_PORT": "9"})


def test_only_the_owner_may_read_the_files(at, tmp_path):
    envfiles.write(tmp_path, at)

    for service in SERVICES:
        assert stat.S_IMODE((tmp_path / f"{service}.env").stat().st_mode) == 0o600


def test_no_running_process_can_change_the_schema(at):
    for service in SERVICES:
        assert "MIGRATION_DATABASE_URL" not in envfiles.environment(service, at)


def test_a_key_stays_on_one_line(at, tmp_path):
    envfiles.write(tmp_path, at)

    line = next(
        line
        for line in (tmp_path / "identity.env").read_text().splitlines()
        if line.startswith("JWT_PRIVATE_KEY=")
    )
    assert line.replace("\\n", "\n").removeprefix("JWT_PRIVATE_KEY=").strip() == (
        at.jwt_private_key.strip()
    )


def test_a_real_account_replaces_the_sandbox_for_the_service_that_uses_it(tmp_path):
    at = some_addresses(tmp_path, PAYSTACK_SECRET_KEY="sk_live_1")

    assert envfiles.environment("payments", at)["PAYSTACK_SECRET_KEY"] == "sk_live_1"
    assert "PAYSTACK_SECRET_KEY" not in envfiles.environment("catalog", at)


def test_a_real_image_account_takes_the_sandbox_s_hosts_away(tmp_path):
    file = tmp_path / "real.env"
    file.write_text("CLOUDINARY_URL=cloudinary://key:secret@real\n")

    at = some_addresses(tmp_path, **envfiles.overrides(file))

    catalog = envfiles.environment("catalog", at)
    assert catalog["CLOUDINARY_URL"] == "cloudinary://key:secret@real"
    assert "CLOUDINARY_UPLOAD_PREFIX" not in catalog


def test_a_file_may_have_comments_quotes_and_settings_of_others(tmp_path):
    file = tmp_path / "mine.env"
    file.write_text("# mine\n\nexport SMTP_URL='smtp://me:x@mail:25'\nPOSTGRES_VERSION=15\n")

    assert envfiles.overrides(file) == {"SMTP_URL": "smtp://me:x@mail:25"}


def test_a_file_that_makes_no_sense_is_refused(tmp_path):
    file = tmp_path / "mine.env"
    file.write_text("SMTP_URL\n")

    with pytest.raises(Failure, match="not NAME=value"):
        envfiles.overrides(file)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(Failure, match="cannot be read"):
        envfiles.overrides(tmp_path / "none.env")
