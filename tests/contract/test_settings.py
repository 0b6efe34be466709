""".env.example lists every variable that a service reads, and nothing else."""

import ast
import re
from pathlib import Path

import pytest

from stack.services import SERVICES

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / ".env.example"
# The local stack's and the containers' own; no service reads them.
OF_THE_STACK = re.compile(r"OJA_[A-Z_]+")


def read_by(service: str) -> set[str]:
    """The names in env["X"] and env.get("X"), and those handed on with `env` to a function."""
    source = (ROOT / "services" / service / "src" / service / "settings.py").read_text()
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Subscript) and _is_env(node.value):
            names.add(_text(node.slice))
        elif isinstance(node, ast.Call) and _is_env_get(node.func):
            names.add(_text(node.args[0]))
        elif isinstance(node, ast.Call) and any(map(_is_env, node.args)):
            names |= {_text(argument) for argument in node.args}
    return {name for name in names if name}


def listed() -> list[str]:
    """The variables in .env.example, also those that are commented out."""
    return re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=", EXAMPLE.read_text(), re.MULTILINE)


def _is_env(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "env"


def _is_env_get(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "get" and _is_env(node.value)


def _text(node: ast.expr) -> str | None:
    """A variable's name, None for anything else."""
    value = node.value if isinstance(node, ast.Constant) else None
    return value if isinstance(value, str) and re.fullmatch("[A-Z][A-Z0-9_]+", value) else None


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_reads_where_its_database_and_its_broker_are(service: str) -> None:
    assert {"DATABASE_URL", "BROKER_URL", "MIGRATION_DATABASE_URL"} <= read_by(service)


@pytest.mark.parametrize("service", SERVICES)
def test_every_variable_that_a_service_reads_is_in_the_example(service: str) -> None:
    assert read_by(service) <= set(listed())


def test_the_example_lists_nothing_else_and_nothing_twice() -> None:
    known = set().union(*(read_by(service) for service in SERVICES))
    names = [name for name in listed() if not OF_THE_STACK.fullmatch(name)]

    assert set(names) <= known
    assert len(names) == len(set(names))


def test_the_example_holds_no_secret() -> None:
    for line in EXAMPLE.read_text().splitlines():
        name, _, value = line.partition("=")
        if re.search(r"SECRET|PASSWORD|PRIVATE_KEY", name):
            assert not value.strip() or "..." in value or "<" in value, line
