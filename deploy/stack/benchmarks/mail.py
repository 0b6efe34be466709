"""Mails: how many, and how long after their event, beside smtplib alone with the same bytes."""

import smtplib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from pathlib import Path
from statistics import median, quantiles
from uuid import UUID

import amqp  # type: ignore[import-untyped]
from uuid_utils.compat import uuid7

from oja_events.contracts import Contact, Line, Money
from oja_events.contracts.ordering import OrderShipped, Tracking
from oja_events.envelope import Envelope, encode, encode_data
from oja_events.topology import EVENTS_EXCHANGE, VHOST
from stack import envfiles
from stack.addresses import addresses
from stack.benchmarks.bench import REPEATS, Bench
from stack.context import Stack
from stack.failure import Failure
from stack.home import CHECKOUT
from stack.ports import HOST, free_port, listens
from stack.programs import services
from stack.readiness import wait_for, wait_until
from stack.report import out, step
from stack.servers import postgres, rabbitmq, redis

_WITHIN = 90
_PER_SECOND = 20  # events, where the time to the mail is measured: far below what can be done
_PRODUCER = "ordering"


@dataclass(frozen=True, slots=True)
class Timed:
    """Mails per second, and milliseconds that one took."""

    per_second: float
    p50: float
    p99: float


def run(bench: Bench) -> None:
    """Metrics: see benchmarks/README.md."""
    with tempfile.TemporaryDirectory(prefix="oja-bench-") as name, _sink(Path(name)) as sink:
        _start(bench.stack, sink)
        with _broker(bench.stack) as channel:
            burst, pause = (150, 30) if bench.quick else (3000, 200)
            _send(channel, sink, 20, every=0.0)  # not counted: first times
            kept = (sink.folder / "mail.eml").read_bytes()
            rounds = [_round(channel, sink, kept, burst, pause) for _ in range(REPEATS)]
    alone, mass, calm = (_medians(runs) for runs in zip(*rounds, strict=True))
    name = "smtplib_one_connection"
    add = bench.results.add
    add("mails_per_second", mass.per_second, "mails/s", (name, alone.per_second))
    add("event_to_mail_p50", calm.p50, "ms", (f"{name}_p50", alone.p50))
    add("event_to_mail_p99", calm.p99, "ms", (f"{name}_p99", alone.p99))


class _Sink:
    """What the process of sink.py has written down."""

    def __init__(self, port: int, folder: Path) -> None:
        self.port = port
        self.folder = folder

    def accepted(self) -> dict[str, float]:
        """When, by name of the mail."""
        lines = (self.folder / "accepted").read_text().splitlines()
        told = (line.split(" ", 1) for line in lines if line.endswith(">"))
        return {name: float(when) for when, name in told}


@contextmanager
def _sink(folder: Path) -> Iterator[_Sink]:
    port = free_port()
    command = [sys.executable, "-m", "stack.benchmarks.sink", str(port), str(folder)]
    process = subprocess.Popen(command, cwd=CHECKOUT / "deploy")
    try:
        if not wait_until(lambda: listens(port), within=10, every=0.05):
            raise Failure("The mail server of the benchmark did not start.")
        yield _Sink(port, folder)
    finally:
        process.terminate()
        process.wait(10)


def _start(stack: Stack, sink: _Sink) -> None:
    """Notifier's own processes, in the place of what serves HTTP."""
    with step("The broker, and notifier in front of a mail server of the benchmark"):
        stack.choose(overrides={"SMTP_URL": f"smtp://{HOST}:{sink.port}"})
        envfiles.write(stack.home.env, addresses(stack))
        rabbitmq.prepare(stack)
        servers = [postgres.program(stack), redis.program(stack), *rabbitmq.programs(stack)]
        mailing = [
            each for each in services(stack) if each.service == "notifier" and each.role != "http"
        ]
        for programs in (servers, [*servers, *mailing]):
            stack.supervisor.configure(programs, stack.account)
            stack.supervisor.apply()
            wait_for(stack, programs, within=_WITHIN)


@contextmanager
def _broker(stack: Stack) -> Iterator[amqp.Channel]:
    with amqp.Connection(
        host=f"{HOST}:{stack.ports['rabbitmq']}",
        userid=_PRODUCER,
        password=rabbitmq.password(stack, _PRODUCER),
        virtual_host=VHOST,
    ) as connection:
        yield connection.channel()


