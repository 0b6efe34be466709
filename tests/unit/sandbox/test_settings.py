"""How the sandbox is told what it is."""

import pytest

from sandbox.settings import MissingSetting, Settings

ARGUMENTS = [
    "--host=127.0.0.1",
    "--port=1",
    "--smtp-port=2",
    "--public-url=http://localhost:1/",
    "--webhook-url=http://localhost/hook",
    "--state-dir=state",
]
SECRETS = {
    "SANDBOX_PAYSTACK_SECRET": "sk_test_1",
    "SANDBOX_CLOUDINARY_URL": "cloudinary://key:secret@Demo",
}


def test_secrets_come_from_the_environment() -> None:
    settings = Settings.read(ARGUMENTS, SECRETS)

    assert settings.paystack_secret == "sk_test_1"
    assert (settings.cloudinary.key, settings.cloudinary.secret) == ("key", "secret")
    assert settings.cloudinary.cloud == "demo"
    assert settings.public_url == "http://localhost:1"


@pytest.mark.parametrize("name", SECRETS)
def test_a_missing_secret_is_named(name: str) -> None:
    env = {key: value for key, value in SECRETS.items() if key != name}

    with pytest.raises(MissingSetting, match=name):
        Settings.read(ARGUMENTS, env)


def test_an_incomplete_cloudinary_url_is_refused() -> None:
    with pytest.raises(MissingSetting, match="SANDBOX_CLOUDINARY_URL"):
        Settings.read(ARGUMENTS, SECRETS | {"SANDBOX_CLOUDINARY_URL": "cloudinary://demo"})
