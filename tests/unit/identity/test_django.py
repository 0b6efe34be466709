"""S03: the four rules judge as Django's own validators do, which are asked here themselves."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import ClassVar

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.password_validation import (
    CommonPasswordValidator,
    MinimumLengthValidator,
    NumericPasswordValidator,
    UserAttributeSimilarityValidator,
)
from django.core.exceptions import ValidationError
from hypothesis import example, given, settings
from hypothesis import strategies as st

from identity.adapters.common_passwords import CommonPasswords
from identity.domain.passwords import PasswordPolicy

POLICY = PasswordPolicy(CommonPasswords())
SIMILAR, SHORT, COMMON, DIGITS = "Too similar", "Too short", "Too common", "Must not consist"
FIELDS = ("email", "first_name", "last_name")


@dataclass(frozen=True)
class Person:
    email: str = "ada.obi@example.com"
    first_name: str = "Adaeze"
    last_name: str = "Obi-Okonkwo"
    # What Django asks of a model for its message.
    _meta: ClassVar = SimpleNamespace(get_field=lambda name: SimpleNamespace(verbose_name=name))

    @property
    def data(self) -> tuple[str, ...]:
        return self.email, self.first_name, self.last_name


ADA = Person()
VALIDATORS = {
    SIMILAR: UserAttributeSimilarityValidator(user_attributes=FIELDS),
    SHORT: MinimumLengthValidator(),
    COMMON: CommonPasswordValidator(),
    DIGITS: NumericPasswordValidator(),
}
# Free text, and text that is close to what is known of the person or to what everybody takes.
PASSWORDS = st.one_of(
    st.text(max_size=40),
    st.text(alphabet="0123456789", max_size=14),
    st.text(alphabet="adeoziknw.@-", min_size=5, max_size=24),
    st.builds(
        str.__add__,
        st.sampled_from([*ADA.data, "okonkwo", "example", "password", "qwerty", "iloveyou"]),
        st.text(max_size=6),
    ),
)


@pytest.fixture(scope="module", autouse=True)
def django() -> None:
    """Its messages are translated, which asks for settings; nothing of it is started."""
    if not django_settings.configured:
        django_settings.configure(USE_I18N=False)


def refused_by_django(password: str) -> set[str]:
    refusing = set()
    for rule, validator in VALIDATORS.items():
        try:
            validator.validate(password, ADA)
        except ValidationError:
            refusing.add(rule)
    return refusing


def refused_here(password: str) -> set[str]:
    reasons = POLICY.reasons(password, ADA.data)
    return {rule for rule in VALIDATORS for reason in reasons if reason.startswith(rule)}


@given(password=PASSWORDS)
@settings(max_examples=400)
@example(password="password")
@example(password="ada.obi1")
@example(password="58210937461")
@example(password="correct horse battery staple")
def test_s03_what_django_refuses_is_refused_for_the_same_reasons(password: str) -> None:
    here, there = refused_here(password), refused_by_django(password)

    assert here - {COMMON} == there - {COMMON}
    assert there <= here, "our list of common passwords holds all of Django's"
