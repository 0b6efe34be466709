"""The outbox relay of ordering, and what becomes due: orders to be masked, keys and carts that have
expired."""

from oja_events.journal import keeping
from oja_events.relay import Relay
from oja_events.worker import Job, every, run_worker
from oja_web.idempotency_store import purge_expired
from oja_web.logs import configure_logging
from ordering.bootstrap import SERVICE, Dependencies, build
from ordering.settings import Settings
from ordering.use_cases import commands

PURGE_SECONDS = 60.0


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

    def purge_keys() -> int:
        with deps.unit_of_work() as uow:
            purged = purge_expired(uow.session)
            uow.commit()
        return purged

    def erase_settled_orders() -> int:
        return commands.erase_settled_orders(uow=deps.unit_of_work())

    def drop_expired_carts() -> int:
        return commands.drop_expired_carts(deps.settings.cart_lifetime, uow=deps.unit_of_work())

    return [
        every(PURGE_SECONDS, purge_keys),
        every(PURGE_SECONDS, erase_settled_orders),
        every(PURGE_SECONDS, drop_expired_carts),
    ]


if __name__ == "__main__":
    main()
