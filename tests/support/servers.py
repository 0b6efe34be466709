"""A private stack of servers (Postgres, RabbitMQ, Redis, sandbox) for tests that may break them."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]
_given: set[int] = set()


@dataclass(frozen=True, slots=True)
class Servers:
    """A running stack and how to command it."""

    home: Path
    env: dict[str, str]
    description: dict[str, Any]

    def variables(self, service: str) -> dict[str, str]:
        """The environment of one service in this stack."""
        lines = Path(self.description["services"][service]["env_file"]).read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))

    def broker_url(self, service: str) -> str:
        return self.variables(service)["BROKER_URL"]

    def command(self, *arguments: str) -> str:
        """Run `./oja <arguments>` on this stack; returns what it printed."""
        return _stack(self.env, *arguments)

    def pid(self, process: str) -> int:
        """The process id of one supervised process."""
        shown = subprocess.run(
            [sys.executable, "-m", "stack", "status", "--json"],
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
        )
        processes = json.loads(shown.stdout)["processes"]
        return next(each["pid"] for each in processes if each["name"] == process)


@contextmanager
def private_servers() -> Iterator[Servers]:
    """Start them in a folder of their own, on free ports; end them with the block."""
    with TemporaryDirectory(prefix="oja-servers-") as folder:
        # As root, the servers run as somebody else, who must be able to pass through.
        Path(folder).chmod(0o711)
        with _running(Path(folder) / "home") as servers:
            yield servers


@contextmanager
def _running(home: Path) -> Iterator[Servers]:
    ports = {"OJA_PORT": str(free_port()), "OJA_SANDBOX_PORT": str(free_port())}
    env = {**os.environ, **ports, "OJA_HOME": str(home), "PYTHONPATH": str(CHECKOUT / "deploy")}
    try:
        _stack(env, "up", "--only", "servers")
        yield Servers(home, env, json.loads((home / "stack.json").read_text()))
    finally:
        _stack(env, "down")


def free_port() -> int:
    """A port that nobody listens on. Never one that was given before, whose owner may not have come
    to listen yet."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        if port not in _given:
            _given.add(port)
            return port


def _stack(env: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "stack", *arguments],
        env=env,
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
