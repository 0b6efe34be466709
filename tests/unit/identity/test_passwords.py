"""S03, S04: Django's four rules, reported together; nothing else is asked of a password."""

import pytest

from identity.adapters.common_passwords import CommonPasswords
from identity.domain.passwords import PasswordPolicy, WeakPassword, normalized
from identity.domain.values import EmailAddress, Profile
from identity.use_cases.commands import accounts
from tests.unit.identity.fakes import FakeHasher, FakeUnitOfWork

POLICY = PasswordPolicy(CommonPasswords())
PERSONAL = ("ada.obi@example.com", "Adaeze", "Obi-Okonkwo")
SIMILAR, SHORT, COMMON, DIGITS = "Too similar", "Too short", "Too common", "Must not consist"


# The verdicts are those of Django's own validators for the same person.
@pytest.mark.parametrize(
    ("password", "rules"),
    [
        ("password", {COMMON}),
        ("PASSWORD ", {COMMON}),
        ("12345678901", {COMMON, DIGITS}),
        ("123456", {SHORT, COMMON, DIGITS}),
        ("58210937461", {DIGITS}),
        ("\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18", {DIGITS}),
        ("xxxxxxx", {SHORT, COMMON}),
        ("kz!4Qm", {SHORT}),
        ("adaeze12", {SIMILAR}),
        ("AdAeZe!!", {SIMILAR}),
        ("ada-obi-example-com", {SIMILAR}),
        ("Okonkwo-Obi", {SIMILAR}),
        ("example!", {SIMILAR}),
        ("", {SHORT}),
        ("adaeze" * 20, set()),
        ("correct horse battery", set()),
        ("        zqk", set()),
        ("кошка на окне", set()),
    ],
)
def test_s03_every_rule_that_fails_is_told(password: str, rules: set[str]):
    reasons = POLICY.reasons(password, PERSONAL)

    assert sorted(reason.startswith(tuple(rules)) for reason in reasons) == [True] * len(rules)


def test_s03_the_local_part_with_a_digit_is_too_similar():
    email = EmailAddress("ada.obi@example.com", "ada.obi@example.com")

    with pytest.raises(WeakPassword) as refused:
        accounts.register(
            email,
            Profile("Zoe", "Quist"),
            "ada.obi1",
            policy=POLICY,
            hasher=FakeHasher(),
            uow=FakeUnitOfWork(),
        )

    assert [SIMILAR in reason for reason in refused.value.errors["password"]] == [True]


def test_s03_a_weak_password_is_refused_before_it_is_hashed():
    hasher = FakeHasher()
    with pytest.raises(WeakPassword):
        accounts.register(
            EmailAddress("zoe@example.com", "zoe@example.com"),
            Profile("Zoe", "Quist"),
            "12345",
            policy=POLICY,
            hasher=hasher,
            uow=FakeUnitOfWork(),
        )
    assert hasher.hashed == 0


def test_the_minimum_length_is_a_setting():
    assert PasswordPolicy(frozenset(), min_length=15).reasons("fourteen chars", ()) != []
    assert PasswordPolicy(frozenset(), min_length=14).reasons("fourteen chars", ()) == []


def test_a_passphrase_with_a_long_look_alike_is_judged_at_once():
    long = "a" * 256
    assert POLICY.reasons(long, [long]) != []


def test_s04_one_text_has_one_form_however_it_was_typed():
    assert normalized("Cafe\u0301 ﬁn") == normalized("Café fin")
    assert normalized("  Case and spaces  ") == "  Case and spaces  "
