"""Rules for every test: its mark is the name of its folder, quick tests reach no network, and
Hypothesis draws the same on every machine."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from pytest_socket import disable_socket, enable_socket

HERE = Path(__file__).parent
LEVELS = {"unit", "contract", "integration", "e2e", "chaos"}
WITHOUT_NETWORK = {"unit", "contract"}

settings.register_profile(
    "repeatable",
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("repeatable")


def level_of(item: pytest.Item) -> str:
    return item.path.relative_to(HERE).parts[0]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if level_of(item) in LEVELS:
            item.add_marker(level_of(item))


# Before fixtures of any scope: a session fixture that opens a socket in a unit test fails as well.
@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if level_of(item) in WITHOUT_NETWORK:
        disable_socket(allow_unix_socket=True)
    else:
        enable_socket()


def pytest_runtest_teardown() -> None:
    enable_socket()