def _round(
    channel: amqp.Channel, sink: _Sink, kept: bytes, burst: int, pause: int
) -> tuple[Timed, Timed, Timed]:
    """smtplib alone, many events at once, few: in turns, so that one hour is like the other."""
    out.print("  smtplib alone, many events at once, few events a second")
    return (
        _alone(sink, kept, burst),
        _send(channel, sink, burst),
        _send(channel, sink, pause, every=1 / _PER_SECOND),
    )


def _medians(runs: Sequence[Timed]) -> Timed:
    return Timed(
        median(each.per_second for each in runs),
        median(each.p50 for each in runs),
        median(each.p99 for each in runs),
    )


def _send(channel: amqp.Channel, sink: _Sink, count: int, *, every: float = 0.0) -> Timed:
    """Tell of so many orders, `every` so many seconds, until all their mails were accepted."""
    messages = [_event() for _ in range(count)]
    told: dict[str, float] = {}
    began = time.monotonic()
    for number, (event_id, body) in enumerate(messages):
        time.sleep(max(0.0, began + number * every - time.monotonic()))
        told[f"<{event_id}.order_shipped@"] = time.monotonic()
        message = amqp.Message(body, content_type="application/cloudevents+json", delivery_mode=2)
        channel.basic_publish(message, exchange=EVENTS_EXCHANGE, routing_key=OrderShipped.TYPE)
    took = _waits(told, sink)
    return _timed(list(took.values()), max(told[n] + took[n] for n in told) - began)


def _waits(told: dict[str, float], sink: _Sink) -> dict[str, float]:
    """Seconds from each event to its mail."""

    def found() -> dict[str, float]:
        accepted = sink.accepted()
        names = {name.partition("@")[0] + "@": when for name, when in accepted.items()}
        return {name: names[name] - at for name, at in told.items() if name in names}

    if not wait_until(lambda: len(found()) == len(told), within=_WITHIN, every=0.25):
        raise Failure(f"{len(told) - len(found())} of {len(told)} mails did not arrive.")
    return found()


def _alone(sink: _Sink, content: bytes, count: int) -> Timed:
    """The same bytes, one after the other, on one connection."""
    headers: EmailMessage = BytesHeaderParser(_class=EmailMessage).parsebytes(content)
    sender, recipient = str(headers["From"]), str(headers["To"])
    took: list[float] = []
    with smtplib.SMTP(HOST, sink.port) as connection:
        began = time.monotonic()
        for _ in range(count):
            start = time.monotonic()
            connection.sendmail(sender, [recipient], content)
            took.append(time.monotonic() - start)
        return _timed(took, time.monotonic() - began)


def _timed(seconds: list[float], whole: float) -> Timed:
    cuts = quantiles(seconds, n=100, method="inclusive")
    return Timed(len(seconds) / whole, cuts[49] * 1000, cuts[98] * 1000)


def _event() -> tuple[UUID, bytes]:
    """A parcel with two things in it has left, to somebody who never got a mail before."""
    event_id, order_id = uuid7(), uuid7()
    event = OrderShipped(
        order_id=order_id,
        number="OJ-100042",
        customer_id=order_id,
        contact=Contact(email=f"ada-{order_id}@example.com", name="Ada Obi"),
        lines=(_line("ADIRE-M", 2), _line("GELE-1", 1)),
        total=Money(amount=1_350_000, currency="NGN"),
        tracking=Tracking(carrier="GIG", number="4711", url="https://track.example/4711"),
        shipped_at=datetime.now(UTC),
    )
    envelope = Envelope(
        specversion="1.0",
        id=event_id,
        source=f"/{_PRODUCER}",
        type=OrderShipped.TYPE,
        subject=str(order_id),
        time=datetime.now(UTC),
        sequence=1,
        correlationid=str(event_id),
        data=encode_data(event),
    )
    return event_id, encode(envelope)


def _line(sku: str, quantity: int) -> Line:
    price = Money(amount=450_000, currency="NGN")
    return Line(
        sku=sku, product_id=uuid7(), name="Adire shirt", quantity=quantity, unit_price=price
    )
