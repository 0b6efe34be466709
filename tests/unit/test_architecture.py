"""Who may import whom, and what lives where, checked on every run."""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVICES = ("catalog", "identity", "ordering", "payments", "notifier")
LIBRARIES = {"oja_events": ROOT / "libs/events/src", "oja_web": ROOT / "libs/web/src"}

# Inside a service: the layer -> the modules of the service that it may import.
MAY_IMPORT = {
    "settings": (),
    "domain": ("domain",),
    "use_cases": ("domain", "use_cases"),
    "adapters": ("domain", "use_cases.ports", "use_cases.queries", "use_cases.errors", "adapters"),
    "bootstrap": ("settings", "domain", "use_cases", "adapters"),
    "entrypoints": ("settings", "bootstrap", "domain", "use_cases", "entrypoints"),
}
WITHOUT_FRAMEWORKS = {"domain", "use_cases"}
PUBLISHED_LANGUAGE = "oja_events.contracts"

# What a class of this kind, or a variable of this name, may be defined in.
HOMES_OF_CLASSES = {
    "DeclarativeBase": "adapters/tables.py",
    "SqlTransaction": "adapters/unit_of_work.py",
    "StrictSchema": "entrypoints/http/schemas",
    "QuerySchema": "entrypoints/http/schemas",
    "PageQuery": "entrypoints/http/schemas",
    "Schema": "entrypoints/http/schemas",
}
HOMES_OF_VARIABLES = {
    "SUBSCRIPTIONS": "entrypoints/consumer.py",
    "REFUSALS": "entrypoints/http/errors.py",
    "MIGRATIONS": "bootstrap.py",
    "blp": "entrypoints/http/",
}
FOLDERS = {"domain", "use_cases", "adapters", "entrypoints"}
FILES_BESIDE_THE_FOLDERS = {"__init__.py", "settings.py", "bootstrap.py", "py.typed"}
IN_EVERY_SERVICE = {
    "__init__",
    "settings",
    "bootstrap",
    "use_cases/ports",
    "use_cases/errors",
    "adapters/tables",
    "adapters/repositories",
    "adapters/unit_of_work",
    "adapters/migrations/env",
    "adapters/migrations/versions/0001_first_tables",
    "entrypoints/worker",
    "entrypoints/admin",
    "entrypoints/http/app",
    "entrypoints/http/dependencies",
    "entrypoints/http/errors",
    "entrypoints/http/schemas",
}
# Names that say what kind of thing a file holds, or that mean one of the files above.
OTHER_NAMES = {
    "api", "base", "common", "config", "constants", "database", "db", "exceptions", "handlers",
    "helpers", "models", "orm", "repository", "routes", "service", "services", "subscribers",
    "types", "uow", "util", "utils", "views",
}  # fmt: skip


def package(service: str) -> Path:
    return ROOT / "services" / service / "src" / service


def files_of_services() -> list[object]:
    return [
        pytest.param(service, path, id=path.relative_to(ROOT / "services").as_posix())
        for service in SERVICES
        for path in sorted(package(service).rglob("*.py"))
    ]


