"""Ordering's copy of the addresses that customers keep in their accounts."""

import json
from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from oja_events.contracts.identity import AddressesChanged, SavedAddress
from ordering.adapters.erasing import take_turns
from ordering.domain.values import Address
from ordering.use_cases.errors import UnknownAddress

# Who has left stays forgotten, though older news may still be under way.
_LEARN = text("""
    INSERT INTO address_books (customer_id, addresses, changed_at)
    SELECT :customer_id, CAST(:addresses AS jsonb), :changed_at
    WHERE NOT EXISTS (SELECT FROM erasures WHERE customer_id = :customer_id)
    ON CONFLICT (customer_id) DO UPDATE
        SET addresses = excluded.addresses, changed_at = excluded.changed_at
        WHERE address_books.changed_at < excluded.changed_at
""")
_FIND = text("""
    SELECT addresses -> :address_id FROM address_books WHERE customer_id = :customer_id
""")


class SqlAddressBooks:
    def __init__(self, session: Session) -> None:
        self._session = session

    def learn(self, news: AddressesChanged) -> None:
        addresses = {str(each.address_id): _kept(each) for each in news.addresses}
        values = {"customer_id": news.customer_id, "changed_at": news.changed_at}
        take_turns(self._session, news.customer_id)
        self._session.execute(_LEARN, values | {"addresses": json.dumps(addresses)})

    def find(self, customer_id: UUID, address_id: UUID) -> Address:
        values = {"customer_id": customer_id, "address_id": str(address_id)}
        found = self._session.scalar(_FIND, values)
        if found is None:
            raise UnknownAddress(address_id)
        return Address(**found)


def _kept(saved: SavedAddress) -> dict[str, Any]:
    fields = asdict(saved)
    del fields["address_id"]
    return fields
