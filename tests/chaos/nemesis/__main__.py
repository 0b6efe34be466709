"""`python -m tests.chaos.nemesis`; people call it as `./oja nemesis`."""

import argparse
import os
import sys
import time
from contextlib import suppress
from pathlib import Path

from rich.live import Live
from rich.table import Table

from stack.report import out, step
from tests.chaos.nemesis import report
from tests.chaos.nemesis.arena import Arena, arena
from tests.chaos.nemesis.customers import Market
from tests.chaos.nemesis.faults import inject
from tests.chaos.nemesis.healing import heal
from tests.chaos.nemesis.load import Load
from tests.chaos.nemesis.plan import Fault, plan
from tests.chaos.nemesis.report import Injected, Run
from tests.chaos.nemesis.verdict import judge

_PRODUCTS = 8
_STOCK = 100_000


def main() -> int:
    """0 if nothing was lost or doubled and everything healed, else 1."""
    wishes = _wishes()
    run = Run(seed=wishes.seed, minutes=wishes.minutes)
    with arena() as ground:
        market = Market(ground.shop, [_new_sku(ground) for _ in range(_PRODUCTS)])
        try:
            _go_through_it(ground, market, run, wishes.orders_per_minute)
        finally:  # whatever ended it, people want to read how far it came
            run.remember(market)
            report.show(run)
            for file in report.write(run, wishes.report):
                out.print(f"{file}", markup=False)
    return 0 if run.is_good else 1


def _go_through_it(ground: Arena, market: Market, run: Run, orders_per_minute: float) -> None:
    with Load(market, orders_per_minute):
        run.quiet = heal(ground, market)
        # Ctrl-C ends the faults; the judgement comes all the same.
        with suppress(KeyboardInterrupt):
            _rage(ground, market, run, until=time.monotonic() + run.minutes * 60)
    with step("Coming to rest, and the judgement"):
        run.verdict = judge(ground, market, _STOCK)


def _wishes() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./oja nemesis")
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--orders-per-minute", type=float, required=True)
    parser.add_argument("--report", type=Path, required=True)
    return parser.parse_args()


def _new_sku(ground: Arena) -> str:
    return ground.shop.staff.new_product(stock=_STOCK)


def _rage(ground: Arena, market: Market, run: Run, *, until: float) -> None:
    """One fault after the other, each healed before the next; live on a terminal, else a line
    each."""
    with Live(console=out, auto_refresh=False, transient=True) as live:
        for fault in plan(run.seed):
            if time.monotonic() > until:
                return
            time.sleep(fault.pause)
            live.update(_progress(run, market, fault, until), refresh=True)
            run.injected.append(_strike(ground, market, fault))
            live.console.print(_line(run.injected[-1]), markup=False)


def _strike(ground: Arena, market: Market, fault: Fault) -> Injected:
    before = market.answers.so_far()
    error = ""
    try:
        inject(ground, fault)
    except Exception as trouble:  # what cannot be done is a finding, and the rest goes on
        error = repr(trouble)[:500]
    healed_after = heal(ground, market)
    saw = dict(market.answers.so_far() - before)
    return Injected(fault, saw, healed_after, load=os.getloadavg()[0], error=error)


def _progress(run: Run, market: Market, fault: Fault, until: float) -> Table:
    shown = Table("left", "faults", "checkouts", "worst healing", "now")
    shown.add_row(
        f"{max(0.0, until - time.monotonic()) / 60:.1f} min",
        str(len(run.injected)),
        str(len(market.purchases)),
        f"{run.worst or 0:.1f} s",
        f"{fault.kind} {fault.target} {fault.seconds or ''}",
    )
    return shown


def _line(each: Injected) -> str:
    fault = each.fault
    healed = "NOT HEALED" if each.healed_after is None else f"healed in {each.healed_after:.1f} s"
    lasted = f" for {fault.seconds} s" if fault.seconds else ""
    bad = {kind: n for kind, n in each.saw.items() if kind not in ("2xx", "4xx asked for")}
    return (
        f"{fault.number}. {fault.kind} {fault.target}{lasted}: {healed}; {bad or ''} {each.error}"
    )


if __name__ == "__main__":
    sys.exit(main())
