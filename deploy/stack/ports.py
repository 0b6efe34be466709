"""Port numbers: two that people know, and free ones that the stack remembers."""

import os
import random
import socket
from collections.abc import Collection, Mapping

from stack.failure import Failure
from stack.home import Home, read_json, write_json

HOST = "127.0.0.1"
# Public ports, the variable that moves each, and its default.
PUBLIC = {"gateway": ("OJA_PORT", 8080), "sandbox": ("OJA_SANDBOX_PORT", 8025)}
# Below Linux's range for outgoing connections, which could otherwise sit on a port of ours.
_INNER = range(20000, 32000)


class Ports:
    """The ports of one stack, by name. A name keeps its port for the life of the home."""

    def __init__(self, home: Home, env: Mapping[str, str] = os.environ) -> None:
        self._file = home.path / "ports.json"
        self._env = env
        self._known: dict[str, int] = read_json(self._file)

    def __getitem__(self, name: str) -> int:
        """The port of that name; an inner one is chosen at the first call."""
        if name in PUBLIC:
            return self._public(name)
        if name not in self._known:
            self._remember(name, self._free())
        return self._known[name]

    def renew_taken(self) -> None:
        """Give up inner ports that somebody else listens on. Only while the stack is down."""
        for name, port in list(self._known.items()):
            if name not in PUBLIC and not is_free(port):
                self._remember(name, self._free())

    def require_public(self) -> None:
        """Fail, naming the variable to set, if a public port is taken. Only while down."""
        for name, (variable, _) in PUBLIC.items():
            port = self[name]
            if not is_free(port):
                raise Failure(
                    f"Port {port} is already in use on this machine; "
                    f"choose another one for the {name} with {variable}=<port>."
                )

    def _public(self, name: str) -> int:
        variable, default = PUBLIC[name]
        asked = self._env.get(variable)
        if asked and not _is_port(asked):
            raise Failure(f"{variable} must be a port number from 1 to 65535, not {asked!r}.")
        port = int(asked) if asked else self._known.get(name, default)
        if self._known.get(name) != port:
            self._remember(name, port)
        return port

    def _remember(self, name: str, port: int) -> None:
        self._known[name] = port
        if self._file.parent.is_dir():
            write_json(self._file, self._known)

    def _free(self) -> int:
        return free_port(besides=self._known.values())


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= 65535


def free_port(*, besides: Collection[int] = ()) -> int:
    """A port that nobody listens on. Who needs it to stay so must listen soon."""
    # Not from the operating system's hand: it would give one from the outgoing range.
    for port in random.sample(_INNER, k=len(_INNER)):  # no secret  # nosec B311
        if port not in besides and is_free(port):
            return port
    raise Failure("No free port is left on 127.0.0.1.")


def is_free(port: int) -> bool:
    """Whether a server could listen there now, on this interface and on all of them."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def listens(port: int) -> bool:
    """Whether somebody accepts connections there."""
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True
