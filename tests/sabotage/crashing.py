"""A running stack whose processes die where they are told to."""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from stack.context import Stack
from stack.home import Home
from stack.programs import everything
from tests.sabotage.plugin import PYTHONPATH, ROOT
from tests.support.shop import Shop
from tests.support.waiting import wait_until

SERVICES = ("catalog", "identity", "ordering", "payments", "notifier")


@dataclass(slots=True)
class Crashes:
    """Whoever reaches the point that is armed dies of it, once."""

    folder: Path
    _watched: tuple[str, str] | None = None

    def arm(self, point: str, service: str, time: int = 1) -> None:
        self.disarm()
        draft = self.folder / "draft"
        draft.write_text(f"{point} {service} {time}")
        draft.chmod(0o666)
        draft.rename(self.folder / "armed")

    def watch(self, point: str, service: str) -> None:
        """Nobody dies; all that is passed is noted, and passing this point counts as firing."""
        self.disarm()
        self._watched = (point, service)
        seen = self.folder / "seen"
        seen.touch()
        seen.chmod(0o666)

    def passed(self) -> Counter[tuple[str, str]]:
        """How often which point was passed in which service, since it is watched."""
        lines = (self.folder / "seen").read_text().splitlines()
        return Counter((point, service) for point, service in map(str.split, lines))

    def disarm(self) -> None:
        self._watched = None
        for name in ("armed", "fired", "reached", "seen"):
            (self.folder / name).unlink(missing_ok=True)

    def has_fired(self) -> bool:
        if self._watched:
            return self.passed()[self._watched] > 0
        return (self.folder / "fired").exists()


@contextmanager
def crashing(shop: Shop, names: Sequence[str] = SERVICES) -> Iterator[Crashes]:
    """These services of the stack, started anew with crash points; as they were at the end."""
    with tempfile.TemporaryDirectory(prefix="oja-crashes-") as name:
        folder = Path(name)
        folder.chmod(0o777)
        files = [Path(shop.description["services"][each]["env_file"]) for each in names]
        before = [file.read_text() for file in files]
        try:
            for file, text in zip(files, before, strict=True):
                file.write_text(f"{text}\nOJA_CRASHES={folder}\nPYTHONPATH={PYTHONPATH}\n")
            restart(shop, names)
            yield Crashes(folder)
        finally:
            for file, text in zip(files, before, strict=True):
                file.write_text(text)
            restart(shop, names)


def restart(shop: Shop, names: Sequence[str]) -> None:
    """All at once, with the settings that are in their files now."""
    stack = Stack(Home(Path(shop.description["home"])), env={})
    programs = everything(stack)
    changing = [program.name for program in programs if program.service in names]
    stack.supervisor.configure(programs, stack.account, keep=True, but=changing)
    stack.supervisor.apply()
    wait_until(lambda: is_ready(shop), timeout=300, what="all services are ready", pause=1)


def is_ready(shop: Shop) -> bool:
    shown = oja(shop, "status", "--json", check=False).stdout
    return bool(json.loads(shown)["stack"]["ready"])


def oja(shop: Shop, *arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
    environment = os.environ | {
        "OJA_HOME": shop.description["home"],
        "PYTHONPATH": str(ROOT / "deploy"),
    }
    command = [sys.executable, "-m", "stack", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=check)
