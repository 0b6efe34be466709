"""S01: how passwords are kept, and what a storm of sign-ins may cost."""

import threading

import pytest

from identity.adapters import hashing
from identity.adapters.hashing import Argon2Hasher
from identity.settings import HashingSettings
from identity.use_cases.errors import TooBusy


def a_hasher(**changes: int) -> Argon2Hasher:
    cheap = {"memory_kib": 8, "time_cost": 1, "parallelism": 1, "concurrency": 2}
    return Argon2Hasher(**(cheap | changes))


def test_s01_the_defaults_are_as_strong_as_promised():
    defaults = HashingSettings()
    hasher = Argon2Hasher(
        memory_kib=defaults.memory_kib,
        time_cost=defaults.time_cost,
        parallelism=defaults.parallelism,
        concurrency=defaults.concurrency,
    )
    assert hasher.hash("x").startswith("$argon2id$v=19$m=65536,t=3,p=1$")


def test_s01_one_password_has_a_new_hash_every_time():
    hasher = a_hasher()
    first, second = hasher.hash("correct horse"), hasher.hash("correct horse")

    assert first != second
    assert hasher.verify("correct horse", first)
    assert hasher.verify("correct horse", second)
    assert not hasher.verify("Correct horse", first)


def test_s06_nobody_has_a_password_that_fits():
    hasher = a_hasher()
    assert not hasher.verify("", None)
    assert not hasher.verify("correct horse", None)


def test_s06_the_password_of_nobody_costs_as_much_as_that_of_somebody(
    monkeypatch: pytest.MonkeyPatch,
):
    hasher = a_hasher(memory_kib=64, time_cost=2)
    costs = []
    real = hashing.PasswordHasher.verify

    def spy(self: object, expected: str, password: str) -> bool:
        costs.append(expected.split("$")[:4])
        return real(self, expected, password)

    monkeypatch.setattr(hashing.PasswordHasher, "verify", spy)
    hasher.verify("wrong", hasher.hash("right"))
    hasher.verify("wrong", None)

    assert costs == [["", "argon2id", "v=19", "m=64,t=2,p=1"]] * 2


def test_a_broken_hash_is_a_wrong_password_and_no_failure():
    assert not a_hasher().verify("x", "not a hash")


def test_s02_a_hash_of_other_parameters_is_outdated():
    old = a_hasher().hash("x")
    assert a_hasher(time_cost=2).is_outdated(old)
    assert not a_hasher().is_outdated(old)


def test_no_more_hashes_at_once_than_allowed(monkeypatch: pytest.MonkeyPatch):
    """Two are let in and kept waiting; the third gives up instead of taking memory."""
    monkeypatch.setattr(hashing, "LONGEST_WAIT_SECONDS", 0.05)
    hasher = a_hasher(concurrency=2)
    both_inside, go_on = threading.Barrier(3), threading.Event()

    def slow(self: object, password: str) -> str:
        both_inside.wait(5)
        go_on.wait(5)
        return password

    monkeypatch.setattr(hashing.PasswordHasher, "hash", slow)
    threads = [threading.Thread(target=hasher.hash, args=("x",)) for _ in range(2)]
    for thread in threads:
        thread.start()
    both_inside.wait(5)

    with pytest.raises(TooBusy):
        hasher.verify("x", None)

    go_on.set()
    for thread in threads:
        thread.join(5)
    assert not hasher.verify("x", None)
