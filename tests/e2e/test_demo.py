"""The journey that newcomers watch first."""

import os
import subprocess
import sys

from tests.support.servers import CHECKOUT
from tests.support.shop import Shop


def test_the_demo_ends_well(shop: Shop):
    told = subprocess.run(
        [sys.executable, "-m", "stack", "demo"],
        cwd=CHECKOUT,
        env={**os.environ, "OJA_HOME": shop.description["home"]},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )

    assert told.returncode == 0, told.stdout + told.stderr
