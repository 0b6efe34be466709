"""What all integration tests stand on."""

from collections.abc import Iterator
from unittest import mock

import pytest

from catalog.adapters import answer_memory
from identity.adapters import profile_cache
from oja_web import shared_redis


@pytest.fixture(scope="session", autouse=True)
def patience_with_redis() -> Iterator[None]:
    """On a busy machine Redis may answer later than the shop waits for it, which then does without
    it for a second."""
    with (
        mock.patch.object(answer_memory, "_TIMEOUT_SECONDS", 1.0),
        mock.patch.object(profile_cache, "_TIMEOUT_SECONDS", 2.0),
        mock.patch.object(shared_redis, "TIMEOUT_SECONDS", 2.0),
    ):
        yield
