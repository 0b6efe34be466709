"""Rendering of what staff wrote: it sees the facts, and ends soon, with little.

Jinja2's own sandbox keeps templates away from Python. It does not keep them from running for ever
or growing without end, so only a small part of the language is let in, by name: no arithmetic, no
variables of their own, no macros, no methods. What is left can only grow with the facts; loops and
output are counted on top of that.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jinja2 import Environment, TemplateSyntaxError, Undefined, UndefinedError, meta, nodes
from jinja2 import Template as JinjaTemplate

from notifier.adapters.formats import FILTERS

MAX_SECONDS = 1.0
MAX_ROUNDS = 10_000
MAX_OUTPUT = 256 * 1024

COUNTED = "counted"
_STANDARD_FILTERS = frozenset(
    {"capitalize", "default", "dictsort", "e", "escape", "first", "last", "length", "lower"}
    | {"title", "trim", "truncate", "upper"}
)
_FILTERS = _STANDARD_FILTERS | FILTERS.keys()
_TESTS = frozenset({"defined", "none", "string", "number", "divisibleby", "even", "odd"})
_SHARED = {"layout.html", "layout.txt", "parts.html", "parts.txt"}
_NODES = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Const,
    nodes.Name,
    nodes.Getattr,
    nodes.Getitem,
    nodes.Filter,
    nodes.Test,
    nodes.If,
    nodes.For,
    nodes.Block,
    nodes.Extends,
    nodes.Import,
    nodes.FromImport,
    nodes.Call,
    nodes.CallBlock,
    nodes.Keyword,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Concat,
    nodes.CondExpr,
    nodes.Tuple,
    nodes.List,
)


class Unfit(Exception):
    """What is wrong with a part of a template, each with its line."""

    def __init__(self, errors: list[str]) -> None:
        super().__init__("; ".join(errors))
        self.errors = errors


class _TooMuch(Exception):
    """A limit was reached."""


@dataclass(slots=True)
class _Budget:
    """What is left of one rendering. `ends_at` is of the thread's own time, for a template is not
    to blame for a busy machine."""

    ends_at: float
    rounds: int
    characters: int

    def round(self) -> None:
        self.rounds -= 1
        if self.rounds < 0:
            raise _TooMuch("it loops too often")
        self._in_time()

    def wrote(self, chunk: str) -> None:
        self.characters -= len(chunk)
        if self.characters < 0:
            raise _TooMuch(f"it makes more than {MAX_OUTPUT // 1024} KiB")
        self._in_time()

    def _in_time(self) -> None:
        if time.thread_time() > self.ends_at:
            raise _TooMuch("it takes too long")


_budget: ContextVar[_Budget] = ContextVar("budget")


def counted(values: Iterable[Any]) -> Iterator[Any]:
    """Goes around every loop of a staff's template."""
    if isinstance(values, Undefined):
        iter(values)  # says which variable it is that does not exist
    for value in values:
        _budget.get().round()
        yield value


def compiled(environment: Environment, source: str, known: frozenset[str]) -> JinjaTemplate:
    """Raises Unfit for what the language or the sandbox does not let in, and for variables that
    are not `known`."""
    try:
        return _compiled(environment, source, known)
    except TemplateSyntaxError as error:
        raise Unfit([_at(error.lineno, error.message or "not understood")]) from error
    except (RecursionError, MemoryError, SyntaxError, OverflowError) as error:
        raise Unfit(["line 1: it is nested too deeply"]) from error


def rendered(template: JinjaTemplate, variables: Mapping[str, object]) -> str:
    """Raises Unfit when the facts do not fit, or a limit is reached."""
    budget = _Budget(time.thread_time() + MAX_SECONDS, MAX_ROUNDS, MAX_OUTPUT)
    token = _budget.set(budget)
    chunks: list[str] = []
    try:
        for chunk in template.generate(variables):
            budget.wrote(chunk)
            chunks.append(chunk)
    except UndefinedError as error:
        raise Unfit([_at(_line_of(error, template), str(error.message))]) from error
    except Exception as error:  # whatever a filter makes of values that it is not for
        raise Unfit([_at(_line_of(error, template), str(error))]) from error
    finally:
        _budget.reset(token)
    return "".join(chunks)


