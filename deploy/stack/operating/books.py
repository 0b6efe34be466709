"""`./oja audit`: does everything add up?

It looks with an operator's rights, past the services: a role that may read all schemas and write
nothing, and Paystack's own lists. So it can tell also while services are down.
"""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from importlib import import_module

from rich.table import Table
from sqlalchemy import Engine, create_engine

from oja_events.books.audit import LONGEST_WINDOW, audit
from oja_events.books.facts import SqlSources
from oja_events.books.money import Provider
from oja_events.books.report import Report
from stack import envfiles
from stack.context import Stack
from stack.failure import Failure
from stack.report import out
from stack.servers import postgres
from stack.services import SERVICES

RED, NOT_JUDGED = 1, 3
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_COLOURS = {"green": "green", "red": "bold red", "unknown": "yellow"}
# Longer than a service may take: nobody waits for an auditor.
_TIMEOUT = "120s"


def show(*, since: str, watch: bool, every: float, as_json: bool) -> int:
    """Print what an audit finds, again and again if watched; the exit code of the last one."""
    window = parsed(since)
    with books(Stack()) as (sources, provider):
        while True:
            report = audit(sources, provider, window=window)
            _print(report, as_json=as_json)
            if not watch:
                return {"green": 0, "red": RED}.get(report.status, NOT_JUDGED)
            time.sleep(every)


def parsed(since: str) -> timedelta:
    """`24h`, `90m`, `7d`; at most what the journals keep."""
    number, unit = since[:-1], _UNITS.get(since[-1:])
    if not (number.isascii() and number.isdigit() and len(number) < 6 and int(number) and unit):
        raise Failure(f"{since!r} is no time such as 90m, 24h or 7d.")
    window = timedelta(**{unit: int(number)})
    if window > LONGEST_WINDOW:
        raise Failure(f"At most {LONGEST_WINDOW.days}d: journals are kept no longer.")
    return window


@contextmanager
def books(stack: Stack) -> Iterator[tuple[SqlSources, Provider]]:
    """What an audit of this stack needs."""
    with ExitStack() as closing:
        services = {}
        for service in SERVICES:
            engine = _engine(stack, service)
            closing.callback(engine.dispose)
            services[service] = (engine, import_module(f"{service}.adapters.books").FACTS)
        yield SqlSources(services), _provider(stack)


def _engine(stack: Stack, service: str) -> Engine:
    url = postgres.dsn(stack, postgres.AUDITOR).replace("postgresql://", "postgresql+psycopg2://")
    options = f"-c search_path={service},public -c statement_timeout={_TIMEOUT} -c timezone=UTC"
    return create_engine(
        url,
        pool_size=1,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={"options": options, "application_name": "oja-audit", "connect_timeout": 5},
    )


def _provider(stack: Stack) -> Provider:
    """Paystack with the account that payments has, which may be a real one."""
    from payments.adapters.breaker import Breaker
    from payments.adapters.paystack_books import PaystackBooks
    from payments.adapters.paystack_http import PaystackHTTP

    file = stack.home.env / "payments.env"
    if not file.exists():
        raise Failure("There is no shop here yet; start it with ./oja up.")
    variables = envfiles.read(file)
    key = variables["PAYSTACK_SECRET_KEY"]
    http = PaystackHTTP(variables["PAYSTACK_BASE_URL"].rstrip("/"), key, Breaker(parallel=1))
    return PaystackBooks(http, key)


def _print(report: Report, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(report.as_dict(), ensure_ascii=False) + "\n")
        sys.stdout.flush()
        return
    table = Table("rule", "", "checked", "under way", "says")
    for verdict in report.verdicts:
        status = f"[{_COLOURS[verdict.status]}]{verdict.status}[/]"
        counts = (str(verdict.checked), str(verdict.waiting or ""))
        table.add_row(verdict.rule, status, *counts, verdict.says)
    out.print(table)
    for verdict in report.verdicts:
        if verdict.error:
            out.print(f"{verdict.rule}: {verdict.error}", markup=False)
        for fault in verdict.faults:
            out.print(f"{verdict.rule}: {fault.id} ({fault.service})", style="red", markup=False)
            out.print(f"    {fault.detail}", markup=False, highlight=False)
            out.print(f"    {fault.mend}", markup=False, highlight=False, soft_wrap=True)
    told = f"since {report.since:%Y-%m-%d %H:%M} UTC, in {report.seconds:.1f} s"
    out.print(f"The books are {report.status}: {told}.", markup=False)
