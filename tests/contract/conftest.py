"""What all contract tests stand on."""

from collections.abc import Iterator
from typing import Any

import pytest

from oja_web.shared_redis import RedisAway, SharedRedis


@pytest.fixture(scope="package", autouse=True)
def redis_is_away() -> Iterator[None]:
    """Applications are built from whole environments here, with no server behind any address."""

    def away(*_: Any) -> Any:
        raise RedisAway

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SharedRedis, "_ask", away)
        yield
