"""What staff may do to users: never more than they may do themselves."""

from typing import Any
from uuid import uuid4

import pytest

from identity.domain.roles import BeyondOwnPermissions, LastAdmin
from identity.domain.user import User
from identity.domain.values import EmailAddress, Profile
from identity.use_cases.commands import staff
from identity.use_cases.errors import UnknownRole, UserNotFound
from tests.unit.identity.fakes import FakeHasher, FakeUnitOfWork, a_user
from tests.unit.identity.test_passwords import POLICY


class SeenAnotherVersion(Exception):
    pass


def change(uow: FakeUnitOfWork, user: User, by: User, **changes: Any) -> User:
    wanted = {"is_active": None, "roles": None, "precondition": lambda version: None} | changes
    return staff.change_user(user.id, by=staff.Actor(by.id, "192.0.2.7"), uow=uow, **wanted)


@pytest.fixture
def admin() -> User:
    return a_user("admin@example.com", roles=["admin"])


@pytest.fixture
def manager() -> User:
    return a_user("manager@example.com", roles=["user_manager"])


@pytest.fixture
def ada() -> User:
    return a_user()


def test_s32_roles_are_given_and_it_is_noted_who_gave_what(admin: User, ada: User):
    uow = FakeUnitOfWork(admin, ada)

    change(uow, ada, admin, roles=frozenset({"customer", "support"}))

    assert uow.stored.users[ada.id].roles == {"customer", "support"}
    [entry] = uow.stored.audit
    assert (entry.actor_id, entry.target_id, entry.address) == (admin.id, ada.id, "192.0.2.7")
    assert entry.detail == {
        "before": {"is_active": True, "roles": ["customer"]},
        "after": {"is_active": True, "roles": ["customer", "support"]},
    }


def test_nobody_gives_more_than_they_hold(manager: User, ada: User):
    uow = FakeUnitOfWork(manager, ada)

    change(uow, ada, manager, roles=frozenset({"support"}))
    with pytest.raises(BeyondOwnPermissions):
        change(uow, ada, manager, roles=frozenset({"admin"}))

    assert uow.stored.users[ada.id].roles == {"support"}


def test_nobody_raises_themselves(manager: User):
    with pytest.raises(BeyondOwnPermissions):
        change(FakeUnitOfWork(manager), manager, manager, roles=frozenset({"admin"}))


def test_nobody_disables_or_demotes_who_holds_more(manager: User, admin: User):
    uow = FakeUnitOfWork(manager, admin, a_user("other@example.com", roles=["admin"]))

    for wanted in ({"is_active": False}, {"roles": frozenset({"customer"})}):
        with pytest.raises(BeyondOwnPermissions):
            change(uow, admin, manager, **wanted)


@pytest.mark.parametrize("now", [{"is_active": False}, {"roles": frozenset({"support"})}])
def test_permissions_of_now_count_and_not_those_of_the_token(ada: User, now: dict[str, Any]):
    former = a_user("former@example.com", **({"roles": ["admin"]} | now))
    with pytest.raises(BeyondOwnPermissions):
        change(FakeUnitOfWork(former, ada), ada, former, is_active=False)


@pytest.mark.parametrize("loss", [{"is_active": False}, {"roles": frozenset({"support"})}])
def test_the_last_active_admin_cannot_be_lost(admin: User, loss: dict[str, Any]):
    retired = a_user("retired@example.com", roles=["admin"], is_active=False)
    uow = FakeUnitOfWork(admin, retired)

    with pytest.raises(LastAdmin):
        change(uow, admin, admin, **loss)

    assert uow.stored.users[admin.id].standing() == admin.standing()


def test_one_of_two_admins_may_go(admin: User):
    uow = FakeUnitOfWork(admin, a_user("other@example.com", roles=["admin"]))
    change(uow, admin, admin, is_active=False)
    assert not uow.stored.users[admin.id].is_active


def test_a_change_of_nothing_is_not_noted_and_ends_nothing(admin: User, ada: User):
    uow = FakeUnitOfWork(admin, ada)
    uow.stored.sessions[b"1"] = ada.id

    change(uow, ada, admin, is_active=True, roles=frozenset({"customer"}))

    assert uow.stored.audit == []
    assert uow.stored.sessions
    assert uow.stored.users[ada.id].version == ada.version


@pytest.mark.parametrize("changes", [{"is_active": False}, {"roles": frozenset({"support"})}])
def test_s17_whose_standing_changes_has_to_sign_in_again(
    admin: User, ada: User, changes: dict[str, Any]
):
    uow = FakeUnitOfWork(admin, ada)
    uow.stored.sessions |= {b"1": ada.id, b"2": admin.id}
    uow.stored.families |= {uuid4(): ada.id}

    change(uow, ada, admin, **changes)

    assert uow.stored.sessions == {b"2": admin.id}
    assert uow.stored.families == {}


def test_a_role_that_does_not_exist_is_named(admin: User, ada: User):
    with pytest.raises(UnknownRole) as refused:
        change(FakeUnitOfWork(admin, ada), ada, admin, roles=frozenset({"owner"}))
    assert refused.value.errors == {"roles": ["There is no role 'owner'."]}


def test_who_has_seen_another_version_changes_nothing(admin: User, ada: User):
    uow = FakeUnitOfWork(admin, ada)

    def refuse(version: int) -> None:
        raise SeenAnotherVersion(version)

    with pytest.raises(SeenAnotherVersion):
        change(uow, ada, admin, is_active=False, precondition=refuse)
    assert uow.stored.users[ada.id].is_active


def test_an_unknown_user_is_not_found(admin: User):
    with pytest.raises(UserNotFound):
        change(FakeUnitOfWork(admin), a_user(), admin, is_active=False)


def a_colleague(*roles: str) -> staff.NewUser:
    email = EmailAddress("zoe@example.com", "zoe@example.com")
    return staff.NewUser(email, Profile("Zoe", "Quist"), "correct horse", frozenset(roles))


def create(uow: FakeUnitOfWork, by: User, *roles: str) -> User:
    return staff.create_user(
        a_colleague(*roles),
        by=staff.Actor(by.id),
        policy=POLICY,
        hasher=FakeHasher(),
        uow=uow,
    )


def test_a_colleague_gets_an_account_without_a_welcome_for_customers(admin: User):
    uow = FakeUnitOfWork(admin)

    zoe = create(uow, admin, "support")

    assert uow.stored.users[zoe.id].roles == {"support"}
    assert uow.actions() == ["user_created"]
    assert uow.stored.outbox == []


def test_nobody_creates_a_colleague_who_may_do_more(manager: User):
    uow = FakeUnitOfWork(manager)
    with pytest.raises(BeyondOwnPermissions):
        create(uow, manager, "admin")
    assert list(uow.stored.users) == [manager.id]


def test_the_first_admin_needs_nobody():
    uow = FakeUnitOfWork()
    staff.create_admin(a_colleague("admin"), policy=POLICY, hasher=FakeHasher(), uow=uow)
    assert uow.actions() == ["admin_created"]
