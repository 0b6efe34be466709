"""What all unit tests stand on."""

from collections.abc import Iterator

import pytest

from oja_web.access_marks import AccessMarks


@pytest.fixture(scope="package", autouse=True)
def nobodys_access_has_ended() -> Iterator[None]:
    """Who was signed out stands in a database, and there is none here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AccessMarks, "revoked", lambda *_: False)
        yield
