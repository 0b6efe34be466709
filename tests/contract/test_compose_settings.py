"""The set-up job gives every container the settings that it needs, and none that it does not.

The job itself runs here, with a temporary folder in the place of its volumes.
"""

import json
import re
from importlib import import_module
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from sandbox.settings import Settings as SandboxSettings
from stack import containers
from stack.envfiles import OVERRIDES
from stack.services import SERVICES
from tests.contract.compose import CONTAINERS, OUTSIDE_IMAGES, ROOT, mounts, volumes_of_setup

VARIABLES = {"OJA_PORT": "8080", "OJA_SANDBOX_PORT": "8025"}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with what the set-up job writes."""
    state, out = tmp_path_factory.mktemp("state"), tmp_path_factory.mktemp("out")
    for reader in volumes_of_setup():
        (out / reader).mkdir()
    containers.setup(containers.Containers(state, VARIABLES), out)
    return out


def variables(file: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in file.read_text().splitlines())


def test_the_same_variables_replace_the_sandbox_as_in_the_local_stack():
    environment = CONTAINERS["setup"]["environment"]

    assert set(environment) == set(OVERRIDES) | set(VARIABLES)
    assert all(environment[name] == f"${{{name}:-}}" for name in OVERRIDES)
    assert all(environment[name] == f"${{{name}:-{value}}}" for name, value in VARIABLES.items())


def test_real_accounts_reach_the_service_that_uses_them(tmp_path: Path):
    given = {"PAYSTACK_SECRET_KEY": "sk_live_1", "CLOUDINARY_URL": "cloudinary://k:s@real"}
    state = tmp_path / "state"
    state.mkdir()

    written = containers.settings(_prepared(state, VARIABLES | given))

    assert "PAYSTACK_SECRET_KEY=sk_live_1\n" in written["payments"]["settings.env"]
    assert "CLOUDINARY_URL=cloudinary://k:s@real\n" in written["catalog"]["settings.env"]
    assert "sandbox" not in written["catalog"]["settings.env"]


def test_a_second_setup_changes_no_password(tmp_path: Path):
    first = containers.settings(_prepared(tmp_path, VARIABLES))
    second = containers.settings(_prepared(tmp_path, VARIABLES))

    assert first["identity"] == second["identity"]
    assert first["postgres"] == second["postgres"]


def test_the_file_holds_no_secret():
    for name, container in CONTAINERS.items():
        for key, value in container.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|KEY|URL|TOKEN", key):
                assert value.startswith(("${", "/run/")), f"{name}: {key}"


def test_setup_has_a_volume_for_every_reader_and_the_image_a_folder_for_every_volume(
    written: Path,
):
    recipe = (ROOT / "deploy/tools.Dockerfile").read_text()

    assert {folder.name for folder in written.iterdir() if any(folder.iterdir())} == set(
        volumes_of_setup()
    )
    assert set(re.findall(r'"/out/(\w+)"', recipe)) == set(volumes_of_setup())
    for folder, volume in volumes_of_setup().items():
        assert volume == f"{folder}-settings"


def test_s61_settings_are_mounted_by_their_readers_only_and_read_only():
    readers: dict[str, set[str]] = {}
    for name in set(CONTAINERS) - {"setup"}:
        for volume in CONTAINERS[name].get("volumes", []):
            if not isinstance(volume, str):
                assert volume["read_only"] is True
                assert volume["volume"] == {"nocopy": True}
                readers.setdefault(volume["source"].removesuffix("-settings"), set()).add(name)

    for service in SERVICES:
        assert readers.pop(service) == {n for n in CONTAINERS if n.startswith(f"{service}-")}
    assert readers.pop("owners") == {f"{service}-migrate" for service in SERVICES}
    assert readers.pop("admin") == {"identity-create-admin"}
    assert readers.pop("state") == {"provision"}
    assert readers == {name: {name} for name in (*OUTSIDE_IMAGES, "sandbox")}


def test_readers_of_other_images_are_members_of_the_group_that_may_read(written: Path):
    for name in OUTSIDE_IMAGES:
        assert CONTAINERS[name]["group_add"] == ["10001"]
    for file in written.rglob("*.*"):
        if file.is_file() and "docs" not in file.parts:
            assert file.stat().st_mode & 0o777 == 0o640


def test_s14_only_identity_can_sign_tokens_and_only_migrations_can_alter_tables(written: Path):
    for file in written.rglob("*.env"):
        content = variables(file)
        assert ("JWT_PRIVATE_KEY" in content) == (file.parent.name == "identity")
        assert ("MIGRATION_DATABASE_URL" in content) == (file.parent.name == "owners")


@pytest.mark.parametrize("service", SERVICES)
def test_a_migration_gets_the_owners_address_of_its_own_schema(written: Path, service: str):
    entrypoint = CONTAINERS[f"{service}-migrate"]["entrypoint"]
    [file] = [Path(part) for part in entrypoint if part.startswith("/run/")]

    assert mounts(f"{service}-migrate")["owners-settings"] == str(file.parent)
    owner = variables(written / "owners" / file.name)["MIGRATION_DATABASE_URL"]
    assert urlsplit(owner).username == f"{service}_owner"


@pytest.mark.parametrize("service", SERVICES)
def test_every_address_in_the_settings_is_a_container_on_a_common_network(
    written: Path, service: str
):
    content = (written / service / "settings.env").read_text()
    found = set(re.findall(r"(?:[a-z0-9+]+)://(?:[^@/\s]+@)?([a-z-]+):(\d+)", content))

    assert {"postgres", "rabbitmq", "redis"} <= {host for host, _ in found}
    for host, port in found - {("localhost", "8080"), ("localhost", "8025")}:
        assert set(CONTAINERS[host]["networks"]) & set(CONTAINERS[f"{service}-http"]["networks"])
        assert int(port) in {*containers.PORTS.values(), containers.HTTP_PORT}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_understands_its_settings(written: Path, service: str):
    settings = import_module(f"{service}.settings").Settings

    settings.from_env(variables(written / service / "settings.env"))


def test_the_sandbox_understands_its_command_and_its_settings(written: Path):
    _, _, _, *arguments = CONTAINERS["sandbox"]["command"]
    argv = [re.sub(r"\$\{\w+:-(\w+)\}", r"\1", argument) for argument in arguments]

    settings = SandboxSettings.read(argv, variables(written / "sandbox" / "settings.env"))

    assert settings.port == containers.PORTS["sandbox"]
    assert settings.smtp_port == containers.PORTS["sandbox-smtp"]
    assert str(settings.state_dir) == mounts("sandbox")["sandbox-data"]
    assert settings.webhook_url == "http://gateway:8080/api/paystack/webhook"


def test_the_gateway_forwards_to_every_service_and_answers_to_those_who_call_it(written: Path):
    configuration = (written / "gateway" / "nginx.conf").read_text()

    for service in SERVICES:
        assert f"server {service}-http:{containers.HTTP_PORT} " in configuration
    assert "listen 0.0.0.0:8080 default_server;" in configuration
    assert "server_name localhost 127.0.0.1 gateway;" in configuration
    assert (written / "gateway" / "docs" / "swagger-ui-bundle.js").exists()
    assert mounts("gateway")["gateway-settings"] == str(containers.MOUNTED)


def test_files_that_servers_are_told_of_exist(written: Path):
    for name in ("postgres", "rabbitmq", "redis", "gateway"):
        told = json.dumps(
            [CONTAINERS[name].get(key) for key in ("command", "entrypoint", "environment")]
        )
        for text in (told, *(file.read_text() for file in (written / name).glob("*.conf"))):
            for path in re.findall(r"/run/oja/([\w.-]+)", text):
                assert (written / name / path).exists(), f"{name}: {path}"


def _prepared(state: Path, env: dict[str, str]) -> containers.Containers:
    stack = containers.Containers(state, env)
    stack.home.credentials.mkdir(exist_ok=True)
    return stack
