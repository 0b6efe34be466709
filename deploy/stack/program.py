"""One supervised program: everything that `launch` and supervisord must know about it."""

import json
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from stack.account import Account


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
    # The folder is made again when somebody has deleted it: nothing in it is needed for good.
    expendable: bool = False
    leashed: bool = True
    # As nice(1) has it: 0 is everybody's, 19 the last in line for a processor.
    niceness: int = 0
    # Of the sources, so that an `up` after an update runs what was updated.
    code: str = ""

    def specification(self, account: Account) -> dict[str, Any]:
        """What launch.py needs. `digest` changes whenever a running one must be started anew."""
        content = asdict(self) | {
            "uid": account.uid,
            "account": account.prefix if self.leashed else (),
        }
        settings = Path(self.env_file).read_text() if self.env_file else ""
        text = json.dumps(content, sort_keys=True) + settings
        return content | {"digest": sha256(text.encode()).hexdigest()[:16]}
