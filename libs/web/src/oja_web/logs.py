"""Logs as JSON lines on stdout, through the standard library.

    log.info("order cancelled", extra={"order_id": order.id})

Every line carries time, level, logger and service, and the correlation id of its request or
message. Values under secret-looking names are blanked. A line that cannot be rendered never
breaks the caller.
"""

import json
import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO

import structlog

from oja_events.context import trace

Event = MutableMapping[str, Any]

_SECRET_NAME = re.compile(
    r"password|passwd|token|authorization|cookie|signature|secret|api_?key", re.I
)
# Secrets inside text: bearer credentials, and query parameters of links.
_SECRET_TEXT = re.compile(
    r"(?i)(\bbearer\s+|(?:password|token|signature|secret|api_?key)=)[^\s&\"',;]+"
)
_BLANK = "[scrubbed]"
_DEEPEST = 6


def configure_logging(service: str, level: str = "INFO") -> None:
    """Log all of this process, libraries included, from `level` up. Calling it again is fine."""
    handler = _StdoutHandler()
    handler.setFormatter(_formatter(service))
    root = logging.getLogger()
    for old in [each for each in root.handlers if isinstance(each, _StdoutHandler)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())


class _StdoutHandler(logging.StreamHandler[TextIO]):
    """Looks stdout up at every line, so that whoever replaces it keeps getting the lines."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        return sys.stdout


class _SafeFormatter(structlog.stdlib.ProcessorFormatter):
    def format(self, record: logging.LogRecord) -> str:
        try:
            return super().format(record)
        except Exception as error:  # whatever was logged, the caller must not suffer for it
            return json.dumps(
                {
                    "level": record.levelname.lower(),
                    "logger": record.name,
                    "event": str(record.msg),
                    "logging_error": type(error).__name__,
                }
            )


def _formatter(service: str) -> logging.Formatter:
    def add_service(_logger: object, _method: str, event: Event) -> Event:
        return {"service": service, **event}

    return _SafeFormatter(
        foreign_pre_chain=[
            structlog.stdlib.ExtraAdder(),
            _drop_rendered,
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            add_service,
            _add_trace,
            structlog.processors.format_exc_info,
            _scrub,
            structlog.processors.JSONRenderer(serializer=_to_json),
        ],
    )


def _drop_rendered(_logger: object, _method: str, event: Event) -> Event:
    """Other handlers leave their rendering on the record, where it looks like an extra."""
    event.pop("message", None)
    event.pop("asctime", None)
    return event


def _add_trace(_logger: object, _method: str, event: Event) -> Event:
    current = trace.get()
    if current:
        event["correlation_id"] = current.correlation_id
        if current.causation_id:
            event["causation_id"] = current.causation_id
    return event


def _scrub(_logger: object, _method: str, event: Event) -> Event:
    return {key: _scrubbed(key, value, 0) for key, value in event.items()}


def _scrubbed(name: object, value: object, depth: int) -> object:
    if isinstance(name, str) and _SECRET_NAME.search(name):
        return _BLANK
    if isinstance(value, str):
        return _SECRET_TEXT.sub(_blanked, value)
    if depth >= _DEEPEST:
        return "..."
    if isinstance(value, Mapping):
        return {str(key): _scrubbed(key, inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_scrubbed(None, inner, depth + 1) for inner in value]
    return value


def _blanked(secret: re.Match[str]) -> str:
    return f"{secret[1]}{_BLANK}"


def _to_json(event: object, **_options: object) -> str:
    # ASCII only: no character of a client's can start a new line or redraw a terminal.
    return json.dumps(event, default=_as_text)


def _as_text(value: object) -> str:
    return _SECRET_TEXT.sub(_blanked, str(value))
