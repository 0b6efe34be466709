"""Logs that have become long."""

import errno
import os
import shutil
from pathlib import Path
from typing import IO

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


def test_what_cannot_be_kept_is_not_emptied_and_costs_no_older_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, last = tmp_path / "program.log", tmp_path / "program.log.1"
    log.write_text("what is said today")
    last.write_text("yesterday")
    other = tmp_path / "z.log"
    other.write_text("another program's words")

    def full(source: IO[bytes], _target: IO[bytes]) -> None:
        if source.name == str(log):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copyfileobj", full)
    rotate(tmp_path)

    assert (log.read_text(), last.read_text()) == ("what is said today", "yesterday")
    assert other.read_text() == ""
    assert not list(tmp_path.glob("program.log.new"))


def test_a_program_goes_on_writing_to_its_log(tmp_path: Path) -> None:
    log = tmp_path / "program.log"
    program = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(program, b"a line before\n")

    rotate(tmp_path)
    os.write(program, b"a line after\n")
    os.close(program)

    assert log.read_text() == "a line after\n"
