"""S59: what Redis lets a service do, tried with its own password."""

import pytest
import redis

from stack.services import SERVICES
from tests.support.servers import Servers


def client_of(servers: Servers, service: str) -> redis.Redis:
    return redis.Redis.from_url(servers.variables(service)["REDIS_URL"])


def another(service: str) -> str:
    return next(name for name in SERVICES if name != service)


@pytest.mark.parametrize("service", SERVICES)
def test_s59_a_service_has_its_own_keys(servers: Servers, service: str) -> None:
    with client_of(servers, service) as client:
        client.set(f"{service}:tried", "yes", ex=5)
        assert client.get(f"{service}:tried") == b"yes"


@pytest.mark.parametrize("service", SERVICES)
def test_s59_a_service_touches_no_key_of_another(servers: Servers, service: str) -> None:
    theirs = f"{another(service)}:tried"
    attempts = (
        lambda client: client.get(theirs),
        lambda client: client.set(theirs, "no"),
        lambda client: client.delete(theirs),
        lambda client: client.incr(theirs),
        lambda client: client.publish(theirs, "no"),
        lambda client: client.eval("return redis.call('GET', KEYS[1])", 1, theirs),
        lambda client: client.copy(f"{service}:tried", theirs),
        lambda client: client.set("plain", "no"),
    )
    for attempt in attempts:
        with (
            client_of(servers, service) as client,
            pytest.raises(redis.exceptions.NoPermissionError),
        ):
            attempt(client)


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(
    "command",
    [
        "FLUSHALL", "FLUSHDB", "KEYS *", "SCAN 0", "RANDOMKEY", "CONFIG GET *", "ACL LIST",
        "CLIENT LIST", "MONITOR", "SHUTDOWN NOSAVE", "SAVE", "SLOWLOG GET",
        "REPLICAOF NO ONE", "MODULE LIST", "FUNCTION FLUSH", "PUBSUB CHANNELS", "SWAPDB 0 1",
    ],
)  # fmt: skip
def test_s59_a_service_commands_nothing_but_its_keys(
    servers: Servers, service: str, command: str
) -> None:
    with (
        client_of(servers, service) as client,
        pytest.raises(redis.exceptions.NoPermissionError),
    ):
        client.execute_command(*command.split())


def test_s59_nobody_gets_in_without_a_password(servers: Servers) -> None:
    where = servers.variables("catalog")["REDIS_URL"].partition("@")[2]

    for account in ("", "catalog:wrong@", "default:@"):
        with (
            redis.Redis.from_url(f"redis://{account}{where}") as client,
            pytest.raises(redis.exceptions.AuthenticationError),
        ):
            client.ping()
