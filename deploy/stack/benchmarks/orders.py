"""Orders, from the cart to the money and the mails: how many, how fast, at what price."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from statistics import median
from typing import Any

from stack.benchmarks import catalog
from stack.benchmarks.bench import REPEATS, Bench
from stack.benchmarks.counted import Counted, Done, Price, Span, counted
from stack.benchmarks.courier import carry
from stack.benchmarks.references import transactions
from stack.benchmarks.shoppers import Job, Told
from stack.failure import Failure
from stack.home import CHECKOUT
from stack.keyring import public_jwk
from stack.report import out
from stack.servers import postgres, rabbitmq

_PRODUCTS = 1000
_SHOPPERS = 16
_MAILS_PER_ORDER = 2
_FLOW_COMMITS = 2  # the item put into the cart, the order
_SETTING = CHECKOUT / "benchmarks" / "orders.sql"


def run(bench: Bench) -> None:
    """Metrics: see benchmarks/README.md."""
    _fill(bench)
    with counted(bench.stack) as books:
        _shop(bench, shoppers=2, orders=4 if bench.quick else 40)  # not counted: first times
        books.wait_until_drained()
        idle = _idle(bench, books)
        loaded, orders = _loaded(bench, books)
        _tell_references(bench, books, loaded, orders)
        _tell_times(bench, books, "idle", idle)
        _tell_times(bench, books, "loaded", loaded)
        _checkouts(bench)


def _fill(bench: Bench) -> None:
    """A catalogue that does not sell out, as ordering knows it from events."""
    catalog.fill(bench, _PRODUCTS)
    with closing(postgres.superuser(bench.stack, postgres.DATABASE)) as database, database:
        database.cursor().execute(_SETTING.read_text())


def _idle(bench: Bench, books: Counted) -> Span:
    out.print("  one customer after the other")
    since = books.now()
    _shop(bench, shoppers=1, pause=0.1, orders=10 if bench.quick else 100)
    books.wait_until_drained()
    return since, books.now()


def _loaded(bench: Bench, books: Counted) -> tuple[Span, int]:
    """When it was, and how many orders were made."""
    out.print(f"  {_SHOPPERS} customers at a time, all the way")
    since, before, runs = books.now(), books.price(), list[Done]()
    for _ in range(1 if bench.quick else REPEATS):
        begun = books.now()
        told = _shop(bench, seconds=4 if bench.quick else 15)
        books.wait_until_drained()
        runs.append(_checked(books.done(begun), told.orders))
    orders = sum(run.orders for run in runs)
    _tell_price(bench, books.price() - before, orders)
    bench.results.add("orders", median(run.orders / run.seconds for run in runs), "orders/s")
    return (since, books.now()), orders


def _checked(done: Done, orders: int) -> Done:
    """What the customers were promised is what Postgres says."""
    if (done.orders, done.mails) != (orders, _MAILS_PER_ORDER * orders):
        raise Failure(f"Of {orders} orders came {done.orders} and {done.mails} mails.")
    return done


def _tell_price(bench: Bench, price: Price, orders: int) -> None:
    bench.results.add("statements_per_order", price.statements / orders, "statements")
    bench.results.add("commits_per_order", price.commits / orders, "commits")
    bench.results.add("syncs_per_order", price.syncs / orders, "waits for disk")


def _tell_references(bench: Bench, books: Counted, during: Span, orders: int) -> None:
    """Set the orders beside their transactions and messages alone."""
    per_order = {each.metric: each.value for each in bench.results.results}
    commits, rate = per_order["commits_per_order"], per_order["orders"]
    statements = round(per_order["statements_per_order"] / commits)
    dsn = postgres.superuser_dsn(bench.stack)
    out.print(f"  pgbench, transactions of {statements} statements")
    best = transactions(dsn, statements, seconds=bench.seconds).per_second
    bench.results.add("orders_of_postgres", rate, "orders/s", ("pgbench", best / commits))
    messages = books.messages(during[0])
    bench.results.add("messages_per_order", len(messages) / orders, "messages")
    _tell_broker(bench, messages, len(messages) / orders, rate)


def _tell_broker(bench: Bench, messages: Sequence[bytes], per_order: float, rate: float) -> None:
    out.print("  bare kombu, the same messages")
    url = rabbitmq.url(bench.stack, rabbitmq.ADMIN)
    count = 5_000 if bench.quick else 30_000
    seconds, *_ = carry(url, messages, count)
    bench.results.add("orders_of_kombu", rate, "orders/s", ("kombu", count / seconds / per_order))
    _, *took = carry(url, messages, 200, window=1)
    bench.results.add("kombu_round_trip_p50", median(took), "ms")


def _tell_times(bench: Bench, books: Counted, load: str, during: Span) -> None:
    times = {
        "event": books.event_times(during),
        "checkout_to_reserved": books.event_times(during, of="order_placed", at="catalog"),
        "webhook_to_paid": books.webhook_to_paid(during),
    }
    for name, found in times.items():
        bench.results.add(f"{name}_p50_{load}", found.p50, "ms")
        bench.results.add(f"{name}_p99_{load}", found.p99, "ms")


def _checkouts(bench: Bench) -> None:
    """Last, because it leaves orders behind that nobody pays."""
    out.print(f"  {_SHOPPERS} customers at a time, up to the checkout")
    runs = [_shop(bench, pays=False, seconds=2 * bench.seconds) for _ in range(REPEATS)]
    rate = median(run.orders / run.seconds for run in runs)
    dsn = postgres.superuser_dsn(bench.stack)
    best = transactions(dsn, 10, seconds=bench.seconds).per_second / _FLOW_COMMITS
    bench.results.add("checkouts", rate, "flows/s", ("pgbench", best))
    for name in ("add", "checkout"):
        took = sorted(ms for run in runs for ms in run.calls[name])
        bench.results.add(f"{name}_p50", median(took), "ms")
        bench.results.add(f"{name}_p99", took[int(0.99 * len(took))], "ms")


def _shop(bench: Bench, *, shoppers: int = _SHOPPERS, pays: bool = True, **limits: Any) -> Told:
    """Let a process of its own go shopping; raises Failure if it was refused anything."""
    stack = bench.stack
    key = stack.credentials.jwt_private_key()
    job = Job(
        gateway=stack.public_url.replace("localhost", "127.0.0.1"),
        issuer=stack.public_url,
        key=key,
        kid=public_jwk(key)["kid"],
        skus=[f"SKU-{n}" for n in range(1, _PRODUCTS + 1)],
        shoppers=shoppers,
        pays=pays,
        **limits,
    )
    done = subprocess.run(
        [sys.executable, "-m", "stack.benchmarks.shoppers"],
        input=json.dumps(asdict(job)),
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT / "deploy")},
        check=False,
    )
    if done.returncode:
        raise Failure(f"A customer was refused: {done.stderr.strip().splitlines()[-1]}")
    return Told(**json.loads(done.stdout))
