"""`./oja up`: from nothing, or from anything in between, to a stack that is ready."""

import compileall
import shutil
from pathlib import Path
from typing import Any

from stack import belongings, description, envfiles, fetch, preparation, tasks
from stack.addresses import addresses, write_sandbox_environment
from stack.context import Stack
from stack.failure import Failure
from stack.home import CHECKOUT
from stack.lock_file import exclusive
from stack.processes import tasks as all_tasks
from stack.program import Program
from stack.programs import everything, servers, services, upstreams
from stack.readiness import all_ready, answers, wait_for, wait_until
from stack.report import Step, step
from stack.servers import nginx, postgres, rabbitmq, redis

_SERVERS_WITHIN = 90
_SERVICES_WITHIN = 120
# What may be left out when it was done before, see preparation.py.
_SERVICES = "services"
_DEMO = "demo catalogue"


def choose(
    stack: Stack, *, demo: bool, env_file: Path | None, sandbox: bool, only: str | None
) -> None:
    """Remember what this `up` asks for. Replaced parts of the sandbox stay so until told."""
    if only not in (None, "servers"):
        raise Failure(f"--only knows `servers`, not {only!r}.")
    stack.home.make()
    changes: dict[str, Any] = {"demo": demo, "only_servers": only == "servers"}
    if sandbox or env_file:
        changes["overrides"] = envfiles.overrides(env_file) if env_file else {}
    stack.choose(**changes)


def up(stack: Stack) -> bool:
    """Bring the whole stack up; False if it already was, and nothing was touched."""
    with exclusive(stack.home):
        fetch.missing(stack.home.log)
        stack.wanted = True
        if not stack.supervisor.running():
            _clear_the_way(stack)
        _write_environments(stack)
        if _is_up(stack):
            return False
        _start_servers(stack)
        _start_the_rest(stack)
        description.write(stack)
        return True


def _clear_the_way(stack: Stack) -> None:
    """End what a killed supervisor left over, and make sure of the ports."""
    belongings.end([item.pid for item in belongings.belongings(stack.home.path)], grace=5)
    shutil.rmtree(stack.home.starts, ignore_errors=True)
    stack.ports.renew_taken()
    stack.ports.require_public()


def _write_environments(stack: Stack) -> None:
    envfiles.write(stack.home.env, addresses(stack))
    write_sandbox_environment(stack)


def _is_up(stack: Stack) -> bool:
    programs = everything(stack)
    wanted = {item.name: item.specification(stack.account)["digest"] for item in programs}
    if not stack.supervisor.running() or stack.supervisor.configured() != wanted:
        return False
    return stack.home.description.exists() and all(all_ready(stack, programs).values())


def _start_servers(stack: Stack) -> None:
    """Start the servers; and everything else at once, if nothing has to be prepared for it."""
    with step("Postgres, RabbitMQ, Redis and the sandbox") as running:
        _write_configurations(stack)
        running_on = stack.supervisor.running()
        # A server that changed is needed as it is now by what comes next; services run on.
        changing = [server.name for server in servers(stack)]
        stack.supervisor.configure(
            _first_programs(stack), stack.account, keep=running_on, but=changing
        )
        if running_on:
            stack.supervisor.apply()
        else:
            stack.supervisor.start()
        _wait(stack, [postgres.program(stack)], running, _SERVERS_WITHIN)
        prepared = preparation.is_done(stack, _SERVICES)
        if prepared:
            _apply(stack, everything(stack))
        _wait(stack, servers(stack), running, _SERVERS_WITHIN)
    if not prepared:
        _prepare(stack)


def _write_configurations(stack: Stack) -> None:
    stack.account.own(stack.home.data / "sandbox")
    postgres.prepare(stack)
    rabbitmq.prepare(stack)
    redis.prepare(stack)
    if not stack.supervisor.running():
        _compile_sources()


def _compile_sources() -> None:
    """So that every start is quick: as root, the services run as somebody who may not write."""
    for folder in ("libs", "services", "deploy"):
        compileall.compile_dir(CHECKOUT / folder, quiet=2)


def _first_programs(stack: Stack) -> list[Program]:
    """The servers; also the services if they run already, for they go on running."""
    first, known = servers(stack), stack.supervisor.configured()
    if stack.supervisor.running() and len(known) > len(first):
        return everything(stack)
    return first


def _prepare(stack: Stack) -> None:
    postgres.provision(stack)
    if stack.choices.only_servers:
        return
    with step("Migrations and queues"):
        tasks.run_all(stack, all_tasks())
    with step("Administrator"):
        password = stack.credentials.admin_password()
        create_admin(stack, description.ADMIN_EMAIL, password, "--if-missing")
    preparation.note(stack, _SERVICES)


def _start_the_rest(stack: Stack) -> None:
    programs = everything(stack)
    if stack.choices.only_servers:
        _apply(stack, programs)
        return
    with step("Services") as running:
        _apply(stack, programs)
        _wait(stack, services(stack), running, _SERVICES_WITHIN)
    with step("Gateway") as running:
        _wait(stack, [nginx.program(stack)], running, _SERVICES_WITHIN)
        _wait_for_gateway(stack)
    if stack.choices.demo and not preparation.is_done(stack, _DEMO):
        with step("Demo catalogue"):
            tasks.run(stack, tasks.admin_command("catalog", "seed"))
        preparation.note(stack, _DEMO)


def _apply(stack: Stack, programs: list[Program]) -> None:
    if not stack.choices.only_servers:
        nginx.prepare(stack, upstreams(stack))
    stack.supervisor.configure(programs, stack.account)
    stack.supervisor.apply()


def create_admin(stack: Stack, email: str, password: str, *options: str) -> None:
    """Make an administrator; with "--if-missing" unless there is an account with that address."""
    command = tasks.admin_command("identity", "create-admin")
    tasks.run(stack, command, "--email", email, *options, given=f"{password}\n")


def _wait_for_gateway(stack: Stack) -> None:
    """The gateway's /readyz asks every service."""
    port = stack.ports["gateway"]
    if not wait_until(lambda: answers(port, "/readyz"), within=_SERVICES_WITHIN):
        raise Failure(f"The gateway is not ready: {stack.public_url}/readyz.")


def _wait(stack: Stack, programs: list[Program], running: Step, within: float) -> None:
    wait_for(
        stack, programs, within=within, tell=lambda done, of: running.detail(f"{done} of {of}")
    )
