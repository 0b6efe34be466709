"""`./oja status`: every process as supervisord and the process itself see it."""

import time
from typing import Any

from rich.table import Table

from stack import description
from stack.context import Stack
from stack.program import Program
from stack.programs import everything
from stack.readiness import all_ready
from stack.report import out


def status(stack: Stack) -> dict[str, Any]:
    """{"stack", "processes", "urls", "admin"}; every process that should run is listed."""
    if not stack.supervisor.running() and not stack.home.description.exists():
        return {"stack": _stack(stack, running=False, ready=False), "processes": []}
    programs = everything(stack)
    known = stack.supervisor.information()
    ready = all_ready(stack, programs) if known else {}
    found = [_process(stack, item, known.get(item.name, {}), ready) for item in programs]
    whole = _stack(stack, running=bool(known), ready=all(item["ready"] for item in found))
    return {"stack": whole, "processes": found} | _addresses(stack)


def show(found: dict[str, Any]) -> None:
    """The same as a table."""
    if not found["stack"]["running"]:
        out.print("Not running; start it with ./oja up.")
        return
    table = Table(box=None, pad_edge=False)
    for column in ("process", "pid", "port", "uptime", "ready", "restarts"):
        justify = "left" if column in ("process", "ready") else "right"
        table.add_column(column, justify=justify)  # type: ignore[arg-type]
    for item in found["processes"]:
        table.add_row(*_cells(item))
    out.print(table)


def _stack(stack: Stack, *, running: bool, ready: bool) -> dict[str, Any]:
    pid = stack.supervisor.pid() if running else None
    return {"home": str(stack.home.path), "running": running, "ready": ready, "pid": pid}


def _process(
    stack: Stack, program: Program, known: dict[str, Any], ready: dict[str, bool]
) -> dict[str, Any]:
    pid = known.get("pid") or None
    return {
        "name": program.name,
        "service": program.service,
        "role": program.role,
        "pid": pid,
        "port": program.port,
        "uptime_seconds": int(time.time() - known["start"]) if pid else None,
        "ready": bool(pid) and ready.get(program.name, False),
        "restarts": max(0, stack.home.started(program.name) - 1),
    }


def _addresses(stack: Stack) -> dict[str, Any]:
    found = description.public(stack)
    return {"urls": found["urls"], "admin": found["admin"]}


def _cells(item: dict[str, Any]) -> list[str]:
    seconds = item["uptime_seconds"]
    uptime = (
        "-" if seconds is None else f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    )
    ready = "[green]yes[/green]" if item["ready"] else "[red]no[/red]"
    port = str(item["port"] or "-")
    return [item["name"], str(item["pid"] or "-"), port, uptime, ready, str(item["restarts"])]
