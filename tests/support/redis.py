"""A private Redis for tests that stop it, freeze it, or look into it."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import redis

from stack import binaries
from tests.support.servers import free_port
from tests.support.waiting import wait_until


class PrivateRedis:
    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        """Start it empty, and wait until it answers."""
        program = binaries.require(binaries.REDIS).path
        settings = {"port": self._port, "bind": "127.0.0.1", "save": "", "dir": self._folder}
        options = [part for name, value in settings.items() for part in (f"--{name}", str(value))]
        self._process = subprocess.Popen([str(program), *options], stdout=subprocess.DEVNULL)
        with redis.Redis.from_url(self.url) as client:
            wait_until(lambda: _answers(client))

    def stop(self) -> None:
        if self._process:
            self.thaw()
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def freeze(self) -> None:
        """Nobody gets an answer any more, but nothing is lost."""
        assert self._process
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process
        os.kill(self._process.pid, signal.SIGCONT)

    def later(self, seconds: float) -> None:
        """Time goes by for all that it keeps."""
        with redis.Redis.from_url(self.url) as client:
            for key in list(client.scan_iter()):
                left = client.pttl(key) - int(seconds * 1000)
                client.pexpire(key, left) if left > 0 else client.delete(key)


@contextmanager
def private_redis() -> Iterator[PrivateRedis]:
    with tempfile.TemporaryDirectory(prefix="oja-redis-") as folder:
        server = PrivateRedis(folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False
