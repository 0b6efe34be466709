"""Where a stack keeps what it knows, and which stack is meant.

<home>/  data/       postgres, rabbitmq, redis, sandbox: what must not be lost
         credentials/, env/   generated once, readable by their owner only
         run/        generated on every `up`: configurations, sockets, pids
         log/        one file per process
         ports.json, settings.json, stack.json
"""

import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]

# A unix socket's path may have 107 bytes, and supervisord appends its pid while it binds.
_LONGEST_SOCKET_PATH = 95


@dataclass(frozen=True, slots=True)
class Home:
    """The state folder of one stack. Two stacks with two homes share nothing."""

    path: Path

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> "Home":
        """OJA_HOME, or `.oja` in the checkout."""
        return cls(Path(env.get("OJA_HOME") or CHECKOUT / ".oja").expanduser().resolve())

    @property
    def data(self) -> Path:
        return self.path / "data"

    @property
    def run(self) -> Path:
        return self.path / "run"

    @property
    def log(self) -> Path:
        return self.path / "log"

    @property
    def env(self) -> Path:
        return self.path / "env"

    @property
    def credentials(self) -> Path:
        return self.path / "credentials"

    @property
    def description(self) -> Path:
        """stack.json: what a program needs to talk to this stack."""
        return self.path / "stack.json"

    @property
    def programs(self) -> Path:
        """What each supervised program runs, for `launch`."""
        return self.run / "programs.json"

    @property
    def starts(self) -> Path:
        """A file for each program, as many bytes long as the number that `started` tells."""
        return self.run / "starts"

    def started(self, program: str) -> int:
        """How often the program was started since `up`, or since it was last stopped on purpose."""
        file = self.starts / program
        return file.stat().st_size if file.exists() else 0

    @property
    def socket(self) -> Path:
        """supervisord's control socket; elsewhere when the home's own path is too long."""
        inside = self.run / "supervisor.sock"
        if len(os.fsencode(inside)) <= _LONGEST_SOCKET_PATH:
            return inside
        digest = sha256(os.fsencode(self.path)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"oja-{os.getuid()}-{digest}" / "supervisor.sock"

    def make(self) -> None:
        """Create the folders. Others may pass through, to reach what is theirs, but not look."""
        self.path.mkdir(mode=0o711, parents=True, exist_ok=True)
        for folder in (self.data, self.run, self.log):
            folder.mkdir(mode=0o711, exist_ok=True)
        for folder in (self.env, self.credentials, self.socket.parent):
            folder.mkdir(mode=0o700, exist_ok=True)

    def exists(self) -> bool:
        return self.path.is_dir()


def write_private(path: Path, text: str) -> None:
    """Replace a file at once with one that only its owner may read; the same text stays."""
    if path.exists() and path.read_text() == text:
        return
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    fresh.replace(path)


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file, or {} if there is no such file (yet)."""
    with suppress(FileNotFoundError):
        found: dict[str, Any] = json.loads(path.read_text())
        return found
    return {}


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    write_private(path, json.dumps(content, indent=2) + "\n")
