import pytest

from payments.settings import MissingSetting, Settings

ENV = {
    "DATABASE_URL": "postgresql+psycopg2://payments:pw@db/oja",
    "BROKER_URL": "amqp://payments:pw@broker/oja",
    "REDIS_URL": "redis://payments:pw@redis/0",
    "JWT_PUBLIC_KEYS": "{}",
    "JWT_ISSUER": "http://localhost:8080",
    "INTERNAL_TOKEN": "t" * 40,
    "FEED_URLS": '{"catalog": "http://127.0.0.1:8000"}',
    "PUBLIC_URL": "http://localhost:8080",
    "PAYSTACK_BASE_URL": "https://api.paystack.co/",
    "PAYSTACK_SECRET_KEY": "sk_test_1",
}


def test_customers_return_to_the_public_address_unless_other_hosts_are_named():
    assert Settings.from_env(ENV).callback_hosts == {"localhost"}

    named = Settings.from_env({**ENV, "CALLBACK_HOSTS": " Shop.example.com, localhost:3000 "})
    assert named.callback_hosts == {"shop.example.com", "localhost:3000"}


@pytest.mark.parametrize("name", sorted(ENV))
def test_what_has_no_default_must_be_there(name: str):
    env = {key: value for key, value in ENV.items() if key != name}

    with pytest.raises(MissingSetting, match=name):
        Settings.from_env(env)


@pytest.mark.parametrize("name", ["PAYSTACK_SECRET_KEY", "PAYSTACK_BASE_URL"])
def test_s40_an_empty_key_or_address_of_paystack_is_none(name: str):
    with pytest.raises(MissingSetting, match=name):
        Settings.from_env({**ENV, name: " "})


def test_settings_do_not_show_their_secrets():
    assert "sk_test_1" not in repr(Settings.from_env(ENV))
    assert ":pw@" not in repr(Settings.from_env(ENV))
