"""What no service and no library may do, found in their source: each has its one place or none."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FOLDERS = ("services", "libs")

# A dotted name (called, imported, or a module that is imported) -> the files that may use it.
ONLY_IN: dict[str, set[str]] = {
    # S13: one verifier of tokens.
    "jwt.decode": set(),
    # S50: outbound calls are made by these, to addresses of our settings, with time-outs.
    "requests": {"payments/adapters/paystack_http.py"},
    "urllib.request": {"oja_web/readiness.py", "oja_web/feeds.py", "oja_web/books.py"},
    "HTTPConnection": {"notifier/adapters/one_time_links.py"},
    "HTTPSConnection": {"notifier/adapters/one_time_links.py"},
    "smtplib": {"notifier/adapters/dialogue.py", "notifier/adapters/smtp.py"},
    "urllib3": {"catalog/adapters/image_store.py"},
    "httpx": set(),
    "aiohttp": set(),
    # S09: secrets come from `secrets`.
    "random.choice": set(),
    "random.choices": set(),
    "random.getrandbits": set(),
    "random.randint": set(),
    # S51: nothing that people write becomes a template but in the sandbox.
    "render_template_string": set(),
    # S54: who calls is what the one proxy in front has seen.
    "access_route": set(),
    # S60: data are never code.
    "pickle": set(),
    "marshal": set(),
    "shelve": set(),
    "yaml": set(),
    "eval": set(),
    "exec": set(),
    "os.system": set(),
    "subprocess": set(),
}


@cache
def names_used() -> dict[str, set[str]]:
    """Every file of ours -> the dotted names in it."""
    return {
        str(path).partition("/src/")[2]: set(_names(ast.parse(path.read_text())))
        for folder in FOLDERS
        for path in (ROOT / folder).glob("*/src/**/*.py")
    }


def _names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.Attribute):
            yield node.attr
            if isinstance(node.value, ast.Name):
                yield f"{node.value.id}.{node.attr}"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id


@pytest.mark.parametrize(("name", "allowed"), ONLY_IN.items(), ids=list(ONLY_IN))
def test_what_has_one_place_is_used_nowhere_else(name: str, allowed: set[str]) -> None:
    """S13, S50, S51, S54, S60."""
    users = {file for file, names in names_used().items() if name in names}

    assert users <= allowed


def test_s40_secrets_are_compared_in_constant_time() -> None:
    comparing = {file for file, names in names_used().items() if "compare_digest" in names}

    assert {
        "identity/domain/secrets.py",
        "oja_web/internal.py",
        "payments/entrypoints/http/webhook.py",
    } <= comparing
