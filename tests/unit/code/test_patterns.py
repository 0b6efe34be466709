"""S47: no pattern of ours can be kept busy by what somebody sends."""

import importlib
import pkgutil
import re
import time
from collections.abc import Iterator
from functools import cache
from types import ModuleType
from typing import Any

import pytest
from marshmallow import Schema, fields, validate

PACKAGES = ("oja_events", "oja_web", "catalog", "identity", "ordering", "payments", "notifier")
LENGTH = 50_000
SECONDS = 1.0  # ten times what the slowest takes; one that tries everything takes minutes
# Each almost fits some pattern, again and again, and ends so that it fits none.
NEAR_MISSES = [
    part * (LENGTH // len(part)) + end
    for part in ("a", "A", "0", " ", "\t", "-", ".", "a.", "a-", "0-", "%20", "a@", "/", "\\", "_")
    for end in ("\x00", "!")
]


@cache
def patterns() -> dict[str, re.Pattern[Any]]:
    """By where they are: those of modules, and those of validators."""
    found = {}
    for module in _modules():
        for name, value in vars(module).items():
            for pattern in _patterns_in(value):
                found[f"{module.__name__}.{name}: {pattern.pattern!r:.40}"] = pattern
    return found


def _modules() -> Iterator[ModuleType]:
    for package in PACKAGES:
        root = importlib.import_module(package)
        for each in pkgutil.walk_packages(root.__path__, f"{package}."):
            if ".migrations." not in each.name:
                yield importlib.import_module(each.name)


def _patterns_in(value: object) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, validate.Regexp):
        yield value.regex
    elif isinstance(value, type) and issubclass(value, Schema):
        for field in value._declared_fields.values():
            yield from _patterns_in(field)
    elif isinstance(value, fields.Field):
        for validator in value.validators:
            yield from _patterns_in(validator)


def test_the_patterns_are_found() -> None:
    assert len(patterns()) > 20


@pytest.mark.parametrize("where", patterns())
def test_s47_every_pattern_is_done_quickly_with_near_misses(where: str) -> None:
    pattern = patterns()[where]
    for text in NEAR_MISSES:
        subject: Any = text if isinstance(pattern.pattern, str) else text.encode()
        # The garbage of other tests may be collected meanwhile; a bad pattern is slow every time.
        quick = any(_seconds(pattern, subject) < SECONDS for _ in range(3))
        assert quick, f"{text[:10]!r}..."


def _seconds(pattern: re.Pattern[Any], subject: Any) -> float:
    started = time.process_time()
    pattern.fullmatch(subject)
    pattern.search(subject)
    return time.process_time() - started
