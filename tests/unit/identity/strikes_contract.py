"""How failures are counted. The counter in memory and the one in Redis both pass it (S08)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from identity.domain.patience import Patience
from identity.use_cases.errors import TooManyAttempts
from identity.use_cases.ports import Strikes, Subject

RULE = Patience(
    "rule", 3, timedelta(seconds=10), timedelta(seconds=30), timedelta(hours=1), one_at_a_time=True
)
MANY = Patience("many", 3, timedelta(seconds=5), timedelta(seconds=30), timedelta(hours=1))
ADA, ZOE, CROWD = Subject(RULE, "ada"), Subject(RULE, "zoe"), Subject(MANY, "crowd")

Later = Callable[[float], None]


def fail(strikes: Strikes, *subjects: Subject, times: int = 1) -> None:
    for _ in range(times):
        strikes.enter(subjects)
        strikes.add(subjects)


def wait(strikes: Strikes, *subjects: Subject) -> float:
    """How long they have to wait now, to a tenth of a second."""
    try:
        strikes.enter(subjects)
    except TooManyAttempts as refused:
        return round(refused.seconds, 1)
    strikes.leave(subjects)
    return 0


def just_begun(seconds: float) -> Any:
    """What is left of a wait: on a slow machine some of it has passed."""
    return pytest.approx(seconds - 1, abs=1)


class StrikesContract:
    def test_some_failures_cost_nothing(self, strikes: Strikes) -> None:
        fail(strikes, ADA, times=2)

        assert wait(strikes, ADA) == 0

    def test_s08_after_that_the_wait_doubles_up_to_the_longest(
        self, strikes: Strikes, later: Later
    ) -> None:
        fail(strikes, ADA, times=2)
        waits = []
        for _ in range(4):
            fail(strikes, ADA)
            waits.append(wait(strikes, ADA))
            later(30)

        assert waits == [just_begun(seconds) for seconds in (10, 20, 30, 30)]

    def test_s08_tries_during_the_wait_do_not_make_it_longer(
        self, strikes: Strikes, later: Later
    ) -> None:
        fail(strikes, ADA, times=3)
        later(6)
        for _ in range(5):
            wait(strikes, ADA)

        assert wait(strikes, ADA) == just_begun(4)

    def test_after_the_wait_one_may_try(self, strikes: Strikes, later: Later) -> None:
        fail(strikes, ADA, times=3)
        later(10.1)

        assert wait(strikes, ADA) == 0

    def test_failures_are_forgotten_in_the_end(self, strikes: Strikes, later: Later) -> None:
        fail(strikes, ADA, times=2)
        later(3601)
        fail(strikes, ADA, times=2)

        assert wait(strikes, ADA) == 0

    def test_s08_guesses_at_the_same_time_do_not_slip_through(
        self, strikes: Strikes, later: Later
    ) -> None:
        fail(strikes, ADA, times=3)
        later(10.1)
        strikes.enter([ADA])

        assert wait(strikes, ADA) == just_begun(20)

    def test_a_try_that_did_not_happen_gives_its_place_back(
        self, strikes: Strikes, later: Later
    ) -> None:
        fail(strikes, ADA, times=3)
        later(10.1)
        strikes.enter([ADA])
        strikes.leave([ADA])

        assert wait(strikes, ADA) == 0

    def test_a_crowd_may_try_at_the_same_time(self, strikes: Strikes, later: Later) -> None:
        fail(strikes, CROWD, times=3)
        later(5.1)
        strikes.enter([CROWD])

        assert wait(strikes, CROWD) == 0

    def test_s08_forgiving_one_forgives_nobody_else(self, strikes: Strikes, later: Later) -> None:
        fail(strikes, ADA, CROWD, times=3)
        fail(strikes, ZOE, times=3)

        strikes.forgive([ADA])

        assert wait(strikes, ADA) == 0
        assert wait(strikes, ZOE) == just_begun(10)
        assert wait(strikes, CROWD) == just_begun(5)

    def test_the_longest_wait_of_all_counts(self, strikes: Strikes) -> None:
        fail(strikes, ADA, CROWD, times=3)

        with pytest.raises(TooManyAttempts) as refused:
            strikes.enter([CROWD, ADA])

        assert refused.value.patience is RULE

    def test_forgiving_nobody_is_fine(self, strikes: Strikes) -> None:
        strikes.forgive([])
