"""The outbox relay of catalog, and what becomes due: files to be removed, tables to be imported,
products of renamed categories to be indexed."""

from catalog.bootstrap import SERVICE, Dependencies, build
from catalog.settings import Settings
from catalog.use_cases import images, importing, indexing
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

    def index_renamed() -> int:
        return indexing.index_renamed(deps.unit_of_work)

    return [every(5, remove_strays), every(1, advance_imports), every(1, index_renamed)]


if __name__ == "__main__":
    main()
