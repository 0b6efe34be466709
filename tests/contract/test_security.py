"""docs/security.md tells of every requirement, and the tests that it names exist and name it."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "security.md"
REQUIREMENTS = [f"S{number:02}" for number in range(1, 63)]
_ENTRY = re.compile(r"^\*\*(S\d\d)\*\* (.*?)(?=^\*\*S\d\d\*\*|^## |\Z)", re.MULTILINE | re.DOTALL)
_TEST = re.compile(r"^- `(tests/[\w/]+\.py)::(test_\w+)`$", re.MULTILINE)
ABSENT = "Does not apply: "


@cache
def entries() -> dict[str, str]:
    """What is said of each requirement."""
    found = _ENTRY.findall(DOCUMENT.read_text())
    assert len(found) == len({number for number, _ in found}), "one is told of twice"
    return dict(found)


@cache
def named_in(file: str) -> dict[str, str]:
    """The tests of a file, each with all that may name a requirement: its name and docstrings."""
    tree = ast.parse((ROOT / file).read_text())
    above = ast.get_docstring(tree) or ""
    return {
        node.name: f"{node.name.upper()} {ast.get_docstring(node) or ''} {above}"
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
    }


def test_every_requirement_is_told_of() -> None:
    assert sorted(entries()) == REQUIREMENTS


@pytest.mark.parametrize("number", REQUIREMENTS)
def test_a_requirement_has_tests_that_name_it_or_a_reason(number: str) -> None:
    said = entries()[number]
    named = _TEST.findall(said)

    if said.startswith(ABSENT):
        assert len(said) > len(ABSENT) + 20
        assert not named
    else:
        assert named
        assert said.count("`tests/") == len(named), "one reference cannot be read"
    for file, test in named:
        assert (ROOT / file).is_file(), file
        assert test in named_in(file), f"{file} has no {test}"
        assert number in named_in(file)[test], f"{test} does not name {number}"
