"""Redis (or Valkey): caches and counters only, so nothing of it is kept on disk.

Every service has a user of its own that sees keys and channels `<service>:*` and nothing else.
"""

from hashlib import sha256
from pathlib import Path

import redis

from stack import binaries
from stack.context import Stack
from stack.home import write_private
from stack.ports import HOST
from stack.program import Program
from stack.services import SERVICES

ADMIN = "oja_admin"

_CONFIGURATION = """\
bind {host}
port {port}
dir "{data}"
aclfile "{acl}"
save ""
appendonly no
maxmemory 128mb
maxmemory-policy allkeys-lru
# A title would be written over the environment that belongings.py reads.
set-proc-title no
"""


def program(stack: Stack) -> Program:
    return Program(
        name="redis",
        service="redis",
        role="server",
        command=(str(binaries.require(binaries.REDIS).path), str(_folder(stack) / "redis.conf")),
        stage=20,
        port=stack.ports["redis"],
        ready="redis",
    )


def prepare(stack: Stack) -> None:
    """Write the configuration and the users."""
    stack.account.own(_data(stack), _folder(stack))
    _write(stack, "users.acl", users(stack))
    _write(
        stack,
        "redis.conf",
        configuration(
            bind=HOST,
            port=stack.ports["redis"],
            data=_data(stack),
            acl_file=_folder(stack) / "users.acl",
        ),
    )


def configuration(*, bind: str, port: int, data: Path, acl_file: Path) -> str:
    """redis.conf; `data` is only ever the working folder."""
    return _CONFIGURATION.format(host=bind, port=port, data=data, acl=acl_file)


def users(stack: Stack) -> str:
    """The users file of this stack."""
    return acl({user: password(stack, user) for user in (*SERVICES, ADMIN)})


def acl(passwords: dict[str, str]) -> str:
    """Redis' users file: one line for each user, with hashed passwords."""
    lines = ["user default off"]
    for user, password_ in passwords.items():
        digest = sha256(password_.encode()).hexdigest()
        lines.append(f"user {user} on #{digest} {_rights(user)}")
    return "\n".join(lines) + "\n"


def ready(stack: Stack) -> bool:
    with redis.Redis.from_url(url(stack, ADMIN), socket_timeout=5) as client:
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False


def url(stack: Stack, user: str) -> str:
    return f"redis://{user}:{password(stack, user)}@{stack.host('redis')}:{stack.ports['redis']}/0"


def password(stack: Stack, user: str) -> str:
    return stack.credentials.password(f"redis-{user}")


def _rights(user: str) -> str:
    if user == ADMIN:
        return "~* &* +@all"
    # Not held to keys, so they would show or change what is others': the names of all keys, and the
    # functions of the whole server.
    return f"~{user}:* &{user}:* +@all -@admin -@dangerous -scan -randomkey -function -pubsub"


def _write(stack: Stack, name: str, text: str) -> None:
    file = _folder(stack) / name
    write_private(file, text)
    stack.account.give(file)


def _folder(stack: Stack) -> Path:
    return stack.home.run / "redis"


def _data(stack: Stack) -> Path:
    return stack.home.data / "redis"
