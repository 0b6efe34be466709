"""What Oja's libraries cost while they do nothing: the least CPU that an order can take.

Each piece of an order's work is done many times by its library alone. The price of one is the CPU
of everybody who has a part in it: who asks, who answers, Postgres, the broker, the sandbox.
"""

import json
import os
import smtplib
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from email.message import EmailMessage
from email.policy import SMTP
from http import HTTPStatus
from http.client import HTTPConnection
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import jwt
import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from kombu import Connection  # type: ignore[attr-defined]
from sqlalchemy import text
from sqlalchemy.orm import Session

from oja_events.database import make_engine
from stack.addresses import sandbox_url, smtp_url
from stack.benchmarks.bare import PUBLIC_KEY, QUEUE
from stack.benchmarks.bench import Bench
from stack.benchmarks.courier import QUORUM, publish
from stack.benchmarks.usage import cpu_of
from stack.context import Stack
from stack.failure import Failure
from stack.home import CHECKOUT
from stack.ports import HOST, free_port, listens
from stack.processes import processes
from stack.readiness import wait_until
from stack.report import out
from stack.servers import postgres, rabbitmq
from stack.up import up

_STATEMENTS = 8  # in a transaction: an order takes some 60
_BODY = b"x" * 900  # an event's
_WITHIN = 60

_ROWS = """
    CREATE TABLE bare_rows AS SELECT id, 0 AS n FROM generate_series(0, 999) AS id;
    ALTER TABLE bare_rows ADD PRIMARY KEY (id)
"""

Work = Callable[[int], None]


def run(bench: Bench) -> None:
    """Metrics: see benchmarks/README.md."""
    bench.stack.choose(only_servers=True)
    up(bench.stack)
    # How many an order takes, without the sandbox's pages and the webhook's way.
    pieces = {
        "request": (4, _requests),
        "event": (8, _events),
        "mail": (2, _mails),
        "paystack_call": (2, _paystack_calls),
        "transaction": (8, _transactions),
    }
    order = 0.0
    for name, (times, piece) in pieces.items():
        out.print(f"  {name}")
        with piece(bench.stack) as work:
            price = _price(work, 200 if bench.quick else 2000)
        bench.results.add(name, price, "ms of CPU")
        order += times * price
    bench.results.add("order_at_least", order, "ms of CPU")
    bench.results.add("orders_at_most", 1000 * (os.cpu_count() or 1) / order, "orders/s")


def _price(work: Work, count: int) -> float:
    work(count // 10)  # not counted: first times
    before = cpu_of(os.getpid())
    work(count)
    return 1000 * (cpu_of(os.getpid()) - before) / count


@contextmanager
def _requests(_stack: Stack) -> Iterator[Work]:
    key, port = Ed25519PrivateKey.generate(), free_port()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    claims = {"sub": str(uuid4()), "jti": uuid4().hex, "type": "access", "fresh": False}
    headers = {
        "Authorization": f"Bearer {jwt.encode(claims, key, algorithm='EdDSA')}",
        "Content-Type": "application/json",
    }
    item = json.dumps({"sku": "SKU-1", "quantity": 1})

    def work(count: int) -> None:
        with closing(HTTPConnection(HOST, port, timeout=_WITHIN)) as connection:
            for _ in range(count):
                connection.request("POST", "/items", item, headers)
                answer = connection.getresponse()
                if answer.status != HTTPStatus.OK:
                    raise Failure(f"The bare application says {answer.status}: {answer.read()!r}")
                answer.read()

    with _process(_server(port), lambda: listens(port), {PUBLIC_KEY: public.decode()}):
        yield work


def _server(port: int) -> list[str]:
    """The command that ordering is served with, for another application."""
    like = next(each for each in processes() if each.name == "ordering-http")
    values = {"python": sys.executable, "host": HOST, "port": port}
    command = [part.format(**values) for part in like.command]
    return [*command[:-1], "stack.benchmarks.bare:create_app"]


@contextmanager
def _events(stack: Stack) -> Iterator[Work]:
    url = rabbitmq.url(stack, rabbitmq.ADMIN)
    with Connection(url) as connection:
        channel: Any = connection.channel()
        channel.confirm_select()

        def queue() -> Any:
            return channel.queue_declare(QUEUE, durable=True, auto_delete=False, arguments=QUORUM)

        def work(count: int) -> None:
            publish(connection, channel, QUEUE, [_BODY] * count)
            if not wait_until(lambda: queue().message_count == 0, within=_WITHIN):
                raise Failure("The bare consumer does not consume.")

        command = [sys.executable, "-m", "stack.benchmarks.bare", url]
        with _process(command, lambda: queue().consumer_count > 0):
            yield work


@contextmanager
def _mails(stack: Stack) -> Iterator[Work]:
    to = urlsplit(smtp_url(stack))
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "shop@example.com", "ada@example.com", "Your order"
    mail.set_content("Thank you.\n" * 100)
    with smtplib.SMTP(to.hostname or "", to.port or 0, timeout=_WITHIN) as connection:
        connection.login(to.username or "", to.password or "")
        content = mail.as_bytes(policy=SMTP)

        def work(count: int) -> None:
            for _ in range(count):
                connection.sendmail("shop@example.com", ["ada@example.com"], content)

        yield work


@contextmanager
def _paystack_calls(stack: Stack) -> Iterator[Work]:
    url = f"{sandbox_url(stack)}/paystack/transaction"
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {stack.credentials.paystack_secret()}"

        def work(count: int) -> None:
            for _ in range(count // 2):
                reference = uuid4().hex
                order = {"email": "ada@example.com", "amount": 450_000, "reference": reference}
                session.post(f"{url}/initialize", json=order, timeout=_WITHIN).raise_for_status()
                session.get(f"{url}/verify/{reference}", timeout=_WITHIN).raise_for_status()

        yield work


@contextmanager
def _transactions(stack: Stack) -> Iterator[Work]:
    url = postgres.superuser_dsn(stack).replace("postgresql://", "postgresql+psycopg2://", 1)
    engine = make_engine(url, application="bench")
    update = text("UPDATE bare_rows SET n = n + 1 WHERE id = :id")
    with Session(engine) as session:
        session.execute(text(_ROWS))
        session.commit()

        def work(count: int) -> None:
            for number in range(0, count * _STATEMENTS, _STATEMENTS):
                for row in range(_STATEMENTS):
                    session.execute(update, {"id": (number + row) % 1000})
                session.commit()

        yield work
    engine.dispose()


@contextmanager
def _process(
    command: list[str], ready: Callable[[], bool], more: Mapping[str, str] = MappingProxyType({})
) -> Iterator[None]:
    surrounding = {**os.environ, **more, "PYTHONPATH": str(CHECKOUT / "deploy")}
    process = subprocess.Popen(command, env=surrounding, stderr=subprocess.DEVNULL)
    try:
        if not wait_until(ready, within=_WITHIN):
            raise Failure(f"{command[2]} did not start.")
        yield
    finally:
        process.terminate()
        process.wait(_WITHIN)
