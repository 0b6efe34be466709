"""The servers' own programs: where they are on this machine, and in which version."""

import os
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from stack.failure import Failure
from stack.home import CHECKOUT

_VERSION = re.compile(r"(\d+(?:\.\d+)+|\d+)")
_FOLDERS = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")

Version = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Binary:
    """A server's program (for Postgres and RabbitMQ: one of several in its folder)."""

    path: Path
    version: Version

    @property
    def folder(self) -> Path:
        return self.path.parent


@dataclass(frozen=True, slots=True)
class Kind:
    """A server that the stack needs: the oldest version that will do, where it may lie."""

    name: str
    oldest: Version
    candidates: Callable[[Path], Iterable[Path]]
    version_of: Callable[[Path], str]


def fetched_folder() -> Path:
    """Where servers go that were fetched for this checkout, beside its virtual environment."""
    return CHECKOUT / ".oja" / "servers"


def find(kind: Kind) -> Binary | None:
    """The first suitable one; those that were fetched come last."""
    return next(iter(all_of(kind)), None)


def require(kind: Kind) -> Binary:
    """The same, for whoever comes after `fetch.missing` has seen to it."""
    found = find(kind)
    if found is None:
        raise Failure(f"{kind.name} is missing; `./oja up` installs it.")
    return found


@cache
def all_of(kind: Kind) -> tuple[Binary, ...]:
    """Every suitable one on this machine, the one to prefer first."""
    return tuple(sorted(_suitable(kind), key=lambda binary: is_fetched(binary.path)))


def is_fetched(path: Path) -> bool:
    return fetched_folder() in path.parents


def _suitable(kind: Kind) -> Iterator[Binary]:
    for path in kind.candidates(fetched_folder()):
        if path.is_file() and os.access(path, os.X_OK):
            version = parse_version(kind.version_of(path))
            if version >= kind.oldest:
                yield Binary(path, version)


def parse_version(text: str) -> Version:
    """The first version number in what a program says of itself; () if there is none."""
    match = _VERSION.search(text)
    return tuple(int(part) for part in match[1].split(".")) if match else ()


def _in_folders(*names: str) -> Iterator[Path]:
    for name in names:
        for folder in _FOLDERS:
            yield Path(folder) / name


def _postgres_candidates(fetched: Path) -> Iterator[Path]:
    packaged = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    yield from sorted(packaged, key=lambda path: -int(path.parts[4]))
    yield from _in_folders("postgres")
    yield from fetched.glob("wheels/**/bin/postgres")


def _rabbitmq_candidates(fetched: Path) -> Iterator[Path]:
    # Not /usr/sbin/rabbitmq-server: that wrapper insists on the packaged service's user.
    yield Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
    yield from fetched.glob("debs/usr/lib/rabbitmq/lib/*/sbin/rabbitmq-server")


def _redis_candidates(fetched: Path) -> Iterator[Path]:
    yield from _in_folders("redis-server", "valkey-server")
    yield from fetched.glob("wheels/**/valkey-server")
    yield from fetched.glob("wheels/**/redis-server")


def _nginx_candidates(fetched: Path) -> Iterator[Path]:
    yield from _in_folders("nginx")
    yield from fetched.glob("wheels/**/nginx")


def _says(*arguments: str) -> Callable[[Path], str]:
    def ask(program: Path) -> str:
        command = [str(program), *arguments]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return ""
        return done.stdout + done.stderr

    return ask


def _rabbitmq_version(program: Path) -> str:
    # Its folder is called rabbitmq_server-3.10.8; asking the program takes seconds.
    return program.resolve().parents[1].name


POSTGRES = Kind("Postgres 15", (15,), _postgres_candidates, _says("--version"))
RABBITMQ = Kind("RabbitMQ 3.10", (3, 10), _rabbitmq_candidates, _rabbitmq_version)
REDIS = Kind("Redis 7 or Valkey", (7,), _redis_candidates, _says("--version"))
NGINX = Kind("nginx", (1, 18), _nginx_candidates, _says("-v"))
KINDS = (POSTGRES, RABBITMQ, REDIS, NGINX)