@lru_cache(maxsize=128)
def _compiled(environment: Environment, source: str, known: frozenset[str]) -> JinjaTemplate:
    tree = environment.parse(source)
    macros = set(_imported(tree))
    # Before anything else: looking for variables already computes what is constant.
    errors = [_at(*found) for found in _forbidden(tree, macros)]
    errors = errors or [_at(*found) for found in _unknown(tree, known | macros)]
    if errors:
        raise Unfit(list(dict.fromkeys(errors)))
    for loop in tree.find_all(nodes.For):
        loop.iter = nodes.Filter(
            loop.iter, COUNTED, [], [], None, None, lineno=loop.lineno, environment=environment
        )
    code: Any = environment.compile(tree, filename=_FILE)
    return environment.template_class.from_code(environment, code, environment.make_globals(None))


_FILE = "<template of staff>"


def _forbidden(tree: nodes.Template, macros: set[str]) -> Iterator[tuple[int, str]]:
    """Everything that the sandbox does not let in, with its line."""
    for node in tree.find_all(nodes.Node):
        word = _objection(node, macros)
        if word:
            yield node.lineno, word


def _unknown(tree: nodes.Template, known: frozenset[str]) -> Iterator[tuple[int, str]]:
    unknown = meta.find_undeclared_variables(tree) - known
    for name in tree.find_all(nodes.Name):
        if name.name in unknown and name.ctx == "load":
            yield name.lineno, f"unknown variable {name.name!r}"


def _objection(node: nodes.Node, macros: set[str]) -> str | None:
    check = _CHECKS.get(type(node))
    if check is not None:
        return check(node, macros)
    return None if isinstance(node, _NODES) else f"{type(node).__name__.lower()} is not available"


def _call(node: Any, macros: set[str]) -> str | None:
    called = node.node.node if isinstance(node.node, nodes.Getattr) else node.node
    is_macro = isinstance(called, nodes.Name) and called.name in macros
    return None if is_macro else "only the macros of parts can be called"


def _filter(node: Any, _macros: set[str]) -> str | None:
    return None if node.name in _FILTERS else f"there is no filter {node.name!r}"


def _test(node: Any, _macros: set[str]) -> str | None:
    return None if node.name in _TESTS else f"there is no test {node.name!r}"


def _loop(node: Any, _macros: set[str]) -> str | None:
    return "recursive loops are not available" if node.recursive else None


def _other_template(node: Any, _macros: set[str]) -> str | None:
    is_shared = isinstance(node.template, nodes.Const) and node.template.value in _SHARED
    return None if is_shared else "only layout and parts can be used"


def _attribute(node: Any, _macros: set[str]) -> str | None:
    return "names with an underscore in front are private" if node.attr[:1] == "_" else None


_CHECKS: dict[type[nodes.Node], Callable[[Any, set[str]], str | None]] = {
    nodes.Call: _call,
    nodes.Filter: _filter,
    nodes.Test: _test,
    nodes.For: _loop,
    nodes.Extends: _other_template,
    nodes.Import: _other_template,
    nodes.FromImport: _other_template,
    nodes.Getattr: _attribute,
}


def _imported(tree: nodes.Template) -> Iterator[str]:
    for whole in tree.find_all(nodes.Import):
        yield whole.target
    for some in tree.find_all(nodes.FromImport):
        for name in some.names:
            yield name[1] if isinstance(name, tuple) else name


def _line_of(error: Exception, template: JinjaTemplate) -> int:
    """Where in the template it happened; Jinja2 gives tracebacks the template's own lines."""
    line, step = 1, error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == _FILE:
            line = step.tb_lineno
        step = step.tb_next
    return line


def _at(line: int, words: str) -> str:
    return f"line {line}: {words}"
