"""Operator's commands: python -m notifier.entrypoints.admin migrate|declare"""

from notifier.bootstrap import MIGRATIONS, SERVICE
from notifier.entrypoints.consumer import SUBSCRIPTIONS
from notifier.settings import Settings
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

    run_commands(SERVICE, {"migrate": migrate_schema, "declare": declare_queues})


if __name__ == "__main__":
    main()
