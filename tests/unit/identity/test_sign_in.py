"""Signing in, with tokens and with a session, at the use case."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from identity.domain.secrets import digest
from identity.domain.user import User
from identity.use_cases.commands import accounts, sessions, tokens
from identity.use_cases.commands.attempts import Attempts
from identity.use_cases.commands.authentication import Credentials
from identity.use_cases.errors import (
    InvalidCredentials,
    InvalidRefreshToken,
    NotStaff,
    SessionExpired,
    TooManyAttempts,
    WrongPassword,
)
from tests.unit.identity.fake_strikes import attempts
from tests.unit.identity.fakes import NOW, FakeHasher, FakeUnitOfWork, a_user
from tests.unit.identity.test_passwords import POLICY

LIMITS = tokens.RefreshLimits(timedelta(days=14), timedelta(days=30))
RIGHT = Credentials("ada@example.com", "correct horse", "192.0.2.7")
WRONG = Credentials("ada@example.com", "incorrect horse", "192.0.2.7")
IDLE, LONGEST = timedelta(minutes=30), timedelta(hours=12)


def log_in(
    uow: FakeUnitOfWork, given: Credentials = RIGHT, hasher: FakeHasher | None = None
) -> tokens.SignedIn:
    return tokens.log_in(
        given, attempts=attempts(), hasher=hasher or FakeHasher(), limits=LIMITS, uow=uow
    )


def refresh(uow: FakeUnitOfWork, token: str) -> tokens.SignedIn:
    return tokens.refresh(token, address=None, limits=LIMITS, uow=uow)


def open_session(
    uow: FakeUnitOfWork,
    given: Credentials = RIGHT,
    hasher: FakeHasher | None = None,
    replaces: str | None = None,
) -> sessions.Session:
    return sessions.open_session(
        given,
        replaces=replaces,
        longest=LONGEST,
        attempts=attempts(),
        hasher=hasher or FakeHasher(),
        uow=uow,
    )


def an_admin() -> User:
    return a_user(roles=["admin"])


@pytest.mark.parametrize(
    ("users", "given"),
    [
        pytest.param([], RIGHT, id="unknown"),
        pytest.param([], Credentials(None, "correct horse"), id="not an address"),
        pytest.param([a_user()], WRONG, id="wrong"),
        pytest.param([a_user(is_active=False)], RIGHT, id="disabled"),
        pytest.param([a_user(is_active=False)], WRONG, id="disabled and wrong"),
        pytest.param([a_user(password_hash="weak:correct horse")], WRONG, id="old hash, wrong"),
    ],
)
@pytest.mark.parametrize("way_in", [log_in, open_session])
def test_s06_whatever_is_wrong_costs_exactly_one_verification(
    users: list[User], given: Credentials, way_in: Callable[..., object]
):
    hasher = FakeHasher()

    with pytest.raises(InvalidCredentials):
        way_in(FakeUnitOfWork(*users), given, hasher)

    assert (hasher.verified, hasher.hashed) == (1, 0)


def test_who_signs_in_gets_what_their_roles_allow_and_is_noted():
    ada = a_user(roles=["customer", "support"])
    uow = FakeUnitOfWork(ada)

    signed_in = log_in(uow)

    assert signed_in.holder.permissions == {"orders:read", "users:read"}
    [entry] = uow.stored.audit
    assert (entry.action, entry.target_id, entry.address) == ("signed_in", ada.id, "192.0.2.7")


def test_failures_of_known_users_and_of_strangers_are_noted():
    uow = FakeUnitOfWork(a_user())

    for given in (WRONG, Credentials("zoe@example.com", "correct horse")):
        with pytest.raises(InvalidCredentials):
            log_in(uow, given)

    assert [entry.detail["reason"] for entry in uow.stored.audit] == ["wrong password", "unknown"]
    assert uow.stored.audit[-1].target_id is None


def test_s02_a_weaker_hash_is_replaced_at_the_next_good_login():
    ada = a_user(password_hash="weak:correct horse")
    uow = FakeUnitOfWork(ada)

    log_in(uow)

    assert uow.stored.users[ada.id].password_hash == "strong:correct horse"
    assert uow.stored.users[ada.id].password_changed_at == NOW


def test_s02_a_wrong_password_replaces_nothing():
    ada = a_user(password_hash="weak:correct horse")
    uow = FakeUnitOfWork(ada)

    with pytest.raises(InvalidCredentials):
        log_in(uow, WRONG)

    assert uow.stored.users[ada.id].password_hash == "weak:correct horse"


class DisablesMeanwhile(FakeHasher):
    """While the password is checked, somebody disables the account."""

    def __init__(self, uow: FakeUnitOfWork) -> None:
        super().__init__()
        self._uow = uow

    def verify(self, password: str, expected: str | None) -> bool:
        for user in self._uow.stored.users.values():
            user.is_active = False
        return super().verify(password, expected)


def test_an_account_that_is_disabled_during_the_login_stays_outside():
    uow = FakeUnitOfWork(a_user())

    with pytest.raises(InvalidCredentials):
        log_in(uow, hasher=DisablesMeanwhile(uow))

    assert not uow.stored.tokens


def test_s15_only_a_digest_of_a_refresh_token_is_kept():
    uow = FakeUnitOfWork(a_user())
    token = log_in(uow).refresh_token
    assert list(uow.stored.tokens) == [digest(token)]


def test_s16_a_token_works_once_and_its_successor_goes_on():
    uow = FakeUnitOfWork(a_user())
    first = log_in(uow).refresh_token

    second = refresh(uow, first).refresh_token
    third = refresh(uow, second).refresh_token

    assert len({first, second, third}) == 3


def test_s16_reuse_ends_the_family_and_is_noted_once():
    uow = FakeUnitOfWork(a_user())
    first = log_in(uow).refresh_token
    second = refresh(uow, first).refresh_token

    for token in (first, second, first):
        with pytest.raises(InvalidRefreshToken):
            refresh(uow, token)

    assert uow.actions() == ["signed_in", "refresh_token_reused"]


def test_s16_other_sign_ins_of_the_same_user_go_on():
    uow = FakeUnitOfWork(a_user())
    stolen, other = log_in(uow).refresh_token, log_in(uow).refresh_token
    refresh(uow, stolen)

    with pytest.raises(InvalidRefreshToken):
        refresh(uow, stolen)

    assert refresh(uow, other).refresh_token


def test_a_token_of_nobody_is_refused_quietly():
    uow = FakeUnitOfWork(a_user())
    with pytest.raises(InvalidRefreshToken):
        refresh(uow, "made up")
    assert uow.actions() == []


def test_after_logging_out_the_whole_family_is_dead():
    uow = FakeUnitOfWork(a_user())
    first = log_in(uow).refresh_token
    second = refresh(uow, first).refresh_token

    tokens.log_out(second, uow=uow)
    tokens.log_out("made up", uow=uow)

    with pytest.raises(InvalidRefreshToken):
        refresh(uow, second)


def test_s20_every_sign_in_to_the_console_makes_a_new_session_and_ends_the_one_before():
    uow = FakeUnitOfWork(an_admin())

    old = open_session(uow)
    new = open_session(uow, replaces=old.secret)

    assert new.secret != old.secret
    assert sessions.use_session(new.secret, idle=IDLE, uow=uow).holder.user.email
    with pytest.raises(SessionExpired):
        sessions.use_session(old.secret, idle=IDLE, uow=uow)


def test_a_customer_has_no_business_in_the_console():
    uow = FakeUnitOfWork(a_user())

    with pytest.raises(NotStaff):
        open_session(uow)

    assert uow.stored.sessions == {}
    assert uow.actions() == ["admin_sign_in_refused"]


def test_s20_after_signing_out_a_kept_cookie_opens_nothing():
    uow = FakeUnitOfWork(an_admin())
    session = open_session(uow)

    sessions.close_session(session.secret, address=None, uow=uow)

    with pytest.raises(SessionExpired):
        sessions.use_session(session.secret, idle=IDLE, uow=uow)


def test_who_lost_every_permission_has_no_session_any_more():
    admin = an_admin()
    uow = FakeUnitOfWork(admin)
    session = open_session(uow)

    uow.stored.users[admin.id].roles = frozenset({"customer"})

    with pytest.raises(SessionExpired):
        sessions.use_session(session.secret, idle=IDLE, uow=uow)


def change_password(
    uow: FakeUnitOfWork, user: User, current: str, new: str, tries: Attempts | None = None
) -> None:
    accounts.change_password(
        user.id,
        current,
        new,
        address="192.0.2.7",
        policy=POLICY,
        attempts=tries or attempts(),
        hasher=FakeHasher(),
        uow=uow,
    )


def test_s17_a_new_password_ends_every_session_and_token_of_the_user():
    admin = an_admin()
    uow = FakeUnitOfWork(admin, a_user("zoe@example.com"))
    token, session = log_in(uow).refresh_token, open_session(uow)
    others = log_in(uow, Credentials("zoe@example.com", "correct horse")).refresh_token

    change_password(uow, admin, "correct horse", "battery staple")

    with pytest.raises(InvalidRefreshToken):
        refresh(uow, token)
    with pytest.raises(SessionExpired):
        sessions.use_session(session.secret, idle=IDLE, uow=uow)
    assert refresh(uow, others)
    assert log_in(uow, Credentials("ada@example.com", "battery staple"))


def test_s11_a_new_password_needs_the_old_one():
    ada = a_user()
    uow = FakeUnitOfWork(ada)

    with pytest.raises(WrongPassword):
        change_password(uow, ada, "incorrect horse", "battery staple")

    assert uow.stored.users[ada.id].password_hash == ada.password_hash
    [entry] = uow.stored.audit
    assert (entry.action, entry.actor_id, entry.target_id, entry.address) == (
        "reauthentication_failed",
        ada.id,
        ada.id,
        "192.0.2.7",
    )


def test_s08_guesses_of_who_is_signed_in_count_for_the_account():
    ada = a_user()
    uow, tries = FakeUnitOfWork(ada), attempts()

    for _ in range(3):
        with pytest.raises(WrongPassword):
            change_password(uow, ada, "incorrect horse", "battery staple", tries)

    with pytest.raises(TooManyAttempts):
        change_password(uow, ada, "correct horse", "battery staple", tries)
    with pytest.raises(TooManyAttempts):
        tokens.log_in(RIGHT, attempts=tries, hasher=FakeHasher(), limits=LIMITS, uow=uow)


def test_s08_a_right_password_of_who_is_signed_in_clears_the_account():
    ada = a_user()
    uow, tries = FakeUnitOfWork(ada), attempts()
    for _ in range(2):
        with pytest.raises(WrongPassword):
            change_password(uow, ada, "incorrect horse", "battery staple", tries)

    change_password(uow, ada, "correct horse", "battery staple", tries)

    for _ in range(3):
        with pytest.raises(WrongPassword):
            change_password(uow, ada, "incorrect horse", "battery staple", tries)
