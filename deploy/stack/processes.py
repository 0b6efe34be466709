"""What Oja consists of: every process, how it is started and what it needs.

The single definition: the local stack runs it, and the containers are tested against it.

    epmd ◀─ rabbitmq ◀┐
            postgres ◀┼─ consumer, worker ◀─ (events)
               redis ◀┴─ http ◀─ gateway          sandbox (stands in for the outside world)
"""

from dataclasses import dataclass

from stack.services import SERVICES

# The longest-running request or message handler has 30 s; supervisord kills at 45 s.
# Most requests are for the catalogue, and carts must not wait: both may use both cores of a small
# machine.
_WORKERS = {"catalog": 2, "ordering": 2}
# Hashes of passwords wait for each other, a payment waits for its stock and for Paystack: others
# must not wait too.
_THREADS = {"identity": 16, "payments": 24}
_GRANIAN = (
    "{python} -m granian --interface wsgi --factory --host {host} --port {port}"
    " --workers {workers} --blocking-threads {threads} --respawn-failed-workers"
    " --respawn-interval 0.2 --workers-kill-timeout 30 --no-ws --log-level warning"
)


@dataclass(frozen=True, slots=True)
class Process:
    """One kind of process of one service; `scale` runs several of it.

    `command` holds {python}, {host} and {port}. `ready` is the path that answers 200 on
    that port once the process does its work.
    """

    service: str
    role: str
    command: tuple[str, ...]
    ready: str
    needs: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.service}-{self.role}"


@dataclass(frozen=True, slots=True)
class Task:
    """A command that runs to its end before the processes of its service start."""

    service: str
    name: str
    command: tuple[str, ...]
    needs: tuple[str, ...]


def processes() -> tuple[Process, ...]:
    """All processes of all services."""
    return tuple(process for service in SERVICES for process in _of(service))


def tasks() -> tuple[Task, ...]:
    """Migrations and queues."""
    migrations = [_admin(service, "migrate", "postgres") for service in SERVICES]
    topology = [_admin(service, "declare", "rabbitmq") for service in SERVICES]
    return (*migrations, *topology)


def _of(service: str) -> list[Process]:
    return [_http(service), _background(service, "consumer"), _background(service, "worker")]


def _http(service: str) -> Process:
    server = _GRANIAN.replace("{workers}", str(_WORKERS.get(service, 1)))
    server = server.replace("{threads}", str(_THREADS.get(service, 4)))
    command = (*server.split(), f"{service}.entrypoints.http.app:create_app")
    return Process(service, "http", command, "/internal/readyz", ("postgres", "redis"))


def _background(service: str, role: str) -> Process:
    command = ("{python}", "-m", f"{service}.entrypoints.{role}")
    return Process(service, role, command, "/readyz", ("postgres", "rabbitmq"))


def _admin(service: str, name: str, need: str) -> Task:
    command = ("{python}", "-m", f"{service}.entrypoints.admin", name)
    return Task(service, name, command, (need,))
