"""Ordering, which sends parcels, learns which addresses a customer keeps."""

from typing import Any

from oja_events.contracts.identity import AddressesChanged
from tests.integration.identity.conftest import Database, Person

ADDRESSES = "/api/auth/me/addresses"
HOME = {
    "full_name": "Ada Obi",
    "phone": "+2348012345678",
    "line1": "12 Adeola Odeku Street",
    "city": "Lagos",
    "state": "Lagos",
    "country": "NG",
}


def told_of(person: Person, database: Database) -> list[Any]:
    """The news of this customer's addresses, oldest first."""
    rows = database.rows(
        "SELECT convert_from(envelope, 'UTF8')::jsonb -> 'data' AS data FROM event_log"
        " WHERE type = :type AND subject = :subject ORDER BY id",
        type=AddressesChanged.TYPE,
        subject=person.id,
    )
    return [row.data for row in rows]


def test_every_change_tells_all_that_is_kept_then(ada: Person, database: Database):
    home = ada.call("POST", ADDRESSES, HOME).get_json()["id"]
    work = ada.call("POST", ADDRESSES, HOME | {"line1": "1 Marina"}).get_json()["id"]
    ada.call("PATCH", f"{ADDRESSES}/{home}", {"line1": "2 Marina"})
    ada.call("DELETE", f"{ADDRESSES}/{work}")

    news = told_of(ada, database)
    assert [[each["address_id"] for each in one["addresses"]] for one in news] == [
        [home],
        [home, work],
        [home, work],
        [home],
    ]
    assert news[-1]["addresses"][0].items() >= (HOME | {"line1": "2 Marina"}).items()
    times = [one["changed_at"] for one in news]
    assert times == sorted(set(times))


def test_what_changes_nothing_tells_nothing(ada: Person, database: Database):
    assert ada.call("POST", ADDRESSES, HOME | {"country": "Nigeria"}).status_code == 422
    assert ada.call("GET", ADDRESSES).status_code == 200

    assert told_of(ada, database) == []
