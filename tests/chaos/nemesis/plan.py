"""Which fault comes when: a pure function of the seed."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from stack.processes import processes

PROCESSES = tuple(f"{process.name}-1" for process in processes())
SERVICES = tuple(dict.fromkeys(process.service for process in processes()))
SERVERS = ("postgres", "rabbitmq", "redis", "gateway", "sandbox")
LINKS = tuple(
    f"{service} → {server}" for service in SERVICES for server in ("postgres", "rabbitmq", "redis")
)
_TELLERS = ("catalog", "ordering", "payments")
_AT_ONCE = (0.0, 0.0)
_PAUSES = (1.0, 6.0)


@dataclass(frozen=True, slots=True)
class Fault:
    """`kind` is done to `target` and lasts for `seconds` (0: it is over at once), after `pause`
    seconds in which nothing happens but the customers."""

    number: int
    kind: str
    target: str
    seconds: float
    pause: float


@dataclass(frozen=True, slots=True)
class Kind:
    """What may be done, to whom, and the shortest and longest time that it lasts."""

    name: str
    targets: tuple[str, ...]
    seconds: tuple[float, float] = _AT_ONCE


KINDS = (
    # supervisord takes everything with it: that is a power cut.
    Kind("kill", (*PROCESSES, *SERVERS, "supervisord")),
    Kind("freeze", (*PROCESSES, *SERVERS), (3, 20)),
    Kind("restart", (*SERVICES, "postgres", "rabbitmq", "redis", "gateway")),
    Kind("cut", LINKS, (0, 8)),
    Kind("hold", LINKS, (3, 20)),
    Kind("lose answers", LINKS, (1, 8)),
    Kind("wipe", ("rabbitmq",)),
    Kind("duplicate", _TELLERS),
    Kind("replay late", _TELLERS),
    Kind("reorder", (*_TELLERS, "notifier"), (4, 10)),
    Kind("rewind", _TELLERS),
    Kind("webhooks", ("delayed", "repeated", "lost", "sent again"), (5, 15)),
    Kind("paystack", ("rate_limit", "error", "hang", "drop_answer"), (5, 15)),
    Kind("mail", ("421", "450", "hang", "drop_before_store", "drop_after_store"), (5, 15)),
)


def plan(seed: int) -> Iterator[Fault]:
    """Faults without end. Each comes once before any comes again."""
    stream = Random(seed)  # noqa: S311  the same ones for the same seed
    number = 0
    while True:
        deck = [(kind, target) for kind in KINDS for target in kind.targets]
        stream.shuffle(deck)
        for kind, target in deck:
            number += 1
            seconds, pause = stream.uniform(*kind.seconds), stream.uniform(*_PAUSES)
            yield Fault(number, kind.name, target, round(seconds, 1), round(pause, 1))
