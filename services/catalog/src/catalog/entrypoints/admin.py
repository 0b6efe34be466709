"""Operator's commands: python -m catalog.entrypoints.admin migrate|declare|seed|retell"""

import sys

from catalog.bootstrap import MIGRATIONS, SERVICE, build
from catalog.entrypoints.consumer import SUBSCRIPTIONS
from catalog.entrypoints.demo import load_demo
from catalog.settings import Settings
from catalog.use_cases.retelling import retell_products
from oja_events.commands import run_commands
from oja_events.declaring import declare
from oja_events.migrating import migrate
from oja_events.operating import numbered

NUMBERED_WITHIN = 30.0


def main() -> None:
    settings = Settings.from_env()

    def migrate_schema() -> None:
        """Bring the database schema to the newest revision."""
        migrate(SERVICE, MIGRATIONS, settings.migration_database_url)

    def declare_queues() -> None:
        """Create this service's queues and bindings on the broker."""
        declare(SERVICE, SUBSCRIPTIONS, settings.broker_url)

    def seed() -> None:
        """Load the demo catalogue, as far as it is not there yet."""
        load_demo(build(settings, role="admin"))

    def retell() -> None:
        """Tell anew of products of which the journal tells nothing any more."""
        deps = build(settings, role="admin")
        told = retell_products(deps.unit_of_work)
        if not numbered(deps.engine, within=NUMBERED_WITHIN):
            raise SystemExit("the worker of catalog gives news no numbers; does it run?")
        sys.stdout.write(f"{told} products told anew\n")

    run_commands(
        SERVICE,
        {"migrate": migrate_schema, "declare": declare_queues, "seed": seed, "retell": retell},
    )


if __name__ == "__main__":
    main()
