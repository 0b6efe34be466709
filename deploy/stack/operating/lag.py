"""`./oja lag`: how far everybody is behind."""

import json
from collections.abc import Mapping
from dataclasses import asdict

import amqp  # type: ignore[import-untyped]
import typer
from rich.table import Table

from oja_events import operating
from oja_events.operating import Lag
from oja_events.topology import SUBSCRIBERS, VHOST, lanes
from stack.context import Stack
from stack.operating.services import databases
from stack.ports import HOST
from stack.report import out
from stack.servers import rabbitmq
from stack.services import SERVICES


def lag(*, as_json: bool) -> None:
    """Tell, for every service, what waits to be published, compared, handled, or looked at."""
    with databases() as found:
        services = {service: operating.lag(found[service]) for service in SERVICES}
    queues = depths(Stack())
    if as_json:
        told = {"services": {name: asdict(each) for name, each in services.items()}}
        typer.echo(json.dumps(told | {"behind": behind(services), "queues": queues}, indent=2))
        return
    _show(services, queues)


def behind(services: Mapping[str, Lag]) -> dict[str, dict[str, int]]:
    """{consumer: {source: how many positions of that feed it has not compared yet}}."""
    return {
        name: {
            source: services[source].head - services[name].cursors.get(source, 0)
            for source in sources_of(name)
        }
        for name in SERVICES
    }


def sources_of(consumer: str) -> list[str]:
    """Whose feeds a service compares."""
    heard = [event for event, names in SUBSCRIBERS.items() if consumer in names]
    return sorted({event.TYPE.split(".")[1] for event in heard})


def depths(stack: Stack) -> dict[str, int] | None:
    """Messages that are ready, by queue; None while the broker is away."""
    client = amqp.Connection(
        host=f"{HOST}:{stack.ports['rabbitmq']}",
        userid=rabbitmq.ADMIN,
        password=rabbitmq.password(stack, rabbitmq.ADMIN),
        virtual_host=VHOST,
        connect_timeout=5,
        read_timeout=5,
    )
    try:
        client.connect()
        channel = client.channel()
        found = {
            queue: channel.queue_declare(queue, passive=True).message_count
            for service in SERVICES
            for queue in lanes(service).values()
        }
        client.close()
    except (OSError, amqp.AMQPError):
        return None
    return found


def _show(services: Mapping[str, Lag], queues: Mapping[str, int] | None) -> None:
    table = Table("service", "to publish", "oldest", "in queue", "in retries", "backlog", "parked")
    for name, each in services.items():
        table.add_row(
            name,
            str(each.pending),
            f"{each.oldest_seconds:.1f} s" if each.pending else "",
            *_waiting(name, queues),
            str(each.backlog),
            str(each.parked),
        )
    out.print(table)
    feeds = Table("consumer", "feed of", "compared to", "of", "behind")
    for name, sources in behind(services).items():
        for source, missing in sources.items():
            head = services[source].head
            feeds.add_row(name, source, str(head - missing), str(head), str(missing))
    out.print(feeds)
    out.print("Feeds are compared twice a minute, and only what is older than a minute.")


def _waiting(service: str, queues: Mapping[str, int] | None) -> tuple[str, str]:
    if queues is None:
        return "?", "?"
    retries = sum(queues[queue] for key, queue in lanes(service).items() if key.startswith("retry"))
    return str(queues[lanes(service)["main"]]), str(retries)
