"""The outbox relay of catalog."""

from catalog.bootstrap import SERVICE, build
from catalog.settings import Settings
from oja_events.relay import Relay
from oja_events.worker import run_worker
from oja_web.logs import configure_logging


def main() -> None:
    settings = Settings.from_env()
    configure_logging(SERVICE, settings.log_level)
    deps = build(settings, role="worker")
    relay = Relay(deps.engine, settings.broker_url, SERVICE)
    run_worker(
        [relay.run],
        health=(settings.health_host, settings.health_port),
        ready=relay.is_ready,
    )


if __name__ == "__main__":
    main()
