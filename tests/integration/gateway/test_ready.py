"""ready.py, the containers' health check, asked of a real server."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.gateway.nginx import free_port
from tests.integration.gateway.services import FakeService, Reply

READY = Path(__file__).parents[3] / "deploy" / "compose" / "ready.py"


@pytest.fixture
def service() -> Iterator[FakeService]:
    service = FakeService("catalog")
    yield service
    service.stop()


def asked(port: int) -> int:
    return subprocess.run([sys.executable, READY, str(port), "/readyz"], check=False).returncode


def test_a_container_is_well_when_it_answers_200(service: FakeService):
    assert asked(service.port) == 0
    assert service.received[0].target == "/readyz"


def test_a_container_is_not_well_when_it_says_so_or_says_nothing(service: FakeService):
    service.behaviour = lambda request: Reply(503)

    assert asked(service.port) == 1
    assert asked(free_port()) == 1
