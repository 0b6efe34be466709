"""Operator's commands: python -m ordering.entrypoints.admin migrate|declare|rebuild"""

import sys

from oja_events.commands import run_commands
from oja_events.declaring import declare
from oja_events.feed import read_all
from oja_events.migrating import migrate
from oja_web.feeds import HTTPFeeds
from ordering.bootstrap import MIGRATIONS, SERVICE, build
from ordering.entrypoints.consumer import SUBSCRIPTIONS
from ordering.settings import Settings
from ordering.use_cases.rebuilding import PRODUCT_NEWS, rebuild_products


def main() -> None:
    settings = Settings.from_env()

    def migrate_schema() -> None:
        """Bring the database schema to the newest revision."""
        migrate(SERVICE, MIGRATIONS, settings.migration_database_url)

    def declare_queues() -> None:
        """Create this service's queues and bindings on the broker."""
        declare(SERVICE, SUBSCRIPTIONS, settings.broker_url)

    def rebuild(*, projection: str) -> None:
        """Make the copy of the `products` anew from catalog's feed, while everything runs."""
        if projection != "products":
            raise SystemExit(f"ordering has no projection {projection!r}, only 'products'")
        feeds = HTTPFeeds(settings.feed_urls, settings.internal_token, consumer=SERVICE)
        told = read_all(feeds, "catalog", [news.TYPE for news in PRODUCT_NEWS])
        deps = build(settings, role="admin")
        done = rebuild_products(told, unit_of_work=deps.unit_of_work)
        sys.stdout.write(
            f"{done.told} products compared, {done.mended} mended,"
            f" {done.others} unknown to catalog's journal and left as they are\n"
        )

    run_commands(
        SERVICE, {"migrate": migrate_schema, "declare": declare_queues, "rebuild": rebuild}
    )


if __name__ == "__main__":
    main()
