"""The gateway: nginx with the configuration in gateway/, rendered for one stack."""

import json
import shutil
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from oja_events import asyncapi
from stack import binaries
from stack.context import Stack
from stack.home import CHECKOUT, write_private
from stack.ports import HOST
from stack.program import Program

NAME = "gateway"


def program(stack: Stack) -> Program:
    folder = _folder(stack)
    nginx = binaries.require(binaries.NGINX).path
    return Program(
        name=NAME,
        service=NAME,
        role="http",
        command=(str(nginx), "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"),
        stage=50,
        port=stack.ports["gateway"],
        ready="/healthz",
        # The running master is found by its folder, see belongings.py.
        folder=str(folder),
        stop_signal="QUIT",
        orphan_signal="TERM",
    )


def prepare(stack: Stack, upstreams: Mapping[str, Sequence[str]]) -> bool:
    """Render the configuration; True if it differs from the one before."""
    folder = _folder(stack)
    stack.account.own(folder, folder / "temp")
    copy_reference(folder / "docs")
    text = render(
        listen=[f"{HOST}:{stack.ports['gateway']}"],
        hosts=_hosts(stack),
        upstreams=upstreams,
        docs_root=str(folder / "docs"),
        worker_processes=stack.choices.counts.get("gateway.http", 1),
        pid_file=str(folder / "nginx.pid"),
        temp_dir=str(folder / "temp"),
        access_log="/dev/stdout",
        error_log="stderr",
        **limits(stack),
    )
    file = folder / "nginx.conf"
    if file.exists() and file.read_text() == text:
        return False
    write_private(file, text)
    stack.account.give(file)
    return True


def copy_reference(folder: Path) -> None:
    """Put Swagger UI, our pages and the document of the events into the folder."""
    distribution = Path(str(files("flask_swagger_ui"))) / "dist"
    for source in (distribution, CHECKOUT / "gateway" / "docs"):
        shutil.copytree(source, folder, dirs_exist_ok=True)
    (folder / "asyncapi.json").write_text(asyncapi.as_json())


def limits(stack: Stack) -> dict[str, str]:
    """What `up --env-file` says about how much one caller may ask."""
    rate = stack.choices.overrides.get("OJA_CALLER_RATE")
    return {"caller_rate": rate} if rate else {}


def render(**variables: object) -> str:
    """nginx's configuration. gateway/README.md says what each variable means."""
    environment = Environment(
        loader=FileSystemLoader(CHECKOUT / "gateway"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701  it is not HTML  # nosec B701
    )
    environment.filters["json"] = json.dumps
    return environment.get_template("nginx.conf.j2").render(**variables) + "\n"


def _hosts(stack: Stack) -> list[str]:
    return ["localhost", HOST]


def _folder(stack: Stack) -> Path:
    return stack.home.run / NAME
