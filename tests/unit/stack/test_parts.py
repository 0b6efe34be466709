"""Small parts of the one command that work on text."""

import re

import pytest

from oja_events import topology
from stack import testing
from stack.binaries import parse_version
from stack.home import CHECKOUT
from stack.lock import requirements
from stack.servers import rabbitmq
from stack.servers.redis import acl
from stack.services import SERVICES


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", (15, 18)),
        ("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0", (7, 0, 15)),
        ("nginx version: nginx/1.22.1", (1, 22, 1)),
        ("rabbitmq_server-3.10.8", (3, 10, 8)),
        ("postgres (PostgreSQL) 18beta1", (18,)),
        ("command not found", ()),
    ],
)
def test_versions_are_read_from_what_programs_say(text, version):
    assert parse_version(text) == version


def test_old_versions_come_before_new_ones():
    assert parse_version("3.9.29") < parse_version("3.10")


def test_a_service_sees_only_its_own_part_of_redis():
    lines = acl({"catalog": "secret", "ordering": "other"}).splitlines()

    assert lines[0] == "user default off"
    assert re.fullmatch(r"user catalog on #[0-9a-f]{64} ~catalog:\* &catalog:\* .*", lines[1])
    assert "secret" not in "".join(lines)


def test_all_is_the_same_as_no_level():
    everything, _, _ = testing.split([])

    assert testing.split(["all", "-x"]) == (everything, [], ["-x"])


def test_levels_come_first_and_the_rest_goes_to_pytest():
    assert testing.split(["unit", "contract", "-k", "stock"]) == (
        ["unit", "contract"],
        [],
        ["-k", "stock"],
    )


def test_a_path_chooses_its_level():
    path = "tests/unit/stack/test_parts.py"

    assert testing.split([path, "-q"]) == (["unit"], [path], ["-q"])


def locked(name: str) -> set[str]:
    text = (CHECKOUT / "requirements" / f"{name}.txt").read_text()
    return set(re.findall(r"^([a-z0-9._-]+)==", text, flags=re.MULTILINE))


@pytest.mark.parametrize("name", [*SERVICES, "local", "dev"])
def test_everything_that_is_asked_for_is_locked(name):
    asked = {re.split(r"[\[<>=~! ]", wish)[0] for wish in requirements(CHECKOUT)[name]}

    assert asked <= locked(name)


def test_the_development_packages_contain_all_others():
    assert locked("local") <= locked("dev")


@pytest.mark.parametrize("name", [*SERVICES, "local", "dev", "servers"])
def test_no_lock_names_a_place_to_fetch_from(name):
    assert "://" not in (CHECKOUT / "requirements" / f"{name}.txt").read_text()


def test_the_broker_starts_anew_when_it_has_to_know_something_else(monkeypatch):
    known = rabbitmq.topology_mark()
    assert rabbitmq.topology_mark() == known

    monkeypatch.setattr(topology, "CONSUMERS", topology.CONSUMERS[:-1])

    assert rabbitmq.topology_mark() != known
