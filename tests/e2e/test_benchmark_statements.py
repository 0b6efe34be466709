"""What `./oja bench orders` asks of the services' tables fits them as they are today."""

from contextlib import closing
from datetime import UTC, datetime

import psycopg2
import pytest

from stack.benchmarks import counted
from tests.support.shop import Shop

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("statement", [counted._DONE, counted._WEBHOOK_TO_PAID])
def test_a_statement_of_the_benchmark_can_be_planned(shop: Shop, statement: str) -> None:
    dsn = shop.description["postgres"]["superuser_dsn"]
    with closing(psycopg2.connect(dsn)) as database, database, database.cursor() as cursor:
        cursor.execute(f"EXPLAIN {statement}", {"since": NOW, "until": NOW})
        assert cursor.fetchall()
