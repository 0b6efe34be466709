"""Ordering's settings: complete or not at all, and no password in a log."""

from datetime import timedelta

import pytest

from ordering.settings import MissingSetting, Settings

ENV = {
    "DATABASE_URL": "postgresql+psycopg2://ordering:pg-password@db/oja",
    "BROKER_URL": "amqp://ordering:broker-password@broker/oja",
    "REDIS_URL": "redis://ordering:redis-password@redis/0",
    "JWT_PUBLIC_KEYS": "{}",
    "JWT_ISSUER": "http://localhost:8080",
    "INTERNAL_TOKEN": "t" * 40,
    "FEED_URLS": '{"catalog": "http://127.0.0.1:8000"}',
}


@pytest.mark.parametrize("name", ENV)
def test_what_has_no_sane_default_must_be_given(name: str) -> None:
    with pytest.raises(MissingSetting, match=name):
        Settings.from_env({key: value for key, value in ENV.items() if key != name})


def test_behaviour_has_defaults() -> None:
    settings = Settings.from_env(ENV)

    assert settings.payment_window == timedelta(minutes=30)
    assert settings.cart_lifetime == timedelta(days=90)
    assert settings.log_level == "INFO"


def test_behaviour_can_be_set() -> None:
    settings = Settings.from_env({**ENV, "PAYMENT_WINDOW_MINUTES": "5", "CART_LIFETIME_DAYS": "7"})

    assert settings.payment_window == timedelta(minutes=5)
    assert settings.cart_lifetime == timedelta(days=7)


def test_passwords_stay_out_of_the_repr() -> None:
    owner = "postgresql+psycopg2://ordering_owner:owner-password@db/oja"
    settings = Settings.from_env({**ENV, "MIGRATION_DATABASE_URL": owner})

    assert "password" not in repr(settings)
