"""Operator's commands: python -m catalog.entrypoints.admin migrate|declare|seed"""

from catalog.bootstrap import MIGRATIONS, SERVICE, build
from catalog.entrypoints.consumer import SUBSCRIPTIONS
from catalog.entrypoints.demo import load_demo
from catalog.settings import Settings
from oja_events.commands import run_commands
from oja_events.declaring import declare
from oja_events.migrating import migrate


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

    run_commands(SERVICE, {"migrate": migrate_schema, "declare": declare_queues, "seed": seed})


if __name__ == "__main__":
    main()
