"""Becomes the command that it is given, with the settings in /run/oja/*.env in its environment.

    start.py [--settings FILE] [--input FILE] COMMAND [ARGUMENT ...]

The set-up job writes those files into volumes, which Compose's own `env_file` cannot read.
What the container's environment already says wins. `--settings` names one file more, `--input`
makes a file the command's standard input. Standard library only; where there are no such files
(in Kubernetes, say) it just becomes the command.
"""

import argparse
import os
import sys
from collections.abc import Iterable
from pathlib import Path

SETTINGS = Path("/run/oja")


def main(arguments: list[str]) -> None:
    given = _parser().parse_args(arguments)
    if given.input:
        _read_from(given.input)
    environment = variables([*sorted(SETTINGS.glob("*.env")), *given.settings]) | os.environ
    os.execvpe(given.command[0], given.command, environment)  # noqa: S606  # nosec B606


def variables(files: Iterable[Path]) -> dict[str, str]:
    """What the NAME=value lines of the files say; a later file wins."""
    lines = [line for file in files for line in file.read_text().splitlines()]
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def _read_from(file: Path) -> None:
    descriptor = os.open(file, os.O_RDONLY)
    os.dup2(descriptor, sys.stdin.fileno())
    os.close(descriptor)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="start.py")
    parser.add_argument("--settings", type=Path, action="append", default=[])
    parser.add_argument("--input", type=Path)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    return parser


if __name__ == "__main__":
    main(sys.argv[1:])
