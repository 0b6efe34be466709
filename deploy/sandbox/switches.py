"""Faults that tests switch on: for the next so many occasions, or until they are cleared."""

import json
from collections.abc import Callable
from typing import Any

from sandbox.books import Books

Setting = dict[str, Any]


class Switches:
    """Kept in the books, so that a restart of the sandbox does not switch a fault off."""

    def __init__(self, books: Books) -> None:
        self._books = books
        # Scopes in which there may be a switch. Most have none, which then costs no look.
        self._used = {row["scope"] for row in books.rows("SELECT DISTINCT scope FROM switches")}

    def add(self, scope: str, setting: Setting, times: int | None) -> int:
        self._used.add(scope)
        return self._books.insert(
            "switches", scope=scope, setting=json.dumps(setting), remaining=times
        )

    def take(self, scope: str, fits: Callable[[Setting], bool] = lambda _: True) -> Setting | None:
        """Use up one occasion of the oldest switch that fits, or None."""
        if scope not in self._used or not self._rows(scope):  # mostly; it takes no write lock
            return None
        with self._books.writing():
            for row in self._rows(scope):
                setting: Setting = json.loads(row["setting"])
                if fits(setting):
                    self._use_up(row["id"], row["remaining"])
                    return setting
        return None

    def all(self, scope: str) -> list[dict[str, Any]]:
        return [
            {"id": row["id"], "remaining": row["remaining"], **json.loads(row["setting"])}
            for row in self._rows(scope)
        ]

    def clear(self, scope: str) -> None:
        self._books.write("DELETE FROM switches WHERE scope = ?", scope)

    def _rows(self, scope: str) -> list[Any]:
        return self._books.rows("SELECT * FROM switches WHERE scope = ? ORDER BY id", scope)

    def _use_up(self, switch_id: int, remaining: int | None) -> None:
        if remaining is None:
            return
        self._books.update("switches", switch_id, remaining=remaining - 1)
        self._books.write("DELETE FROM switches WHERE remaining <= 0")
