"""Start the sandbox: `python -m sandbox --help`."""

import signal
import sys
import threading
from contextlib import ExitStack

from sandbox.app import create_app
from sandbox.log import log_to_stdout, logger
from sandbox.mail.smtp import controller
from sandbox.parts import build
from sandbox.server import http_server
from sandbox.settings import MissingSetting, Settings

log = logger("main")
ENDINGS = {signal.SIGTERM, signal.SIGINT}


def main() -> None:
    """Serve until SIGTERM or SIGINT; then end cleanly with status 0."""
    try:
        settings = Settings.read()
    except MissingSetting as problem:
        sys.exit(str(problem))
    log_to_stdout()
    # Blocked before any thread starts, so that all of them leave the signal to sigwait.
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)
    try:
        serve(settings)
    except OSError as problem:  # mostly a port that is taken
        sys.exit(f"the sandbox cannot start: {problem}")
    log.info("sandbox stopped")


def serve(settings: Settings) -> None:
    with ExitStack() as ending:
        parts = build(settings)
        ending.callback(parts.stop)
        http = http_server(create_app(parts), settings.host, settings.port)
        ending.callback(http.stop)
        http.prepare()
        smtp = controller(parts)
        smtp.start()
        ending.callback(smtp.stop)
        parts.start()
        # HTTP last: whoever is answered by /_sandbox/ready finds everything else there.
        threading.Thread(target=http.serve, name="http", daemon=True).start()
        log.info("sandbox started", extra={"http": settings.port, "smtp": settings.smtp_port})
        signal.sigwait(ENDINGS)
        parts.stopping.set()


if __name__ == "__main__":
    main()
