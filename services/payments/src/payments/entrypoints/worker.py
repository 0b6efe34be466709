"""The outbox relay of payments, and what becomes due: webhooks, refunds, checks, deadlines."""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from oja_events.context import Trace, use_trace
from oja_events.journal import keeping
from oja_events.relay import Relay
from oja_events.worker import Job, every, run_worker
from oja_web.idempotency_store import purge_expired
from oja_web.logs import configure_logging
from payments.bootstrap import SERVICE, Dependencies, build
from payments.settings import Settings
from payments.use_cases import deadlines, refunding, settling, webhooks
from payments.use_cases.errors import ProviderUnavailable
from payments.use_cases.ports import Webhook

log = logging.getLogger(__name__)

APPLIERS = 6
IDLE_SECONDS = 1.0  # between looks for webhooks, should the bell not be heard
POOL_SIZE = APPLIERS + 9  # the relay, the bell, two wakers and the timers


def main() -> None:
    settings = Settings.from_env()
    configure_logging(SERVICE, settings.log_level)
    deps = build(settings, role="worker", pool_size=POOL_SIZE, parallel_calls=APPLIERS + 3)
    relay = Relay(deps.engine, settings.broker_url, SERVICE)
    run_worker(
        [relay.run, keeping(deps.engine), partial(apply_webhooks, deps), *timers(deps)],
        health=(settings.health_host, settings.health_port),
        ready=relay.is_ready,
    )


def timers(deps: Dependencies) -> list[Job]:
    """What becomes due by the clock."""

    def advance_refunds() -> int:
        return refunding.advance(unit_of_work=deps.unit_of_work, provider=deps.provider)

    def sweep_deadlines() -> int:
        return deadlines.sweep(unit_of_work=deps.unit_of_work, provider=deps.provider)

    def reconcile_payments() -> int:
        return settling.reconcile(unit_of_work=deps.unit_of_work, provider=deps.provider)

    def purge_keys() -> int:
        with deps.unit_of_work() as uow:
            purged = purge_expired(uow.session)
            uow.commit()
        return purged

    return [
        every(0.5, advance_refunds),
        every(1, sweep_deadlines),
        every(1, reconcile_payments),
        every(60, purge_keys),
        every(1, deps.auditor.work),
    ]


def apply_webhooks(deps: Dependencies, stop: threading.Event) -> None:
    """Apply what comes in, as soon as the bell rings, until `stop` is set."""
    with ThreadPoolExecutor(APPLIERS, "webhooks") as pool:
        while not stop.is_set():
            try:
                batch = webhooks.claim(unit_of_work=deps.unit_of_work)
                list(pool.map(partial(apply_one, deps), batch))
                if not batch:
                    deps.bell.wait(IDLE_SECONDS)
            except Exception:
                log.exception("webhooks interrupted, trying again")
                stop.wait(IDLE_SECONDS)


def apply_one(deps: Dependencies, webhook: Webhook) -> None:
    """As part of the request that brought it. What cannot be done now comes up again."""
    with use_trace(Trace(webhook.request_id)):
        try:
            webhooks.apply(webhook, unit_of_work=deps.unit_of_work, provider=deps.provider)
        except ProviderUnavailable as error:
            log.warning("webhook waits", extra={"webhook": webhook.id, "error": str(error)})
        except Exception:
            log.exception("webhook failed, trying again", extra={"webhook": webhook.id})


if __name__ == "__main__":
    main()
