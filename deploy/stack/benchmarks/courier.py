"""What the broker can do at best: bare kombu that publishes with pipelined confirms, and another
process that consumes and acknowledges: `python -m stack.benchmarks.courier`, addresses on standard
input, how long each message took on standard output."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle, islice
from typing import IO, Any

from kombu import Connection, Consumer, Producer, Queue  # type: ignore[attr-defined]

QUORUM = {"x-queue-type": "quorum"}
_QUEUE = "benchmark"
_PREFETCH = 200
_WINDOW = 200
_WITHIN = 30


def carry(url: str, bodies: Sequence[bytes], count: int, *, window: int = _WINDOW) -> list[float]:
    """Send so many messages with these bodies, at most `window` unconfirmed; the milliseconds that
    each took, with the seconds of all of them in front."""
    command = [sys.executable, "-m", "stack.benchmarks.courier"]
    with (
        Connection(url) as connection,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as consumer,
    ):
        channel: Any = connection.channel()
        channel.confirm_select()
        _queue().bind(channel).declare()
        job = json.dumps({"url": url, "count": count}).encode() + b"\n"
        told, heard = _pipes(consumer)
        told.write(job)
        told.flush()
        heard.readline()
        started = time.time()
        publish(connection, channel, _QUEUE, list(islice(cycle(bodies), count)), window=window)
        took: list[float] = json.loads(heard.readline())
        _queue().bind(channel).delete()
    return [took[0] - started, *took[1:]]


def _pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    if process.stdin is None or process.stdout is None:
        raise ValueError("a process without pipes")
    return process.stdin, process.stdout


def publish(
    connection: Any, channel: Any, queue: str, bodies: list[bytes], *, window: int = _WINDOW
) -> None:
    """Returns when the broker has confirmed them all."""
    waiting: set[int] = set()

    def confirmed(tag: int, multiple: bool) -> None:
        waiting.difference_update([each for each in waiting if each <= tag] if multiple else [tag])

    channel.events["basic_ack"].add(confirmed)
    producer = Producer(channel, auto_declare=False)
    for tag, body in enumerate(bodies, start=1):
        waiting.add(tag)
        headers = {"sent": time.time()}
        producer.publish(body, routing_key=queue, delivery_mode=2, headers=headers)
        while waiting and (len(waiting) >= window or tag == len(bodies)):
            connection.drain_events(timeout=_WITHIN)


def _queue() -> Queue:
    return Queue(_QUEUE, queue_arguments=QUORUM)


@contextmanager
def _consuming(connection: Any, took: list[float]) -> Iterator[None]:
    def on_message(message: Any) -> None:
        message.ack()
        took.append(1000 * (time.time() - message.headers["sent"]))

    consumer = Consumer(
        connection.channel(), [_queue()], on_message=on_message, prefetch_count=_PREFETCH
    )
    with consumer:
        yield


def main() -> None:
    job = json.loads(sys.stdin.readline())
    took: list[float] = []
    with Connection(job["url"]) as connection, _consuming(connection, took):
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while len(took) < job["count"]:
            connection.drain_events(timeout=_WITHIN)
        json.dump([time.time(), *took], sys.stdout)
        sys.stdout.write("\n")


if __name__ == "__main__":
    main()
