"""Logs as JSON lines on standard output."""

import json
import logging
import sys
import warnings

_USUAL = set(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class JSONLines(logging.Formatter):
    """The event phrase, and whatever was passed as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        line |= {key: value for key, value in vars(record).items() if key not in _USUAL}
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def logger(name: str) -> logging.Logger:
    return logging.getLogger(f"sandbox.{name}")


def log_to_stdout() -> None:
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JSONLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.captureWarnings(True)
    logging.getLogger("sandbox").setLevel(logging.INFO)
    # The SMTP library complains on every connection that passwords come without TLS.
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", message="Requiring AUTH while not requiring TLS")
