"""docker-compose.yml runs what the local stack runs, in the same order, and confines it.

No container engine is needed: the file is compared with the definitions in deploy/stack.
"""

import json
import re
from importlib.resources import files

import jsonschema
import pytest

from payments.bootstrap import MOST_WAITING
from stack import containers
from stack.processes import Process, Task, processes, tasks
from stack.services import SERVICES
from tests.contract.compose import COMPOSE, CONTAINERS, JOBS, OUTSIDE_IMAGES, ROOT, waits_for

HEALTH_PORT = "8001"


def command(parts: tuple[str, ...]) -> list[str]:
    places = {"python": "python", "host": containers.EVERYWHERE, "port": containers.HTTP_PORT}
    return [part.format(**places) for part in parts]


def test_the_file_follows_the_compose_specification():
    schema = files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"

    jsonschema.validate(COMPOSE, json.loads(schema.read_text()))


def test_every_process_and_task_of_the_stack_is_a_container_and_nothing_else_is():
    processes_and_tasks = {process.name for process in processes()}
    processes_and_tasks |= {f"{task.service}-{task.name}" for task in tasks()}
    servers = {"postgres", "rabbitmq", "redis", "sandbox", "gateway"}
    jobs = {"setup", "provision", "catalog-seed", "identity-create-admin"}

    assert set(CONTAINERS) == processes_and_tasks | servers | jobs


@pytest.mark.parametrize("process", processes(), ids=lambda process: process.name)
def test_a_process_runs_the_same_command_and_is_asked_the_same_whether_it_is_ready(
    process: Process,
):
    container = CONTAINERS[process.name]
    port = str(containers.HTTP_PORT) if process.role == "http" else HEALTH_PORT

    assert container["command"] == command(process.command)
    assert container["healthcheck"]["test"][-2:] == [port, process.ready]
    if process.role != "http":
        assert container["environment"] == {"HEALTH_HOST": "127.0.0.1", "HEALTH_PORT": port}


def test_a_third_of_the_threads_of_payments_never_waits_for_news():
    http = next(process for process in processes() if process.name == "payments-http")
    threads = int(http.command[http.command.index("--blocking-threads") + 1])

    assert threads * 2 / 3 == MOST_WAITING


@pytest.mark.parametrize("process", processes(), ids=lambda process: process.name)
def test_a_process_starts_after_what_it_needs_and_after_its_migrations(process: Process):
    found = waits_for(process.name)

    assert {found.get(need) for need in process.needs} == {"service_healthy"}
    own = [task for task in tasks() if task.service == process.service]
    if process.role == "http":
        own = [task for task in own if task.name == "migrate"]
    for task in own:
        assert found[f"{task.service}-{task.name}"] == "service_completed_successfully"


@pytest.mark.parametrize("task", tasks(), ids=lambda task: f"{task.service}-{task.name}")
def test_a_task_runs_the_same_command_once_what_it_needs_is_ready(task: Task):
    name = f"{task.service}-{task.name}"

    assert name in JOBS
    assert CONTAINERS[name]["command"] == command(task.command)
    assert {waits_for(name)[need] for need in task.needs} == {"service_healthy"}
    if "postgres" in task.needs:
        assert waits_for(name)["provision"] == "service_completed_successfully"


@pytest.mark.parametrize("name", sorted(set(CONTAINERS) - {"setup"}))
def test_everything_waits_for_its_settings_and_is_restarted_when_they_change(name: str):
    assert CONTAINERS[name]["depends_on"]["setup"] == {
        "condition": "service_completed_successfully",
        "restart": True,
    }


def test_the_first_events_find_all_queues_and_all_tables():
    prepared = {f"{task.service}-{task.name}" for task in tasks()}

    assert prepared <= set(waits_for("catalog-seed"))
    assert prepared <= set(waits_for("identity-create-admin"))


def test_the_gateway_comes_last():
    first = {f"{service}-http" for service in SERVICES} | {"catalog-seed", "identity-create-admin"}

    assert first <= set(waits_for("gateway"))


def test_no_container_waits_for_itself():
    done: set[str] = set()
    while ready := {
        name
        for name in CONTAINERS
        if name not in done and set(CONTAINERS[name].get("depends_on", {})) <= done
    }:
        done |= ready

    assert done == set(CONTAINERS)


def test_every_job_is_awaited_by_somebody():
    """`up --wait` takes a job that ended for a failure unless somebody waits for its success."""
    awaited = {
        other
        for name in set(CONTAINERS) - {"setup"}
        for other, condition in waits_for(name).items()
        if condition == "service_completed_successfully"
    }

    assert awaited == JOBS


@pytest.mark.parametrize("name", sorted(set(CONTAINERS) - JOBS))
def test_everything_that_stays_is_checked_and_comes_back(name: str):
    assert CONTAINERS[name]["restart"] == "unless-stopped"
    assert CONTAINERS[name]["healthcheck"]["test"][0] == "CMD"


@pytest.mark.parametrize("name", sorted(CONTAINERS))
def test_s61_every_container_is_confined(name: str):
    container = CONTAINERS[name]

    assert container["read_only"] is True
    assert container["cap_drop"] == ["ALL"]
    assert container["security_opt"] == ["no-new-privileges:true"]
    assert "/tmp" in container["tmpfs"]  # noqa: S108  the path in the container
    assert container["mem_limit"]
    assert not {"privileged", "cap_add", "pid", "ipc", "devices"} & set(container)
    if name in OUTSIDE_IMAGES:
        assert container["user"] not in {"root", "0"}
    else:
        assert "user" not in container
        recipe = (ROOT / container["build"]["dockerfile"]).read_text()
        assert re.findall(r"^USER (.+)$", recipe, re.MULTILINE) == ["10001:10001"]


def test_s56_only_the_gateway_and_the_sandbox_are_reached_from_outside_and_only_from_this_machine():
    published = {name: box["ports"] for name, box in CONTAINERS.items() if "ports" in box}

    assert published == {
        "gateway": ["127.0.0.1:${OJA_PORT:-8080}:8080"],
        "sandbox": ["127.0.0.1:${OJA_SANDBOX_PORT:-8025}:8025"],
    }
    assert containers.PORTS["gateway"] == 8080
    assert containers.PORTS["sandbox"] == 8025


def test_s61_databases_and_broker_have_no_way_out():
    assert COMPOSE["networks"]["data"] == {"internal": True}
    for name in ("postgres", "rabbitmq", "redis", "provision"):
        assert CONTAINERS[name]["networks"] == ["data"]
    assert CONTAINERS["gateway"]["networks"] == ["edge"]


@pytest.mark.parametrize("name", sorted(CONTAINERS))
def test_an_image_is_built_from_a_recipe_here_or_has_a_version_and_names_no_registry(name: str):
    container = CONTAINERS[name]

    if name in OUTSIDE_IMAGES:
        assert re.fullmatch(r"[a-z]+:\d[\w.-]+", container["image"])
    else:
        assert container["image"].startswith("oja/")
        assert (ROOT / container["build"]["dockerfile"]).exists()


@pytest.mark.parametrize("recipe", ["service.Dockerfile", "tools.Dockerfile"])
@pytest.mark.parametrize("service", SERVICES)
def test_recipes_copy_what_exists_and_is_not_kept_from_them(recipe: str, service: str):
    text = (ROOT / "deploy" / recipe).read_text().replace("${SERVICE}", service)
    let_in = re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)

    for sources in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE):
        for source in sources.split():
            assert (ROOT / source).exists()
            assert source.split("/")[0] in let_in
