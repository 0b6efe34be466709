"""The checks bite: Oja without one of its protections fails the tests that it was made for."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sabotage.mutants import MUTANTS

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", MUTANTS)
def test_without_this_protection_tests_fail(name: str) -> None:
    mutant = MUTANTS[name]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.sabotage.plugin", "--tb=line"]

    done = subprocess.run(
        [*command, *mutant.tests],
        cwd=ROOT,
        env={**os.environ, "OJA_MUTANT": name},
        capture_output=True,
        text=True,
        check=False,
    )

    assert re.search(r"\d+ failed", done.stdout), done.stdout[-3000:] + done.stderr[-2000:]
