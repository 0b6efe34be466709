"""The outbox relay of notifier, the senders of its mails, and what staff are alerted of."""

from notifier.bootstrap import SERVICE, Dependencies, build
from notifier.entrypoints.sender import sender
from notifier.settings import Settings
from notifier.use_cases.alerting import notice_parked, write_digests
from notifier.use_cases.sending import adopt_orphans
from oja_events.journal import keeping
from oja_events.relay import Relay
from oja_events.worker import Job, every, run_worker
from oja_web.logs import configure_logging

SECONDS_BETWEEN_ADOPTIONS = 1.0
SECONDS_BETWEEN_DIGESTS = 1.0
SECONDS_BETWEEN_LOOKS_FOR_PARKED = 5.0


def mail_jobs(deps: Dependencies, senders: int) -> list[Job]:
    """What gets mail out: some senders, and care for what dead ones left behind."""

    def adopt() -> int:
        return adopt_orphans(deps.unit_of_work())

    sending = [sender(deps.shift, deps.mail_server) for _ in range(senders)]
    return [every(SECONDS_BETWEEN_ADOPTIONS, adopt), *sending]


def alert_jobs(deps: Dependencies) -> list[Job]:
    """What makes alerts known."""

    def digest() -> int:
        return write_digests(deps.unit_of_work())

    def notice() -> int:
        return notice_parked(deps.unit_of_work())

    return [
        every(SECONDS_BETWEEN_DIGESTS, digest),
        every(SECONDS_BETWEEN_LOOKS_FOR_PARKED, notice),
    ]


def main() -> None:
    settings = Settings.from_env()
    configure_logging(SERVICE, settings.log_level)
    # A session for each sender, two for the relay, the four timers, and two that wake others.
    deps = build(settings, role="worker", pool_size=settings.mail_connections + 8)
    relay = Relay(deps.engine, settings.broker_url, SERVICE)
    run_worker(
        [
            relay.run,
            keeping(deps.engine),
            *mail_jobs(deps, settings.mail_connections),
            *alert_jobs(deps),
        ],
        health=(settings.health_host, settings.health_port),
        ready=relay.is_ready,
    )


if __name__ == "__main__":
    main()
