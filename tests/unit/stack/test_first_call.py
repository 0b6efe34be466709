"""What ./oja does before anything is installed."""

import shutil
import subprocess
from pathlib import Path

import pytest

from stack.home import CHECKOUT


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A checkout in which nothing was installed."""
    shutil.copy(CHECKOUT / "oja", tmp_path)
    shutil.copytree(CHECKOUT / "requirements", tmp_path / "requirements")
    return tmp_path


def oja(clone: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["python3", str(clone / "oja"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",)])
def test_help_needs_no_installation(clone, arguments):
    done = oja(clone, *arguments)

    assert done.returncode == 0
    assert "./oja" in done.stdout
    assert not (clone / ".oja").exists()


def test_there_is_nothing_to_stop(clone):
    done = oja(clone, "down")

    assert (done.returncode, done.stdout) == (0, "Nothing was running.\n")
    assert not (clone / ".oja").exists()


def test_the_status_says_that_nothing_runs(clone):
    done = oja(clone, "status")

    assert done.returncode == 3
    assert "./oja up" in done.stdout
