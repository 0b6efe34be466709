"""The outbox relay of ordering, and the brooms for stored answers and for old carts."""

from oja_events.journal import keeping
from oja_events.relay import Relay
from oja_events.worker import every, run_worker
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
        [
            relay.run,
            keeping(deps.engine),
            every(PURGE_SECONDS, lambda: purge_answers(deps)),
            every(PURGE_SECONDS, lambda: erase_settled_orders(deps)),
            every(PURGE_SECONDS, lambda: drop_expired_carts(deps)),
        ],
        health=(settings.health_host, settings.health_port),
        ready=relay.is_ready,
    )


def purge_answers(deps: Dependencies) -> int:
    """Delete a batch of answers whose idempotency keys have expired; how many there were."""
    with deps.unit_of_work() as uow:
        purged = purge_expired(uow.session)
        uow.commit()
    return purged


def erase_settled_orders(deps: Dependencies) -> int:
    """Mask orders of customers who left, once they are settled; whose last ones those were."""
    return commands.erase_settled_orders(uow=deps.unit_of_work())


def drop_expired_carts(deps: Dependencies) -> int:
    """Delete a batch of carts that nobody wants any more; how many there were."""
    lifetime = deps.settings.cart_lifetime
    return commands.drop_expired_carts(lifetime, uow=deps.unit_of_work())


if __name__ == "__main__":
    main()
