"""The outbox relay of identity, the broom, and answers to those who forgot their password."""

from identity.bootstrap import SERVICE, build
from identity.settings import Settings
from identity.use_cases.commands.mailed_links import answer_forgotten
from identity.use_cases.housekeeping import purge_expired
from oja_events.journal import keeping
from oja_events.relay import Relay
from oja_events.worker import every, run_worker
from oja_web.logs import configure_logging

PURGE_SECONDS = 3600
# How long somebody who forgot a password waits at most before their mail is on its way.
ANSWER_SECONDS = 0.5


def main() -> None:
    settings = Settings.from_env()
    configure_logging(SERVICE, settings.log_level)
    deps = build(settings, role="worker")
    relay = Relay(deps.engine, settings.broker_url, SERVICE)

    def purge() -> int:
        return purge_expired(deps.unit_of_work(), session_idle=settings.session_idle)

    def answer() -> int:
        return answer_forgotten(uow=deps.unit_of_work())

    run_worker(
        [
            relay.run,
            keeping(deps.engine),
            every(PURGE_SECONDS, purge),
            every(ANSWER_SECONDS, answer),
        ],
        health=(settings.health_host, settings.health_port),
        ready=relay.is_ready,
    )


if __name__ == "__main__":
    main()
