"""What is tried again and again by those who guess, and how long they have to wait for it.

    enter ──▶ the attempt ──▶ right: the account's failures are forgotten
      │            └────────▶ wrong: one more for everybody concerned
      └▶ TooManyAttempts, whatever the attempt would have been

An attempt is judged by the account that it is about (whether there is such an account or not), by
the network that it comes from, and by what happens in the whole shop. Who signs in to an account of
his own clears that account and nothing else.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from identity.domain.patience import Patience
from identity.use_cases.errors import (
    EmailTaken,
    InvalidCredentials,
    TooManyAttempts,
    WrongPassword,
)
from identity.use_cases.ports import Strikes, Subject

_EVERYBODY = "everybody"


@dataclass(frozen=True, slots=True)
class Attempts:
    """`taken` is for registering with addresses of others, `mails` for mails that anybody can
    have sent to an address. All methods raise CannotCount while nobody can count."""

    strikes: Strikes
    account: Patience
    network: Patience
    overall: Patience
    taken: Patience
    mails: Patience

    @contextmanager
    def at_signing_in(self, email: str | None, network: str) -> Iterator[None]:
        """Around one try. Raises TooManyAttempts instead of letting it happen."""
        subjects = [Subject(self.network, network), Subject(self.overall, _EVERYBODY)]
        # What cannot be an address has no account that could be guessed.
        account = [Subject(self.account, email)] if email else []
        with self._counted([*account, *subjects], InvalidCredentials):
            yield
        self.strikes.forgive(account)

    @contextmanager
    def at_reauthenticating(self, email: str) -> Iterator[None]:
        """Around one try of somebody who is signed in. It counts for the account as signing in
        does, or a stolen token would be worth guesses of its own."""
        account = [Subject(self.account, email)]
        with self._counted(account, WrongPassword):
            yield
        self.strikes.forgive(account)

    @contextmanager
    def at_registering(self, network: str) -> Iterator[None]:
        """The answer "there is such an account" cannot be had in numbers."""
        with self._counted([Subject(self.taken, network)], EmailTaken):
            yield

    def may_mail(self, email: str | None) -> bool:
        """Whether to send one more mail that somebody asks for who need not be its reader."""
        subjects = [Subject(self.mails, email or "")]
        try:
            self.strikes.enter(subjects)
        except TooManyAttempts:
            return False
        self.strikes.add(subjects)
        return True

    @contextmanager
    def _counted(self, subjects: Sequence[Subject], failure: type[Exception]) -> Iterator[None]:
        self.strikes.enter(subjects)
        try:
            yield
        except failure:
            self.strikes.add(subjects)
            raise
        except BaseException:
            self.strikes.leave(subjects)
            raise
