import pytest

from identity.domain.user import User
from identity.domain.values import EmailAddress, Profile
from identity.use_cases.commands import accounts
from identity.use_cases.errors import EmailTaken
from oja_events.contracts.identity import CustomerRegistered, EmailVerificationRequested
from tests.unit.identity.fakes import NOW, FakeHasher, FakeUnitOfWork, a_user
from tests.unit.identity.test_passwords import POLICY


def register(
    uow: FakeUnitOfWork, email: str = "Zoe@example.com", password: str = "x y z 9 q"
) -> User:
    return accounts.register(
        EmailAddress(email, email.casefold()),
        Profile("Zoe", "Quist"),
        password,
        policy=POLICY,
        hasher=FakeHasher(),
        uow=uow,
    )


def test_a_new_customer_is_kept_and_told_of():
    uow = FakeUnitOfWork()

    zoe = register(uow)

    assert uow.stored.users[zoe.id].roles == {"customer"}
    assert not uow.stored.users[zoe.id].email_verified
    [request] = uow.stored.requests.values()
    assert uow.stored.outbox == [
        CustomerRegistered(
            customer_id=zoe.id,
            email="Zoe@example.com",
            first_name="Zoe",
            last_name="Quist",
            registered_at=NOW,
        ),
        EmailVerificationRequested(
            user_id=zoe.id,
            request_id=request.id,
            email="Zoe@example.com",
            name="Zoe Quist",
            requested_at=NOW,
        ),
    ]


def test_s05_one_mailbox_has_one_account():
    uow = FakeUnitOfWork(a_user("zoe@example.com"))

    with pytest.raises(EmailTaken):
        register(uow, "ZOE@example.com")

    assert uow.stored.outbox == []


def test_s04_a_password_is_hashed_in_its_normal_form():
    uow = FakeUnitOfWork()
    zoe = register(uow, password="ﬁve cafe\u0301s")
    assert uow.stored.users[zoe.id].password_hash == "strong:five cafés"


def test_fields_that_are_not_named_stay_as_they_are():
    ada = a_user(profile=Profile("Ada", "Obi", "+2348031234567"))
    uow = FakeUnitOfWork(ada)

    accounts.change_profile(ada.id, {"last_name": "Oba"}, uow=uow)
    assert uow.stored.users[ada.id].profile == Profile("Ada", "Oba", "+2348031234567")

    accounts.change_profile(ada.id, {"phone": None}, uow=uow)
    assert uow.stored.users[ada.id].profile == Profile("Ada", "Oba", None)
