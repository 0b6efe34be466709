"""The tables in the READMEs say what the code does."""

import ast
import re
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

from oja_events.contracts import EVENTS, Event
from oja_events.topology import CONSUMERS
from stack.services import SERVICES

ROOT = Path(__file__).parents[2]
CATALOGUE = ROOT / "libs/events/README.md"
HEADINGS = ["Owns", "HTTP", "Publishes", "Consumes", "Tables", "Run and test", "Decisions"]


def section(readme: Path, heading: str) -> str:
    """The text under a heading, up to the next one."""
    _, _, rest = readme.read_text().partition(f"\n## {heading}\n")
    return re.split(r"^## ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def rows(text: str) -> list[list[str]]:
    """The rows of the Markdown tables in a text, without headers."""
    lines = [line.strip() for line in text.splitlines() if line.strip().startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if re.match(r"`\w+`", row[0])]


def names(cell: str) -> list[str]:
    """The words in backticks."""
    return re.findall(r"`(\w+)`", cell)


def readme_of(service: str) -> Path:
    return ROOT / "services" / service / "README.md"


def owner(contract: type[Event]) -> str:
    return contract.TYPE.split(".")[1]


@cache
def consumed_by(service: str) -> set[str]:
    if service not in CONSUMERS:
        return set()
    consumer = import_module(f"{service}.entrypoints.consumer")
    return {contract.__name__ for contract in consumer.SUBSCRIPTIONS}


@cache
def published_by(service: str) -> set[str]:
    """The service's own events that its code makes: named anywhere but in types and imports."""
    own = {contract.__name__ for contract in EVENTS.values() if owner(contract) == service}
    source = ROOT / "services" / service / "src"
    named: set[str] = set()
    for path in source.rglob("*.py"):
        named |= _names_in(ast.parse(path.read_text()))
    return named & own


def _names_in(tree: ast.AST) -> set[str]:
    """Every name that the code uses as a value."""
    if isinstance(tree, ast.Attribute):
        return {tree.attr} | _names_in(tree.value)
    if isinstance(tree, ast.Name):
        return {tree.id}
    found: set[str] = set()
    for field, value in ast.iter_fields(tree):
        if field not in ("annotation", "returns"):
            nodes = value if isinstance(value, list) else [value]
            found = found.union(*(_names_in(node) for node in nodes if isinstance(node, ast.AST)))
    return found


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_has_a_readme_of_the_same_shape(service: str) -> None:
    headings = re.findall(r"^## (.+)$", readme_of(service).read_text(), re.MULTILINE)

    assert headings == HEADINGS


@pytest.mark.parametrize("service", SERVICES)
def test_the_readme_names_what_the_service_publishes(service: str) -> None:
    table = rows(section(readme_of(service), "Publishes"))
    listed = [name for event, *_ in table for name in names(event)]

    assert sorted(listed) == sorted(published_by(service))


@pytest.mark.parametrize("service", SERVICES)
def test_the_readme_names_what_the_service_listens_to(service: str) -> None:
    table = rows(section(readme_of(service), "Consumes"))
    listed = [name for event, *_ in table for name in names(event)]

    assert sorted(listed) == sorted(consumed_by(service))


@pytest.mark.parametrize("service", SERVICES)
def test_the_readme_names_the_tables_and_no_others(service: str) -> None:
    tables = import_module(f"{service}.adapters.tables").Base.metadata.tables
    columns = {column.name for table in tables.values() for column in table.columns}
    listed = set(names(section(readme_of(service), "Tables")))

    assert listed >= set(tables)
    assert listed <= columns | set(tables)


def test_the_catalogue_names_every_event_with_its_owner_and_who_listens() -> None:
    listed = {
        (names(event)[0], owner_, frozenset(re.findall(r"\w+", consumers)))
        for event, owner_, consumers, *_ in rows(section(CATALOGUE, "The events"))
    }

    assert listed == {
        (
            contract.__name__,
            owner(contract),
            frozenset(service for service in SERVICES if contract.__name__ in consumed_by(service)),
        )
        for contract in EVENTS.values()
    }


def test_no_event_is_listened_to_that_nobody_publishes() -> None:
    published = set().union(*(published_by(service) for service in SERVICES))

    assert set().union(*(consumed_by(service) for service in SERVICES)) <= published
