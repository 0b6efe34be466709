"""Logs that have become long."""

import os
from pathlib import Path

import pytest

from stack import rotation
from stack.rotation import rotate


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotation, "_MOST_BYTES", 10)


def test_a_long_log_begins_anew_and_two_are_kept(tmp_path: Path) -> None:
    log = tmp_path / "program.log"
    for round_ in range(4):
        log.write_text(f"what was said in round {round_}")
        rotate(tmp_path)

    kept = {path.name: path.read_text()[-1:] for path in tmp_path.iterdir()}
    assert kept == {"program.log": "", "program.log.1": "3", "program.log.2": "2"}


def test_a_short_log_stays(tmp_path: Path) -> None:
    (tmp_path / "program.log").write_text("short")

    rotate(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["program.log"]


def test_a_program_goes_on_writing_to_its_log(tmp_path: Path) -> None:
    log = tmp_path / "program.log"
    program = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(program, b"a line before\n")

    rotate(tmp_path)
    os.write(program, b"a line after\n")
    os.close(program)

    assert log.read_text() == "a line after\n"
