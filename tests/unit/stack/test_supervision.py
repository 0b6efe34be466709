"""What the supervisor's client makes of supervisord's answers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault

import pytest

from stack import cli
from stack.home import Home
from stack.supervision import Supervisor

BAD_NAME = 10


class Played(Supervisor):
    """A supervisord that knows one program, `catalog-http-1`, and stops it at once."""

    def __init__(self, home: Home) -> None:
        super().__init__(home)
        self.asked: list[str] = []

    def _call(self, method: str, *arguments: Any) -> Any:
        self.asked.append(method)
        if method == "getAllProcessInfo":
            return [{"name": "catalog-http-1", "pid": 0}]
        if arguments[0] != "catalog-http-1":
            raise Fault(BAD_NAME, "no such program")
        return True


def started(home: Home, name: str, times: int) -> None:
    home.starts.mkdir(parents=True, exist_ok=True)
    (home.starts / name).write_bytes(b"." * times)


def test_what_is_stopped_on_purpose_has_not_restarted_by_itself(tmp_path: Path):
    home = Home(tmp_path)
    started(home, "catalog-http-1", 3)
    started(home, "redis", 2)

    Played(home).stop(["catalog-http-1", "redis"])

    assert home.started("catalog-http-1") == 0
    assert home.started("redis") == 2, "supervisord does not know it, so it was not stopped"


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[Exception], int]:
    def run(error: Exception) -> int:
        def app(**_: Any) -> None:
            raise error

        monkeypatch.setattr(cli, "app", app)
        monkeypatch.setattr(cli, "_register_demo", lambda: None)
        return cli.main()

    return run


def test_who_may_not_use_a_stack_is_told_whose_matter_it_is(
    failing: Callable[[Exception], int], capsys: pytest.CaptureFixture[str]
):
    status = failing(PermissionError(13, "Permission denied", "/srv/shop/.oja/settings.json"))

    told = capsys.readouterr().err
    assert status == 1
    assert "/srv/shop/.oja/settings.json" in told
    assert "somebody else has started it" in told
    assert "Errno" not in told
