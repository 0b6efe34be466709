"""start.py becomes the command, with the settings of its files."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

START = Path(__file__).parents[3] / "deploy" / "compose" / "start.py"
TELL = "import json, os, sys; print(json.dumps([dict(os.environ), sys.stdin.read(), sys.argv[1:]]))"


def start(*options: object, env: Mapping[str, str], arguments: tuple[str, ...] = ()):
    command = [
        sys.executable,
        str(START),
        *map(str, options),
        sys.executable,
        "-c",
        TELL,
        *arguments,
    ]
    done = subprocess.run(
        command, env=dict(env), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_settings_become_the_environment_of_the_command(tmp_path: Path):
    file = tmp_path / "settings.env"
    file.write_text('# a remark\n\nKEYS={"a":"b=c"}\nEMPTY=\n')

    environment, _, _ = start("--settings", file, env={})

    assert environment["KEYS"] == '{"a":"b=c"}'
    assert environment["EMPTY"] == ""


def test_what_the_container_says_itself_wins(tmp_path: Path):
    file = tmp_path / "settings.env"
    file.write_text("LOG_LEVEL=INFO\nOTHER=1\n")

    environment, _, _ = start("--settings", file, env={"LOG_LEVEL": "DEBUG"})

    assert (environment["LOG_LEVEL"], environment["OTHER"]) == ("DEBUG", "1")


def test_a_file_becomes_the_standard_input(tmp_path: Path):
    file = tmp_path / "password"
    file.write_text("pass word\n")

    _, given, _ = start("--input", file, env={})

    assert given == "pass word\n"


def test_the_commands_own_options_stay_its_own():
    _, _, arguments = start(env={}, arguments=("--input", "x", "--settings"))

    assert arguments == ["--input", "x", "--settings"]
