"""The outbox relay of catalog, and what becomes due: files to be removed, tables
to be imported."""

from catalog.bootstrap import SERVICE, Dependencies, build
from catalog.settings import Settings
from catalog.use_cases import images, importing
from oja_events.journal import keeping
from oja_events.relay import Relay
from oja_events.worker import Job, every, run_worker
from oja_web.logs import configure_logging


def main() -> None:
    settings = Settings.from_env()
    configure_logging(SERVICE, settings.log_level)
    deps = build(settings, role="worker")
    relay = Relay(deps.engine, settings.broker_url, SERVICE)
    run_worker(
        [relay.run, keeping(deps.engine), *timers(deps)],
        health=(settings.health_host, settings.health_port),
        ready=relay.is_ready,
    )


def timers(deps: Dependencies) -> list[Job]:
    """What becomes due by the clock."""

    def remove_strays() -> int:
        return images.remove_strays(store=deps.images, unit_of_work=deps.unit_of_work)

    def advance_imports() -> int:
        return importing.advance(unit_of_work=deps.unit_of_work, currency=deps.settings.currency)

    return [every(5, remove_strays), every(1, advance_imports)]


if __name__ == "__main__":
    main()
