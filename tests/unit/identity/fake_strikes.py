"""Failures counted in memory, as Redis counts them."""

from collections.abc import Sequence
from datetime import timedelta

from identity.domain.patience import Patience
from identity.use_cases.commands.attempts import Attempts
from identity.use_cases.errors import CannotCount, TooManyAttempts
from identity.use_cases.ports import Subject


class FakeStrikes:
    """As RedisStrikes counts, by a clock that tests put forward."""

    def __init__(self) -> None:
        self.now = 0.0
        self.away = False
        self._failures: dict[Subject, list[float]] = {}
        self._waits: dict[Subject, float] = {}

    def enter(self, subjects: Sequence[Subject]) -> None:
        self._refuse_if_away()
        left = [self._waits.get(subject, 0.0) - self.now for subject in subjects]
        if max(left) > 0:
            raise TooManyAttempts(subjects[left.index(max(left))].patience, max(left))
        for subject in subjects:
            failures = self._failures_of(subject)
            if subject.patience.one_at_a_time and subject.patience.wait_after(failures):
                self._wait(subject, failures + 1)

    def add(self, subjects: Sequence[Subject]) -> None:
        self._refuse_if_away()
        for subject in subjects:
            if not self._failures_of(subject):
                self._failures[subject] = []
            self._failures[subject].append(self.now)
            self._wait(subject, len(self._failures[subject]))

    def leave(self, subjects: Sequence[Subject]) -> None:
        for subject in subjects:
            if subject.patience.one_at_a_time:
                self._waits.pop(subject, None)

    def forgive(self, subjects: Sequence[Subject]) -> None:
        for subject in subjects:
            self._failures.pop(subject, None)
            self._waits.pop(subject, None)

    def _failures_of(self, subject: Subject) -> int:
        failures = self._failures.get(subject, [])
        memory = subject.patience.memory.total_seconds()
        return len(failures) if failures and self.now < failures[0] + memory else 0

    def _wait(self, subject: Subject, failures: int) -> None:
        wait = subject.patience.wait_after(failures)
        if wait:
            self._waits[subject] = self.now + wait.total_seconds()

    def _refuse_if_away(self) -> None:
        if self.away:
            raise CannotCount


def attempts(strikes: FakeStrikes | None = None) -> Attempts:
    """Three wrong passwords cost nothing, the third wait is as long as it gets."""

    def patience(name: str, free: int, *, alone: bool = False) -> Patience:
        seconds = [timedelta(seconds=number) for number in (10, 30, 3600)]
        return Patience(name, free, *seconds, one_at_a_time=alone)

    return Attempts(
        strikes or FakeStrikes(),
        account=patience("account", 3, alone=True),
        network=patience("network", 6),
        overall=patience("overall", 9),
        taken=patience("taken", 2),
        mails=patience("mails", 2),
    )
