"""The jobs of docker-compose.yml that prepare what the containers share.

    python -m stack.containers setup        passwords, keys and everybody's settings
    python -m stack.containers provision    the database's roles and schemas
    python -m stack.containers announce-key | use-new-key | drop-old-keys    see README.md

The first two give the same result again and again. `setup` writes one folder per reader under /out,
each a volume that only that reader mounts; the originals stay in /state.
"""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from stack import envfiles
from stack.addresses import addresses, sandbox_environment
from stack.context import Choices, Stack
from stack.home import Home
from stack.keyring import now
from stack.servers import nginx, postgres, rabbitmq, redis
from stack.services import SERVICES

STATE = Path("/state")
OUT = Path("/out")
# Where a container finds its own folder of OUT.
MOUNTED = Path("/run/oja")
EVERYWHERE = "0.0.0.0"  # noqa: S104  inside a container, whose network is private  # nosec B104

PORTS = {
    "postgres": 5432,
    "rabbitmq": 5672,
    "redis": 6379,
    "sandbox": 8025,
    "sandbox-smtp": 2525,
    "gateway": 8080,
}
HTTP_PORT = 8000
# Docker's name server: it knows where the containers of a service are right now.
_RESOLVER = "127.0.0.11"

Files = Mapping[str, str]


class Ports:
    """The same ports in every installation: a container has all of them for itself."""

    def __getitem__(self, name: str) -> int:
        return PORTS.get(name, HTTP_PORT)


class Containers(Stack):
    """The stack in which every server and process is a host of its own, called by its name."""

    ports = Ports()  # type: ignore[assignment]

    def __init__(self, state: Path = STATE, env: Mapping[str, str] = os.environ) -> None:
        super().__init__(Home(state))
        self._env = env

    def host(self, name: str) -> str:
        return name.removesuffix("-1")

    @property
    def choices(self) -> Choices:
        """What the environment replaces. Pictures are shown by browsers, so from outside."""
        given = envfiles.chosen(self._env)
        delivery = f"http://localhost:{self._env['OJA_SANDBOX_PORT']}/cloudinary-delivery"
        return Choices(overrides={"CLOUDINARY_DELIVERY_URL": delivery} | given)

    @property
    def public_url(self) -> str:
        return f"http://localhost:{self._env['OJA_PORT']}"


def setup(stack: Stack, out: Path = OUT) -> None:
    """Write the settings of every container under `out`."""
    stack.home.credentials.mkdir(mode=0o700, exist_ok=True)
    for reader, files in settings(stack).items():
        for name, text in files.items():
            _write(out / reader / name, text)
    nginx.copy_reference(out / "gateway" / "docs")


def settings(stack: Stack) -> dict[str, Files]:
    """Reader -> file name -> content."""
    at = addresses(stack)
    services = {
        service: {"settings.env": envfiles.text(envfiles.environment(service, at))}
        for service in SERVICES
    }
    owners = {
        f"{service}.env": envfiles.text(envfiles.migration_environment(service, at))
        for service in SERVICES
    }
    return {
        **services,
        "owners": owners,
        "admin": {"password": stack.credentials.admin_password() + "\n"},
        "postgres": {"password": postgres.password(stack, postgres.SUPERUSER)},
        "rabbitmq": _rabbitmq(stack),
        "redis": _redis(stack),
        "sandbox": {"settings.env": envfiles.text(sandbox_environment(stack))},
        "gateway": {"nginx.conf": _nginx(stack)},
    }


def provision(stack: Stack) -> None:
    postgres.provision(stack)


def _rabbitmq(stack: Stack) -> Files:
    definitions_file = MOUNTED / "definitions.json"
    return {
        "definitions.json": rabbitmq.definitions(stack),
        "enabled_plugins": "[].\n",
        "rabbitmq.conf": rabbitmq.configuration(EVERYWHERE, PORTS["rabbitmq"], definitions_file),
    }


def _redis(stack: Stack) -> Files:
    configuration = redis.configuration(
        bind=EVERYWHERE,
        port=PORTS["redis"],
        data=Path("/data"),
        acl_file=MOUNTED / "users.acl",
    )
    # Nobody gets in without a user and a password, so others than ourselves may knock.
    return {
        "users.acl": redis.users(stack),
        "redis.conf": configuration + "protected-mode no\n",
    }


def _nginx(stack: Stack) -> str:
    return nginx.render(
        listen=[f"{EVERYWHERE}:{PORTS['gateway']}"],
        hosts=["localhost", "127.0.0.1", "gateway"],
        upstreams={service: [f"{service}-http:{HTTP_PORT}"] for service in SERVICES},
        docs_root=str(MOUNTED / "docs"),
        worker_processes="auto",
        pid_file="/tmp/nginx.pid",  # noqa: S108  a tmpfs of the container's own  # nosec B108
        temp_dir="/tmp",  # noqa: S108  # nosec B108
        access_log="/dev/stdout",
        error_log="/dev/stderr",
        resolver=_RESOLVER,
        **nginx.limits(stack),
    )


def _write(file: Path, text: str) -> None:
    """For us to write, and for the group to read: the reader is a member."""
    file.touch(mode=0o640)
    file.write_text(text)


def announce_key(stack: Stack, out: Path = OUT) -> None:
    """Have a new key for access tokens in everybody's settings; it does not sign yet."""
    stack.credentials.keyring.announce()
    setup(stack, out)


def use_new_key(stack: Stack, out: Path = OUT) -> None:
    """Have identity sign with it, once all services were restarted."""
    stack.credentials.keyring.use_announced(now())
    setup(stack, out)


def drop_old_keys(stack: Stack, out: Path = OUT) -> None:
    """Forget keys that no token is left of."""
    stack.credentials.keyring.drop_retired(now())
    setup(stack, out)


JOBS: Mapping[str, Callable[[Stack], None]] = {
    "setup": setup,
    "provision": provision,
    "announce-key": announce_key,
    "use-new-key": use_new_key,
    "drop-old-keys": drop_old_keys,
}


def main() -> None:
    JOBS[sys.argv[1]](Containers())


if __name__ == "__main__":
    main()