def files_of_libraries() -> list[object]:
    return [
        pytest.param(library, path, id=path.relative_to(ROOT).as_posix())
        for library, source in LIBRARIES.items()
        for path in sorted(source.rglob("*.py"))
    ]


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def imported(path: Path) -> Iterator[str]:
    """Every imported name in full: `from a.b import c` is a.b.c, relative ones start with a dot."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield from (f"{module}.{alias.name}" for alias in node.names)


def within(name: str, packages: tuple[str, ...]) -> bool:
    return any(f"{name}.".startswith(f"{package}.") for package in packages)


def is_published_or_standard(name: str) -> bool:
    return name.split(".")[0] in sys.stdlib_module_names or within(name, (PUBLISHED_LANGUAGE,))


def place_in(service: str, path: Path) -> str:
    return path.relative_to(package(service)).as_posix()


@pytest.mark.parametrize(("service", "path"), files_of_services())
def test_imports_in_a_service_point_inward(service: str, path: Path) -> None:
    layer = place_in(service, path).split("/")[0].removesuffix(".py")
    allowed = tuple(f"{service}.{module}" for module in MAY_IMPORT.get(layer, ()))

    for name in imported(path):
        assert not within(name, tuple(set(SERVICES) - {service})), f"another service: {name}"
        if within(name, (service,)):
            assert within(name, allowed), f"{layer} must not import {name}"
        elif layer in WITHOUT_FRAMEWORKS:
            assert is_published_or_standard(name), f"{layer} must not know about {name}"


@pytest.mark.parametrize(("library", "path"), files_of_libraries())
def test_libraries_know_neither_services_nor_what_builds_on_them(library: str, path: Path) -> None:
    forbidden = SERVICES + (("oja_web",) if library == "oja_events" else ())

    for name in imported(path):
        assert not within(name, forbidden), f"{library} must not import {name}"


@pytest.mark.parametrize(
    "path",
    sorted((LIBRARIES["oja_events"] / "oja_events/contracts").rglob("*.py")),
    ids=lambda path: path.name,
)
def test_the_published_language_needs_nothing_but_python(path: Path) -> None:
    assert all(map(is_published_or_standard, imported(path)))


@pytest.mark.parametrize(
    "path",
    [case.values[1] for case in [*files_of_services(), *files_of_libraries()]],  # type: ignore[attr-defined]
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)
def test_the_environment_is_read_by_settings_alone(path: Path) -> None:
    if path.name == "settings.py":
        return
    for node in ast.walk(tree_of(path)):
        attribute = node.attr if isinstance(node, ast.Attribute) else None
        assert attribute not in {"environ", "environb", "getenv"}, f"line {node.lineno}"  # type: ignore[attr-defined]
    assert not {"os.environ", "os.getenv"} & set(imported(path))


@pytest.mark.parametrize(("service", "path"), files_of_services())
def test_a_thing_is_where_it_is_in_all_services(service: str, path: Path) -> None:
    place = place_in(service, path)
    for node in tree_of(path).body:
        if isinstance(node, ast.ClassDef):
            for base in node.bases:
                home = HOMES_OF_CLASSES.get(ast.unparse(base).split("[")[0])
                assert home is None or place.startswith(home), f"{node.name} belongs in {home}"
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for home in [HOMES_OF_VARIABLES.get(ast.unparse(target)) for target in targets]:
                assert home is None or place.startswith(home), f"belongs in {home}"


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_has_the_same_outline(service: str) -> None:
    source = package(service)
    entries = {entry for entry in source.iterdir() if entry.name != "__pycache__"}
    modules = {place_in(service, path).removesuffix(".py") for path in source.rglob("*.py")}
    packages = {module.removesuffix("/__init__") for module in modules}

    assert {entry.name for entry in entries if entry.is_dir()} == FOLDERS
    assert {entry.name for entry in entries if entry.is_file()} <= FILES_BESIDE_THE_FOLDERS
    assert (modules | packages) >= IN_EVERY_SERVICE


@pytest.mark.parametrize(("service", "path"), files_of_services())
def test_no_file_has_a_name_that_says_nothing_or_another_word_for_the_same(
    service: str, path: Path
) -> None:
    folders = set(Path(place_in(service, path)).parts[:-1])

    assert not OTHER_NAMES & {path.stem, *folders}


@pytest.mark.parametrize("service", SERVICES)
def test_what_a_worker_does_by_the_clock_has_a_name_for_the_log(service: str) -> None:
    for node in ast.walk(tree_of(package(service) / "entrypoints/worker.py")):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "every":
            work = node.args[1]
            assert isinstance(work, ast.Name | ast.Attribute), f"line {work.lineno}"
