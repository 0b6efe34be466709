"""kill -9 of any one process is healed without anybody's help."""

import os
import shutil
import signal
from contextlib import suppress

import pytest
from kombu import Connection

from tests.integration.stack.looking import children, is_well, living, pids
from tests.support.servers import Servers, private_servers
from tests.support.waiting import wait_until

HEALED_WITHIN = 60


def kill(*victims: int) -> None:
    for pid in victims:
        os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize(
    "victim",
    ["postgres", "rabbitmq", "redis", "epmd", "sandbox", "guardian", "supervisord"],
)
def test_a_killed_process_is_replaced(servers: Servers, victim: str):
    before = pids(servers)

    kill(before[victim])

    wait_until(lambda: pids(servers)[victim] not in (None, before[victim]), timeout=HEALED_WITHIN)
    wait_until(lambda: is_well(servers), timeout=HEALED_WITHIN)


def test_the_children_of_servers_may_be_killed_as_well(servers: Servers):
    programs = children(servers).keys()
    assert {"postgres", "rabbitmq"} <= programs

    for program in programs:
        with suppress(KeyError, ProcessLookupError):
            kill(children(servers)[program])
        wait_until(lambda: is_well(servers), timeout=HEALED_WITHIN)


def test_an_up_recovers_from_the_loss_of_both_watchers():
    with private_servers() as servers:
        known = pids(servers)

        kill(known["supervisord"], known["guardian"])
        servers.command("up", "--only", "servers")

        assert is_well(servers)
        servers.command("down")
        assert living(servers) == []


def test_a_broker_without_its_data_comes_back_with_users_and_exchanges():
    with private_servers() as servers:
        servers.command("down")
        shutil.rmtree(servers.home / "data" / "rabbitmq")

        servers.command("up", "--only", "servers")

        assert is_well(servers)
        assert_may_publish(servers, "ordering")


def test_a_broker_whose_data_is_deleted_under_it_begins_anew(servers: Servers):
    """It would go on answering, and confirm nothing any more."""
    before = pids(servers)["rabbitmq"]

    shutil.rmtree(servers.home / "data" / "rabbitmq")

    wait_until(lambda: pids(servers)["rabbitmq"] not in (None, before), timeout=HEALED_WITHIN)
    wait_until(lambda: is_well(servers), timeout=HEALED_WITHIN)
    assert_may_publish(servers, "ordering")


def assert_may_publish(servers: Servers, service: str) -> None:
    with Connection(servers.broker_url(service)) as connection:
        channel = connection.channel()
        channel.exchange_declare("oja.events", "topic", passive=True)
