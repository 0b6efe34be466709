"""A running stack whose processes die where they are told to."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.sabotage.plugin import PYTHONPATH, ROOT
from tests.support.shop import Shop
from tests.support.waiting import wait_until

SERVICES = ("catalog", "identity", "ordering", "payments", "notifier")


@dataclass(frozen=True, slots=True)
class Crashes:
    """Whoever reaches the point that is armed dies of it, once."""

    folder: Path

    def arm(self, point: str, service: str, time: int = 1) -> None:
        self.disarm()
        draft = self.folder / "draft"
        draft.write_text(f"{point} {service} {time}")
        draft.chmod(0o666)
        draft.rename(self.folder / "armed")

    def disarm(self) -> None:
        for name in ("armed", "fired", "reached", "seen"):
            (self.folder / name).unlink(missing_ok=True)

    def has_fired(self) -> bool:
        return (self.folder / "fired").exists()


@contextmanager
def crashing(shop: Shop) -> Iterator[Crashes]:
    """The services of this stack, started anew with crash points; as they were at the end."""
    with tempfile.TemporaryDirectory(prefix="oja-crashes-") as name:
        folder = Path(name)
        folder.chmod(0o777)
        files = [Path(shop.description["services"][each]["env_file"]) for each in SERVICES]
        before = [file.read_text() for file in files]
        try:
            for file, text in zip(files, before, strict=True):
                file.write_text(f"{text}\nOJA_CRASHES={folder}\nPYTHONPATH={PYTHONPATH}\n")
            restart(shop)
            yield Crashes(folder)
        finally:
            for file, text in zip(files, before, strict=True):
                file.write_text(text)
            restart(shop)


def restart(shop: Shop) -> None:
    for service in SERVICES:
        oja(shop, "restart", service)
    wait_until(lambda: is_ready(shop), timeout=120, what="all services are ready")


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
