"""Commands of the services that run once."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from stack import tasks
from stack.failure import Failure
from stack.processes import Task


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("raise SystemExit('there is an account already')", "there is an account already"),
        ("int('x')", "ValueError: invalid literal"),
        ("raise SystemExit(3)", "did not say why"),
    ],
)
def test_a_refusal_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, reason: str
):
    monkeypatch.setattr(tasks, "_environment", lambda _stack, _task: {})
    stack = SimpleNamespace(account=SimpleNamespace(prefix=()), home=SimpleNamespace(log=tmp_path))
    task = Task("identity", "create-admin", (sys.executable, "-c", program), ())

    with pytest.raises(Failure, match=reason):
        tasks.run(stack, task)  # type: ignore[arg-type]
