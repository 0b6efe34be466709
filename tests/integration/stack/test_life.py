"""Up, up again, down, and what is left."""

import socket

from tests.integration.stack.looking import listening_addresses, living, oja, pids, status
from tests.support.servers import Servers, private_servers

LOOPBACK = {"0100007F", "00000000000000000000000001000000"}


def test_a_second_up_changes_nothing_and_says_so(servers: Servers):
    before = pids(servers)

    said = servers.command("up", "--only", "servers")

    assert "nothing was changed" in said
    assert pids(servers) == before


def test_nothing_listens_to_the_network(servers: Servers):
    assert listening_addresses(servers) <= LOOPBACK


def test_the_status_tells_about_every_process(servers: Servers):
    found = status(servers)

    assert found["stack"]["ready"]
    assert {"gateway", "docs", "sandbox", "mail"} <= set(found["urls"])
    assert {"email", "password_file"} == set(found["admin"])
    for process in found["processes"]:
        assert process["ready"], process
        assert process["pid"]
        assert process["uptime_seconds"] >= 0


def test_no_password_is_printed(servers: Servers):
    shown = servers.command("env") + servers.command("status")

    secrets = [file.read_text().strip() for file in (servers.home / "credentials").iterdir()]
    assert not [secret for secret in secrets if secret in shown]


def test_down_leaves_no_process_and_can_be_repeated():
    with private_servers() as servers:
        assert living(servers)

        servers.command("down")

        assert living(servers) == []
        assert "Nothing was running" in servers.command("down")
        assert oja(servers, "status").returncode == 3


def test_two_stacks_run_side_by_side(servers: Servers):
    with private_servers() as other:
        mine, theirs = status(servers), status(other)

        ports = [{item["port"] for item in each["processes"]} - {None} for each in (mine, theirs)]
        assert ports[0].isdisjoint(ports[1])
        assert theirs["stack"]["ready"]
    assert status(servers)["stack"]["ready"]


def test_somebody_else_s_port_is_left_to_him(tmp_path):
    with private_servers() as servers, socket.create_server(("127.0.0.1", 0)) as stranger:
        servers.command("down")
        port = stranger.getsockname()[1]
        servers.env["OJA_PORT"] = str(port)

        done = oja(servers, "up", "--only", "servers")

        assert done.returncode == 1
        assert f"Port {port} is already in use" in done.stderr
        assert "OJA_PORT" in done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert living(servers) == []
