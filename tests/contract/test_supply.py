"""S62: what is installed is what was looked at: every package by its version and hash."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
INSTALLERS = [ROOT / "oja", ROOT / "deploy" / "service.Dockerfile", ROOT / "deploy/stack/fetch.py"]


def packages(lock: Path) -> list[str]:
    """Each requirement with its hashes, on one line."""
    joined = lock.read_text().replace("\\\n", " ")
    return [
        line for line in joined.splitlines() if line.strip() and not line.lstrip().startswith("#")
    ]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_s62_every_package_is_pinned_by_version_and_hash(lock: Path) -> None:
    for line in packages(lock):
        assert re.match(r"[a-z0-9._-]+(\[[a-z0-9,_-]+\])?==\S+", line.strip()), line
        assert "--hash=sha256:" in line, line


@pytest.mark.parametrize("file", INSTALLERS, ids=lambda file: file.name)
def test_s62_nothing_is_installed_without_its_hash(file: Path) -> None:
    assert "--require-hashes" in file.read_text()
