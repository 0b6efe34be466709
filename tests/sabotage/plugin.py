"""For pytest: the mutant `OJA_MUTANT`, here and in the processes that tests start."""

import os
import subprocess
from pathlib import Path
from typing import Any

from tests.sabotage.mutants import MUTANTS

ROOT = Path(__file__).parents[2]
PYTHONPATH = os.pathsep.join([str(ROOT / "tests/sabotage/hook"), str(ROOT)])


def pytest_configure() -> None:
    name = os.environ["OJA_MUTANT"]
    handed_on = {"OJA_MUTANT": name, "PYTHONPATH": PYTHONPATH}
    os.environ |= handed_on
    start = subprocess.Popen.__init__

    def start_mutant(self: Any, *args: Any, env: Any = None, **options: Any) -> None:
        start(self, *args, env=None if env is None else {**env, **handed_on}, **options)

    subprocess.Popen.__init__ = start_mutant  # type: ignore[method-assign]
    MUTANTS[name].apply()
