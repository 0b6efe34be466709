"""S14: keys overlap, so that a change of keys ends nobody's sign-in."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from stack import containers
from stack.credentials import Credentials
from stack.failure import Failure
from stack.keyring import KEPT_FOR, Keyring, now, public_jwk
from tests.contract.compose import volumes_of_setup

VARIABLES = {"OJA_PORT": "8080", "OJA_SANDBOX_PORT": "8025"}


@pytest.fixture
def ring(tmp_path: Path) -> Keyring:
    return Keyring(tmp_path)


def signing(ring: Keyring) -> str:
    return public_jwk(ring.signing())["kid"]


def known(ring: Keyring) -> set[str]:
    return {key["kid"] for key in ring.public_keys()}


def test_s14_a_new_key_is_known_before_it_signs_and_the_old_one_after(ring: Keyring):
    old = signing(ring)

    ring.announce()
    assert signing(ring) == old
    [new] = known(ring) - {old}

    ring.use_announced(now())
    assert signing(ring) == new
    assert known(ring) == {old, new}


def test_s14_a_retired_key_is_known_until_its_last_token_has_expired(ring: Keyring):
    old, moment = signing(ring), now()
    ring.announce()
    ring.use_announced(moment)

    assert ring.drop_retired(moment + KEPT_FOR - timedelta(seconds=1)) == []
    assert old in known(ring)
    assert ring.drop_retired(moment + KEPT_FOR) == [old]
    assert known(ring) == {signing(ring)}


def test_an_interrupted_rotation_goes_on_with_the_key_that_was_announced(ring: Keyring):
    ring.announce()
    announced = known(ring)

    ring.announce()

    assert known(ring) == announced


def test_nothing_signs_that_was_not_announced(ring: Keyring):
    with pytest.raises(Failure, match="announce"):
        ring.use_announced(now())


def test_the_order_of_public_keys_says_nothing_of_which_one_signs(ring: Keyring):
    ring.announce()
    before = ring.public_keys()

    ring.use_announced(now())

    assert ring.public_keys() == before


def test_only_public_halves_leave_the_keyring_and_files_are_their_owners(tmp_path: Path):
    credentials = Credentials(tmp_path)
    credentials.keyring.announce()
    credentials.keyring.use_announced(now())

    keys = json.loads(credentials.jwt_public_keys())["keys"]

    assert all(set(key) == {"crv", "kty", "x", "kid", "alg", "use"} for key in keys)
    assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}


def test_s14_the_jobs_of_the_containers_hand_keys_out_in_the_same_order(tmp_path: Path):
    state, out = tmp_path / "state", tmp_path / "out"
    for reader in volumes_of_setup():
        (out / reader).mkdir(parents=True)
    state.mkdir()
    stack = containers.Containers(state, VARIABLES)

    def handed_out(service: str, name: str) -> str:
        lines = (out / service / "settings.env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)[name]

    containers.setup(stack, out)
    first = handed_out("identity", "JWT_PRIVATE_KEY")
    containers.announce_key(stack, out)
    assert handed_out("identity", "JWT_PRIVATE_KEY") == first
    assert len(json.loads(handed_out("catalog", "JWT_PUBLIC_KEYS"))["keys"]) == 2

    containers.use_new_key(stack, out)
    assert handed_out("identity", "JWT_PRIVATE_KEY") != first
    containers.drop_old_keys(stack, out)
    assert len(json.loads(handed_out("catalog", "JWT_PUBLIC_KEYS"))["keys"]) == 2
