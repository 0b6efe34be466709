"""Compiles requirements/*.txt, hash-pinned, from what the distributions declare.

The distributions of this repository are left out of the result: they are used
from the checkout (or installed from it with `--no-deps`), never from an index.
"""

import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stack.failure import Failure
from stack.services import SERVICES

OWN_PREFIX = "oja-"

_REQUIREMENT = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)\s*(?:\[(?P<extras>[^\]]*)\])?")


@dataclass(frozen=True, slots=True)
class Distribution:
    """What one pyproject.toml of this repository asks for."""

    dependencies: tuple[str, ...]
    extras: dict[str, tuple[str, ...]]


def compile_all(
    root: Path, *, upgrade: bool = False, constraints: Sequence[Path] = ()
) -> Iterator[Path]:
    """Write every requirements file and yield each as it is done.

    Pins that are there already stay unless `upgrade` is asked for. dev.txt is
    resolved first and binds the others, so all files agree on every version.
    """
    folder = root / "requirements"
    folder.mkdir(exist_ok=True)
    wanted = requirements(root)
    widest = folder / "dev.txt"
    for name in sorted(wanted, key=lambda name: name != "dev"):
        bounds = tuple(constraints) if name == "dev" else (widest,)
        target = folder / f"{name}.txt"
        _compile(root, wanted[name], target, bounds=bounds, upgrade=upgrade)
        yield target


def requirements(root: Path) -> dict[str, list[str]]:
    """The outside packages of each requirements file, by its name without .txt."""
    known = _distributions(root)
    files = {service: _outside(known, f"{OWN_PREFIX}{service}") for service in SERVICES}
    local = {wish for name in known for wish in _outside(known, name)}
    dev = tomllib.loads((root / "pyproject.toml").read_text())["dependency-groups"]["dev"]
    files |= {"local": local, "dev": local | set(dev)}
    for wishes in (root / "requirements").glob("*.in"):
        files[wishes.stem] = set(wishes.read_text().split())
    return {name: sorted(wishes) for name, wishes in files.items()}


def _distributions(root: Path) -> dict[str, Distribution]:
    found = [*root.glob("services/*/pyproject.toml"), *root.glob("libs/*/pyproject.toml")]
    projects = [tomllib.loads(path.read_text())["project"] for path in found]
    projects.append(tomllib.loads((root / "deploy/pyproject.toml").read_text())["project"])
    return {project["name"]: _distribution(project) for project in projects}


def _distribution(project: dict[str, Any]) -> Distribution:
    extras = project.get("optional-dependencies", {})
    return Distribution(
        tuple(project.get("dependencies", ())),
        {name: tuple(wishes) for name, wishes in extras.items()},
    )


def _outside(
    known: dict[str, Distribution], name: str, extras: frozenset[str] = frozenset()
) -> set[str]:
    """Follow our own distributions and their extras down to packages of others."""
    wishes = list(known[name].dependencies)
    wishes += [wish for extra in sorted(extras) for wish in known[name].extras[extra]]
    outside: set[str] = set()
    for wish in wishes:
        own, wanted = _parsed(wish)
        outside |= _outside(known, own, wanted) if own in known else {wish}
    return outside


def _parsed(wish: str) -> tuple[str, frozenset[str]]:
    match = _REQUIREMENT.match(wish)
    if match is None:
        raise Failure(f"{wish!r} is not a requirement")
    extras = (extra.strip() for extra in (match["extras"] or "").split(","))
    return match["name"], frozenset(filter(None, extras))


def _compile(
    root: Path, wishes: list[str], target: Path, *, bounds: Sequence[Path], upgrade: bool
) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".in") as source:
        source.write("\n".join(wishes) + "\n")
        source.flush()
        command = [sys.executable, "-m", "uv", "pip", "compile", source.name, "-o", str(target)]
        command += ["--universal", "--python-version", "3.11", "--generate-hashes", "--quiet"]
        command += ["--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"]
        command += ["--upgrade"] if upgrade else []
        command += [part for bound in bounds for part in ("--constraint", str(bound))]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failure(f"{target.name} could not be resolved:\n{done.stderr.strip()}")
