"""What a stack remembers in its folder: ports, credentials, choices."""

import json
import os
from pathlib import Path

import jwt
import pytest

from stack import ports
from stack.context import Stack
from stack.credentials import Credentials
from stack.failure import Failure
from stack.home import Home
from stack.ports import Ports
from stack.surroundings import surroundings


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.make()
    return made


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """Ports that somebody else listens on."""
    numbers: set[int] = set()
    monkeypatch.setattr(ports, "is_free", lambda port: port not in numbers)
    return numbers


def test_a_name_keeps_its_port(home, taken):
    chosen = Ports(home, {})["postgres"]
    taken.add(chosen)

    assert Ports(home, {})["postgres"] == chosen


def test_a_port_that_somebody_took_meanwhile_is_given_up(home, taken):
    chosen = Ports(home, {})["postgres"]
    taken.add(chosen)

    again = Ports(home, {})
    again.renew_taken()

    assert again["postgres"] != chosen


def test_public_ports_come_from_the_environment_and_stay(home, taken):
    assert Ports(home, {})["gateway"] == 8080
    assert Ports(home, {"OJA_PORT": "9000"})["gateway"] == 9000
    assert Ports(home, {})["gateway"] == 9000


def test_a_taken_public_port_is_an_error_that_says_what_to_set(home, taken):
    taken.add(8080)

    with pytest.raises(Failure, match=r"Port 8080 .* OJA_PORT="):
        Ports(home, {}).require_public()


def test_a_public_port_must_be_a_number(home, taken):
    with pytest.raises(Failure, match="OJA_PORT must be a port number"):
        Ports(home, {"OJA_PORT": "web"})["gateway"]


def test_credentials_are_made_once(tmp_path):
    first = Credentials(tmp_path).password("database-catalog")

    assert Credentials(tmp_path).password("database-catalog") == first
    assert Credentials(tmp_path).password("database-ordering") != first


def test_the_public_key_verifies_what_the_private_key_signs(tmp_path):
    credentials = Credentials(tmp_path)
    (key,) = json.loads(credentials.jwt_public_keys())["keys"]
    token = jwt.encode({"sub": "me"}, credentials.jwt_private_key(), algorithm="EdDSA")

    assert jwt.decode(token, jwt.PyJWK(key), algorithms=["EdDSA"]) == {"sub": "me"}
    assert key["kid"]


def test_choices_stay_until_others_are_made(home):
    Stack(home).choose(counts={"ordering.http": 2})
    Stack(home).choose(demo=False)

    assert Stack(home).choices.counts == {"ordering.http": 2}
    assert not Stack(home).choices.demo


def test_the_control_socket_fits_even_in_a_deep_folder(tmp_path):
    deep = Home(tmp_path.joinpath(*["a-rather-long-folder-name"] * 6))

    assert len(os.fsencode(deep.socket)) < 108
    assert deep.socket != Home(tmp_path / "other").socket


def test_what_happens_to_be_set_in_a_terminal_is_no_setting():
    terminal = {"PATH": "/bin", "DATABASE_URL": "postgresql://elsewhere", "LOG_LEVEL": "DEBUG"}

    assert surroundings(terminal) == {"PATH": "/bin"}


def test_a_proxy_is_not_asked_for_this_machine():
    assert surroundings({"https_proxy": "http://proxy:1", "no_proxy": "corp"})["no_proxy"] == (
        "corp,localhost,127.0.0.1"
    )
