"""The matrix of who may call what, as a table."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).parent / "access_matrix.txt"
ROLES = ("customer", "support", "catalog_manager", "order_manager", "admin")
CALLERS = ("anonymous", *ROLES, "console")


@dataclass(frozen=True, slots=True)
class Route:
    service: str
    method: str
    path: str
    needs: str
    answers: dict[str, str]
    stranger: str

    def __str__(self) -> str:
        return f"{self.service} {self.method} {self.path}"

    @property
    def key(self) -> tuple[str, str, str]:
        return self.service, self.method, self.path


@cache
def matrix() -> list[Route]:
    """Every line; `answers` says for each of CALLERS what he gets: `yes`, `401` or `403`."""
    lines = [line.split() for line in FILE.read_text().splitlines() if not line.startswith("#")]
    header, *rows = lines
    assert header == ["service", "method", "path", "needs", *CALLERS, "stranger"]
    return [_route(row) for row in rows]


def _route(row: list[str]) -> Route:
    service, method, path, needs, *cells, stranger = row
    return Route(
        service, method, path, needs, dict(zip(CALLERS, cells, strict=True)), stranger=stranger
    )
