"""kill -9 of any process while an order is on its way: it comes back, and the order ends well."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.shop import Shop
from tests.support.waiting import wait_until

CHECKOUT = Path(__file__).resolve().parents[2]

# One victim for every step of the demo, so that a few demos meet every kind of process.
ROUNDS = [
    [
        "identity-http-1",
        "catalog-http-1",
        "ordering-worker-1",
        "payments-http-1",
        "notifier-worker-1",
    ],
    [
        "notifier-consumer-1",
        "ordering-http-1",
        "catalog-consumer-1",
        "payments-worker-1",
        "gateway",
    ],
    ["identity-worker-1", "redis", "payments-consumer-1", "ordering-consumer-1", "sandbox"],
    ["epmd", "guardian", "catalog-worker-1", "notifier-http-1", "supervisord"],
    ["", "", "rabbitmq", "postgres", ""],
]


@pytest.mark.parametrize("victims", ROUNDS, ids=lambda victims: "+".join(filter(None, victims)))
def test_an_order_survives_the_death_of_one_process_at_each_step(
    shop: Shop, victims: list[str]
) -> None:
    before = {name: pid_of(shop, name) for name in victims if name}

    told = []
    with subprocess.Popen(
        command("demo"), env=environment(shop), stdout=subprocess.PIPE, text=True, bufsize=1
    ) as demo:
        for line in demo.stdout or ():
            told.append(line)
            step = line.partition(".")[0]
            if step.isdigit() and int(step) <= len(victims) and victims[int(step) - 1]:
                os.kill(pid_of(shop, victims[int(step) - 1]), signal.SIGKILL)

    assert demo.returncode == 0, "".join(told)
    for name, pid in before.items():
        wait_until(
            lambda n=name, p=pid: pid_of(shop, n) not in (0, p),
            timeout=60,
            what=f"{name} is back",
        )
    wait_until(lambda: status(shop)["stack"]["ready"], timeout=60, what="all is ready again")


def status(shop: Shop) -> dict[str, Any]:
    shown = subprocess.run(
        command("status", "--json"),
        env=environment(shop),
        capture_output=True,
        text=True,
        check=False,
    )
    found: dict[str, Any] = json.loads(shown.stdout)
    return found


def pid_of(shop: Shop, name: str) -> int:
    """The process id, 0 while it does not run."""
    found = status(shop)
    if name == "supervisord":
        return int(found["stack"]["pid"] or 0)
    return next((int(p["pid"] or 0) for p in found["processes"] if p["name"] == name), 0)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "stack", *arguments]


def environment(shop: Shop) -> dict[str, str]:
    """The stack under test, whatever the caller's own environment says."""
    return {
        **os.environ,
        "OJA_HOME": shop.description["home"],
        "PYTHONPATH": str(CHECKOUT / "deploy"),
        "PYTHONUNBUFFERED": "1",
    }
