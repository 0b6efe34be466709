"""Which ports a stack takes, and what it says about wrong wishes."""

from pathlib import Path

import pytest

from stack.failure import Failure
from stack.home import Home
from stack.ports import Ports


@pytest.mark.parametrize("wish", ["0", "65536", "80000", "-1", "²", "99999999999", "http"])
def test_a_wrong_port_is_named_and_not_remembered(tmp_path: Path, wish: str) -> None:
    with pytest.raises(Failure, match="OJA_PORT must be a port number"):
        Ports(Home(tmp_path), {"OJA_PORT": wish})["gateway"]

    assert Ports(Home(tmp_path), {})["gateway"] == 8080
