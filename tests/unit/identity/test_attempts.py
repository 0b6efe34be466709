"""Guessing: who has to wait, and what it costs those who do not guess (S06, S08)."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from identity.domain.patience import Patience
from identity.use_cases.commands import tokens
from identity.use_cases.commands.attempts import Attempts
from identity.use_cases.commands.authentication import Credentials
from identity.use_cases.errors import CannotCount, EmailTaken, InvalidCredentials, TooManyAttempts
from identity.use_cases.ports import Strikes
from tests.unit.identity.fake_strikes import FakeStrikes, attempts
from tests.unit.identity.fakes import FakeHasher, FakeUnitOfWork, a_user
from tests.unit.identity.strikes_contract import StrikesContract

LIMITS = tokens.RefreshLimits(timedelta(days=14), timedelta(days=30))
ADA, ZOE, NOBODY = "ada@example.com", "zoe@example.com", "nobody@example.com"


class TestStrikesInMemory(StrikesContract):
    @pytest.fixture
    def strikes(self) -> FakeStrikes:
        return FakeStrikes()

    @pytest.fixture
    def later(self, strikes: Strikes) -> Callable[[float], None]:
        def later(seconds: float) -> None:
            assert isinstance(strikes, FakeStrikes)
            strikes.now += seconds

        return later


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [(0, 0), (9, 0), (10, 10), (11, 20), (16, 640), (17, 900), (10**6, 900)],
)
def test_s08_the_wait_doubles_and_ends_at_the_longest(failures: int, seconds: int) -> None:
    quarter = timedelta(minutes=15)
    rule = Patience("account", 10, timedelta(seconds=10), quarter, timedelta(days=1))

    assert rule.wait_after(failures) == timedelta(seconds=seconds)


class Door:
    """Where people sign in, from wherever they are."""

    def __init__(self) -> None:
        self.strikes = FakeStrikes()
        self.attempts: Attempts = attempts(self.strikes)
        self.hasher = FakeHasher()
        self.uow = FakeUnitOfWork(a_user(ADA), a_user(ZOE))

    def try_(self, email: str | None, password: str, network: str = "192.0.2.1") -> str:
        given = Credentials(email, password, network, network)
        try:
            tokens.log_in(
                given, attempts=self.attempts, hasher=self.hasher, limits=LIMITS, uow=self.uow
            )
        except (InvalidCredentials, TooManyAttempts) as refused:
            return type(refused).__name__
        return "in"

    def guess(self, email: str | None, times: int, networks: str = "198.51.100.") -> list[str]:
        """Wrong passwords, each from a network of its own."""
        return [self.try_(email, "wrong", f"{networks}{n}") for n in range(times)]


@pytest.fixture
def door() -> Door:
    return Door()


@pytest.mark.parametrize("email", [ADA, NOBODY])
def test_s08_guesses_from_many_networks_count_for_the_account_whether_it_is_there_or_not(
    door: Door, email: str
) -> None:
    assert door.guess(email, 4) == ["InvalidCredentials"] * 3 + ["TooManyAttempts"]


def test_s08_during_the_wait_the_right_password_is_not_even_looked_at(door: Door) -> None:
    door.guess(ADA, 3)
    verified = door.hasher.verified

    assert door.try_(ADA, "correct horse") == "TooManyAttempts"
    assert door.hasher.verified == verified


def test_s08_after_the_wait_the_right_password_clears_the_account(door: Door) -> None:
    door.guess(ADA, 3)
    door.strikes.now += 10

    assert door.try_(ADA, "correct horse") == "in"
    assert door.guess(ADA, 2, networks="203.0.113.") == ["InvalidCredentials"] * 2


def test_s08_one_network_cannot_try_many_accounts(door: Door) -> None:
    tried = [door.try_(f"p{n}@example.com", "wrong") for n in range(7)]

    assert tried == ["InvalidCredentials"] * 6 + ["TooManyAttempts"]
    assert door.try_(ADA, "correct horse", "203.0.113.9") == "in"


def test_s08_signing_in_to_ones_own_account_clears_nothing_else(door: Door) -> None:
    """Or a guesser would do so after every few guesses."""
    for n in range(5):
        door.try_(f"p{n}@example.com", "wrong")
    assert door.try_(ZOE, "correct horse") == "in"
    door.try_("p5@example.com", "wrong")

    assert door.try_("p6@example.com", "wrong") == "TooManyAttempts"


def test_s08_a_storm_from_everywhere_is_slowed_for_all(door: Door) -> None:
    for n in range(9):
        door.try_(f"p{n}@example.com", "wrong", f"198.51.100.{n}")

    assert door.try_(ADA, "correct horse") == "TooManyAttempts"


def test_what_is_no_address_counts_for_the_network_only(door: Door) -> None:
    assert door.guess(None, 4) == ["InvalidCredentials"] * 4


def test_s55_nobody_gets_in_while_nobody_can_count(door: Door) -> None:
    door.strikes.away = True

    with pytest.raises(CannotCount):
        door.try_(ADA, "correct horse")
    assert door.hasher.verified == 0


def test_trouble_of_ours_is_not_the_customers_failure(door: Door) -> None:
    door.guess(ADA, 3)
    door.strikes.now += 10
    with pytest.raises(OSError, match="away"), door.attempts.at_signing_in(ADA, "192.0.2.1"):
        raise OSError("the database went away")

    assert door.try_(ADA, "correct horse") == "in"


def test_asking_who_has_an_account_by_registering_is_slowed(door: Door) -> None:
    for _ in range(2):
        with pytest.raises(EmailTaken), door.attempts.at_registering("192.0.2.1"):
            raise EmailTaken

    with pytest.raises(TooManyAttempts), door.attempts.at_registering("192.0.2.1"):
        pytest.fail("nobody may register now")
    with door.attempts.at_registering("192.0.2.2"):
        pass


@pytest.mark.parametrize("email", [ADA, NOBODY])
def test_nobodys_inbox_is_flooded_with_links_that_others_ask_for(door: Door, email: str) -> None:
    assert [door.attempts.may_mail(email) for _ in range(3)] == [True, True, False]

    door.strikes.now += 10
    assert [door.attempts.may_mail(email) for _ in range(2)] == [True, False]
