import pytest

from identity.settings import HashingSettings, MissingSetting, Settings

ENVIRONMENT = {
    "DATABASE_URL": "postgresql+psycopg2://identity@db/oja",
    "BROKER_URL": "amqp://identity@broker/oja",
    "PUBLIC_URL": "http://shop.test",
    "JWT_PRIVATE_KEY": "-----BEGIN PRIVATE KEY-----\\nabc\\n-----END PRIVATE KEY-----\\n",
    "JWT_PUBLIC_KEYS": "{}",
    "JWT_ISSUER": "http://shop.test",
    "READINESS_URLS": '{"catalog": "http://catalog/internal/readyz"}',
    "FEED_URLS": '{"catalog": "http://catalog"}',
    "INTERNAL_TOKEN": "t" * 40,
    "REDIS_URL": "redis://identity@redis:6379/0",
}


def test_a_key_on_one_line_becomes_a_pem_file_again():
    assert Settings.from_env(ENVIRONMENT).jwt_private_key.count("\n") == 3


def test_s12_there_is_no_default_for_a_secret_or_an_address():
    for name in ENVIRONMENT:
        rest = {key: value for key, value in ENVIRONMENT.items() if key != name}
        with pytest.raises(MissingSetting, match=name):
            Settings.from_env(rest)


def test_the_urls_to_ask_must_be_readable():
    with pytest.raises(MissingSetting, match="READINESS_URLS"):
        Settings.from_env(ENVIRONMENT | {"READINESS_URLS": "http://catalog"})


def test_s01_the_cost_of_a_hash_is_a_setting():
    costs = {"ARGON2_MEMORY_KIB": "131072", "ARGON2_TIME_COST": "4", "ARGON2_PARALLELISM": "2"}
    settings = Settings.from_env(ENVIRONMENT | costs | {"ARGON2_CONCURRENCY": "3"})
    assert settings.hashing == HashingSettings(131072, 4, 2, 3)


def test_the_private_key_is_not_shown_with_the_settings():
    assert "PRIVATE KEY" not in repr(Settings.from_env(ENVIRONMENT))
