"""Start the sandbox: `python -m sandbox --help`."""

import signal
import sys
from typing import Any

from cheroot import wsgi

from sandbox.app import create_app
from sandbox.log import log_to_stdout, logger
from sandbox.mail.smtp import controller
from sandbox.parts import build
from sandbox.server import http_server
from sandbox.settings import MissingSetting, Settings

log = logger("main")


def main() -> None:
    """Serve until SIGTERM or SIGINT; then end cleanly with status 0."""
    try:
        settings = Settings.read()
    except MissingSetting as problem:
        sys.exit(str(problem))
    log_to_stdout()
    parts = build(settings)
    smtp = controller(parts)
    http = http_server(create_app(parts), settings.host, settings.port)
    _end_on_signals(http, parts.stopping)
    # SMTP and the books first: who is answered by /_sandbox/ready finds everything there.
    smtp.start()
    parts.start()
    log.info("sandbox started", extra={"http": settings.port, "smtp": settings.smtp_port})
    try:
        http.safe_start()
    finally:
        smtp.stop()
        parts.stop()
        log.info("sandbox stopped")


def _end_on_signals(http: wsgi.Server, stopping: Any) -> None:
    def end(number: int, _frame: object) -> None:
        stopping.set()
        http.interrupt = SystemExit(0)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)


if __name__ == "__main__":
    main()
