"""RabbitMQ on loopback only, with a port mapper (epmd) of its own.

The definitions file (users, permissions, policies, exchanges) is read at every boot,
so a broker whose data was wiped comes back by itself with all of it.
"""

import json
import os
import shutil
from hashlib import sha256
from pathlib import Path

import amqp  # type: ignore[import-untyped]

from oja_events.topology import VHOST, broker_definitions
from stack import binaries
from stack.context import Stack
from stack.home import write_private
from stack.ports import HOST
from stack.program import Program
from stack.services import SERVICES

NAME = "rabbitmq"
ADMIN = "oja_admin"
NODE = "oja@localhost"

_CONFIGURATION = """\
listeners.tcp.default = {host}:{port}
definitions.import_backend = local_filesystem
definitions.local.path = {definitions}
log.file = false
log.console = true
log.console.level = info
vm_memory_high_watermark.absolute = 1GiB
disk_free_limit.absolute = 200MB
raft.wal_max_size_bytes = 67108864
"""

# An idle Erlang spins for new work; on a laptop others have use for the processor.
_DO_NOT_SPIN = "+sbwt none +sbwtdcpu none +sbwtdio none"


def programs(stack: Stack) -> list[Program]:
    return [_port_mapper(stack), _node(stack)]


def prepare(stack: Stack) -> None:
    """Write the configuration and the definitions."""
    stack.account.own(_data(stack), _folder(stack))
    file = _folder(stack) / "definitions.json"
    _write(stack, "definitions.json", definitions(stack))
    _write(stack, "enabled_plugins", "[].\n")
    _write(stack, "rabbitmq.conf", configuration(HOST, stack.ports["rabbitmq"], file))


def definitions(stack: Stack) -> str:
    """What the broker must know before anybody connects, as its JSON file."""
    content = broker_definitions(
        {service: password(stack, service) for service in SERVICES},
        admin=(ADMIN, password(stack, ADMIN)),
    )
    return json.dumps(content, indent=2)


def configuration(bind: str, port: int, definitions_file: Path) -> str:
    """rabbitmq.conf."""
    return _CONFIGURATION.format(host=bind, port=port, definitions=definitions_file)


def ready(stack: Stack) -> bool:
    """Whether the administrator can log in to our virtual host."""
    client = amqp.Connection(
        host=f"{HOST}:{stack.ports['rabbitmq']}",
        userid=ADMIN,
        password=password(stack, ADMIN),
        virtual_host=VHOST,
        connect_timeout=5,
        read_timeout=5,
    )
    try:
        client.connect()
        client.close()
    except (OSError, amqp.AMQPError):
        return False
    return True


def node_folder(stack: Stack) -> Path:
    """What the broker keeps; it makes the folder itself when it starts without data."""
    return _data(stack) / NODE


def url(stack: Stack, user: str) -> str:
    address = f"{stack.host('rabbitmq')}:{stack.ports['rabbitmq']}"
    return f"amqp://{user}:{password(stack, user)}@{address}/{VHOST}"


def password(stack: Stack, user: str) -> str:
    return stack.credentials.password(f"broker-{user}")


def _port_mapper(stack: Stack) -> Program:
    port = stack.ports["epmd"]
    return Program(
        name="epmd",
        service="rabbitmq",
        role="server",
        command=(_erlang("epmd"), "-address", HOST, "-port", str(port)),
        env=_environment(stack),
        stage=10,
        port=port,
    )


def _node(stack: Stack) -> Program:
    return Program(
        name=NAME,
        service="rabbitmq",
        role="server",
        command=(str(binaries.require(binaries.RABBITMQ).path),),
        env=_environment(stack),
        stage=20,
        port=stack.ports["rabbitmq"],
        ready="rabbitmq",
        needs_ports=(stack.ports["epmd"],),
        folder=str(_data(stack)),
        code=topology_mark(),
        expendable=True,
    )


def topology_mark() -> str:
    """Changes with what is in the definitions, for they are read only when the broker starts; the
    salts of the passwords are others each time."""
    content = broker_definitions(dict.fromkeys(SERVICES, ""), admin=(ADMIN, ""))
    return sha256(json.dumps(content | {"users": list(SERVICES)}).encode()).hexdigest()[:16]


def _environment(stack: Stack) -> dict[str, str]:
    folder, data = _folder(stack), _data(stack)
    return _libraries() | {
        "PATH": f"{Path(_erlang('erl')).parent}:{os.environ.get('PATH', os.defpath)}",
        "HOME": str(data),
        "LANG": "C.UTF-8",
        # Writing down the memory of a crashed broker would only delay the next start.
        "ERL_CRASH_DUMP_SECONDS": "0",
        "ERL_EPMD_ADDRESS": HOST,
        "ERL_EPMD_PORT": str(stack.ports["epmd"]),
        "RABBITMQ_NODENAME": NODE,
        "RABBITMQ_NODE_IP_ADDRESS": HOST,
        "RABBITMQ_NODE_PORT": str(stack.ports["rabbitmq"]),
        "RABBITMQ_DIST_PORT": str(stack.ports["rabbitmq-nodes"]),
        "RABBITMQ_MNESIA_BASE": str(data),
        "RABBITMQ_LOG_BASE": str(data),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced.config"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
        "RABBITMQ_CONF_ENV_FILE": str(folder / "rabbitmq-env.conf"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
            f"-noinput -kernel inet_dist_use_interface {{127,0,0,1}} {_DO_NOT_SPIN}"
        ),
        # Makes the start script become the server instead of waiting beside it.
        "RABBITMQ_ALLOW_INPUT": "1",
    }


def _write(stack: Stack, name: str, text: str) -> None:
    file = _folder(stack) / name
    write_private(file, text)
    stack.account.give(file)


def _libraries() -> dict[str, str]:
    """Where libraries lie that were fetched because this machine lacks them."""
    folders = sorted((binaries.fetched_folder() / "debs" / "usr" / "lib").glob("*-linux-gnu*"))
    return {"LD_LIBRARY_PATH": ":".join(map(str, folders))} if folders else {}


def _erlang(name: str) -> str:
    """A program of the Erlang that RabbitMQ came with."""
    if binaries.is_fetched(binaries.require(binaries.RABBITMQ).path):
        return str(binaries.fetched_folder() / "debs" / "usr" / "bin" / name)
    return shutil.which(name) or f"/usr/bin/{name}"


def _folder(stack: Stack) -> Path:
    return stack.home.run / "rabbitmq"


def _data(stack: Stack) -> Path:
    return stack.home.data / "rabbitmq"
