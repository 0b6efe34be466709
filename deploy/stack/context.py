"""One stack as the commands see it: its home, ports, credentials and remembered choices."""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

from stack.account import Account, server_account
from stack.credentials import Credentials
from stack.home import CHECKOUT, Home, read_json, write_json
from stack.ports import HOST, Ports
from stack.supervision import Supervisor


@dataclass(frozen=True, slots=True)
class Choices:
    """What the last `up` and `scale` asked for; `up` without options means the same again."""

    only_servers: bool = False
    demo: bool = True
    counts: dict[str, int] = field(default_factory=dict)
    overrides: dict[str, str] = field(default_factory=dict)


class Stack:
    """Everything is looked up or made when it is first asked for."""

    def __init__(self, home: Home | None = None, env: Mapping[str, str] = os.environ) -> None:
        self.home = home or Home.from_env(env)
        self._env = env
        self.supervisor = Supervisor(self.home)
        self.credentials = Credentials(self.home.credentials)
        self._settings = self.home.path / "settings.json"

    @cached_property
    def ports(self) -> Ports:
        return Ports(self.home, self._env)

    @cached_property
    def account(self) -> Account:
        return server_account(self.home.path, CHECKOUT)

    @property
    def choices(self) -> Choices:
        return Choices(**read_json(self._settings).get("choices", {}))

    def choose(self, **changes: Any) -> None:
        """Remember these choices beside those that stay."""
        self._write(choices=asdict(replace(self.choices, **changes)))

    @property
    def wanted(self) -> bool:
        """Whether the stack is meant to run; the guardian revives it only then."""
        return bool(read_json(self._settings).get("wanted", False))

    @wanted.setter
    def wanted(self, value: bool) -> None:
        self._write(wanted=value)

    def host(self, name: str) -> str:
        """Where others reach the server or process of that name."""
        return HOST

    @property
    def public_url(self) -> str:
        return f"http://localhost:{self.ports['gateway']}"

    def _write(self, **changes: Any) -> None:
        write_json(self._settings, read_json(self._settings) | changes)
