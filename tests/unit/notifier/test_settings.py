"""What notifier is told from outside."""

import pytest

from notifier.adapters.smtp import BadSMTPURL, SMTPAddress
from notifier.bootstrap import build
from notifier.domain.letter import BadAddress
from notifier.settings import MissingSetting, Settings

ENVIRONMENT = {
    "DATABASE_URL": "postgresql+psycopg2://notifier:pw@localhost/oja",
    "BROKER_URL": "amqp://notifier:pw@localhost/oja",
    "REDIS_URL": "redis://notifier:pw@redis/0",
    "JWT_PUBLIC_KEYS": "{}",
    "JWT_ISSUER": "http://localhost:8080",
    "SMTP_URL": "smtp://localhost:2525",
    "MAIL_FROM": "Oja <orders@oja.example>",
    "STAFF_MAIL": "staff@oja.example",
    "PUBLIC_URL": "http://shop.test",
    "IDENTITY_URL": "http://localhost:8001",
    "INTERNAL_TOKEN": "t" * 40,
    "FEED_URLS": '{"ordering": "http://127.0.0.1:8000"}',
}


def test_the_environment_is_enough() -> None:
    assert Settings.from_env(ENVIRONMENT).mail_from == "Oja <orders@oja.example>"


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_nothing_that_matters_has_a_default(name: str) -> None:
    with pytest.raises(MissingSetting, match=name):
        Settings.from_env({key: value for key, value in ENVIRONMENT.items() if key != name})


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("smtp://localhost:2525", SMTPAddress("smtp", "localhost", 2525)),
        ("smtps://mx.example", SMTPAddress("smtps", "mx.example", 465)),
        (
            "smtp+starttls://apikey:a%2Fb%40c@smtp.sendgrid.net",
            SMTPAddress("smtp+starttls", "smtp.sendgrid.net", 587, "apikey", "a/b@c"),
        ),
    ],
)
def test_a_mail_server_is_given_as_a_url(url: str, address: SMTPAddress) -> None:
    assert SMTPAddress.from_url(url) == address


@pytest.mark.parametrize("url", ["", "localhost:25", "http://secret@localhost", "smtp://"])
def test_another_url_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(BadSMTPURL) as refusal:
        SMTPAddress.from_url(url)

    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize("name", ["MAIL_FROM", "STAFF_MAIL"])
def test_an_address_of_the_shop_that_is_none_is_found_at_the_start(name: str) -> None:
    with pytest.raises(BadAddress):
        build(Settings.from_env({**ENVIRONMENT, name: "Oja"}))


def test_a_password_does_not_show() -> None:
    assert "hidden" not in repr(SMTPAddress.from_url("smtp://user:hidden@localhost"))


def test_several_people_on_the_staff_are_separated_by_commas() -> None:
    settings = Settings.from_env({**ENVIRONMENT, "STAFF_MAIL": "a@oja.example, b@oja.example"})

    assert settings.staff == ("a@oja.example", "b@oja.example")
    with pytest.raises(BadAddress):
        build(Settings.from_env({**ENVIRONMENT, "STAFF_MAIL": "a@oja.example, b"}))


@pytest.mark.parametrize("name", ["ALERT_DIGEST_SECONDS", "MAIL_RATE_PER_SECOND"])
@pytest.mark.parametrize("value", ["-1", "86401", "nan", "soon"])
def test_a_number_that_makes_no_sense_is_refused(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=rf"{name}|could not convert"):
        Settings.from_env({**ENVIRONMENT, name: value})


@pytest.mark.parametrize("value", ["0", "51", "2.5", "many"])
def test_a_worker_has_at_least_one_connection_and_not_any_number(value: str) -> None:
    with pytest.raises(ValueError, match=r"MAIL_CONNECTIONS|invalid literal"):
        Settings.from_env({**ENVIRONMENT, "MAIL_CONNECTIONS": value})


def test_alerts_are_collected_for_a_minute_and_mails_leave_without_a_limit() -> None:
    settings = Settings.from_env(ENVIRONMENT)

    assert (settings.alert_digest_seconds, settings.mail_rate_per_second) == (60, 0)
