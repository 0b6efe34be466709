"""`./oja` for the stack under test, whatever the caller's own environment says."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support.shop import Shop

CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Done:
    """What a command printed, on both of its outputs."""

    output: str


def oja(shop: Shop, *arguments: str, code: int = 0, within: float = 120) -> Done:
    """Run the command to its end; it must end with this code."""
    done = subprocess.run(
        [sys.executable, "-m", "stack", *arguments],
        env={
            **os.environ,
            "OJA_HOME": shop.description["home"],
            "PYTHONPATH": str(CHECKOUT / "deploy"),
            "COLUMNS": "200",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=within,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return Done(done.stdout + done.stderr)
