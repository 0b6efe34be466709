"""The counters of every SKU are what the ledger and the reservations say. One snapshot of catalog,
so exact at any moment."""

from datetime import datetime

from oja_events.books import mending
from oja_events.books.facts import Fact, Sources
from oja_events.books.report import Fault, Verdict


def judge(sources: Sources, since: datetime, verdict: Verdict) -> None:
    """All counters, and the movements since then."""
    verdict.checked += int(sources.rows("catalog", "stock.size")[0]["count"])
    for row in sources.rows("catalog", "stock.faults", since=since):
        verdict.add(_fault(row))


def _fault(row: Fact) -> Fault:
    sku = row["sku"].replace("'", "''")
    if row["kind"] == "ledger":
        look = f"SELECT * FROM stock_movements WHERE sku = '{sku}' ORDER BY id"  # noqa: S608  # nosec B608
        detail = f"movement {row['movement']} leads to {row['expected']}, not to {row['found']}"
        return Fault("catalog", row["sku"], detail, mending.sql("catalog", look))
    put_right = (
        f"UPDATE stock SET {row['kind']} = {row['expected']}"  # noqa: S608  # nosec B608
        f" WHERE sku = '{sku}' AND {row['kind']} = {row['found']}"
    )
    detail = f"{row['kind']} is {row['found']}, its rows make {row['expected']}"
    return Fault("catalog", row["sku"], detail, mending.sql("catalog", put_right))
