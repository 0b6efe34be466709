"""The Blueprint that services use: flask-smorest's, reading requests strictly, with types."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import flask_smorest  # type: ignore[import-untyped]

from oja_web.strict_json import StrictParser

F = TypeVar("F", bound=Callable[..., Any])


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]
    ARGUMENTS_PARSER = StrictParser()

    def arguments(self, schema: Any, **options: Any) -> Callable[[F], F]:
        """As flask-smorest's; makes an instance of a schema class once, not at each request."""
        schema = schema() if isinstance(schema, type) else schema
        decorator: Callable[[F], F] = super().arguments(schema, **options)
        return decorator

    if TYPE_CHECKING:
        # flask-smorest carries no types; these keep typed views typed under its decorators.
        def __init__(self, name: str, import_name: str, **options: Any) -> None: ...
        def route(self, rule: str, **options: Any) -> Callable[[F], F]: ...
        def get(self, rule: str, **options: Any) -> Callable[[F], F]: ...
        def post(self, rule: str, **options: Any) -> Callable[[F], F]: ...
        def put(self, rule: str, **options: Any) -> Callable[[F], F]: ...
        def patch(self, rule: str, **options: Any) -> Callable[[F], F]: ...
        def delete(self, rule: str, **options: Any) -> Callable[[F], F]: ...
        def doc(self, **options: Any) -> Callable[[F], F]: ...
        def response(
            self, status_code: int, schema: Any = None, **options: Any
        ) -> Callable[..., Any]: ...
        def alt_response(
            self, status_code: int, response: str | None = None, **options: Any
        ) -> Callable[[F], F]: ...
