"""One supervised program: everything that `launch` and supervisord must know about it."""

import json
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Program:
    """A concrete command with its addresses. `name` is unique in the stack."""

    name: str
    service: str
    role: str
    command: tuple[str, ...]
    stage: int
    port: int | None = None
    ready: str = "tcp"
    env: dict[str, str] = field(default_factory=dict)
    env_file: str | None = None
    needs_ports: tuple[int, ...] = ()
    stop_signal: str = "TERM"
    # What ends it when supervisord itself was killed.
    orphan_signal: str = "KILL"
    lock_file: str | None = None
    folder: str | None = None
    leashed: bool = True

    def digest(self) -> str:
        """Changes whenever the running program would have to be started anew."""
        settings = Path(self.env_file).read_text() if self.env_file else ""
        content = json.dumps(asdict(self), sort_keys=True) + settings
        return sha256(content.encode()).hexdigest()[:16]
