"""Load from a process of its own: wrk, which one core suffices for."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from stack.failure import Failure
from stack.home import CHECKOUT

CONNECTIONS = 16
_SCRIPT = CHECKOUT / "benchmarks" / "load.lua"


@dataclass(frozen=True, slots=True)
class Measured:
    """`p99` in milliseconds."""

    per_second: float
    p99: float


def require_wrk() -> None:
    """Install it where that is allowed."""
    if shutil.which("wrk"):
        return
    if os.geteuid() == 0 and (apt := shutil.which("apt-get")):
        for arguments in (["update", "-qq"], ["install", "-qq", "-y", "wrk"]):
            subprocess.run([apt, *arguments], capture_output=True, check=False)
    if not shutil.which("wrk"):
        raise Failure("wrk is missing; install it with your package manager.")


def load(
    url: str, *, seconds: int, headers: Mapping[str, str] | None = None, distinct: bool = False
) -> Measured:
    """GET the address over and over; raises Failure if an answer is not 200.

    With `distinct`, `{n}` in the address is another number every time.
    """
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(_SCRIPT)]
    for name, value in (headers or {}).items():
        command += ["-H", f"{name}: {value}"]
    command.append(url.replace("{n}", "0"))
    if distinct:
        command += ["--", url.partition("//")[2].partition("/")[1] + url.split("/", 3)[3]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        raise Failure(f"wrk failed: {done.stdout}{done.stderr}")
    told = json.loads(lines[-1])
    if told["errors"] or not told["requests"]:
        raise Failure(f"{told['errors']} of {told['requests']} requests for {url} failed.")
    return Measured(told["requests"] / told["seconds"], told["p99"])
