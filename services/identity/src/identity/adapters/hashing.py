"""Argon2id, with a cap on how much memory and time a storm of sign-ins can take."""

import base64
import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from identity.use_cases.errors import TooBusy

LONGEST_WAIT_SECONDS = 5.0
_SALT_BYTES = 16
_HASH_BYTES = 32


class Argon2Hasher:
    """At most `concurrency` hashes at once in this process; others wait, and give up after a while.

    Each takes `memory_kib` of memory while it is computed.
    """

    def __init__(
        self, *, memory_kib: int, time_cost: int, parallelism: int, concurrency: int
    ) -> None:
        self._argon2 = PasswordHasher(
            time_cost=time_cost,
            memory_cost=memory_kib,
            parallelism=parallelism,
            salt_len=_SALT_BYTES,
            hash_len=_HASH_BYTES,
        )
        self._nobodys = (
            f"$argon2id$v=19$m={memory_kib},t={time_cost},p={parallelism}"
            f"${_base64(os.urandom(_SALT_BYTES))}${_base64(os.urandom(_HASH_BYTES))}"
        )
        self._slots = BoundedSemaphore(concurrency)

    def hash(self, password: str) -> str:
        with self._slot():
            return self._argon2.hash(password)

    def verify(self, password: str, expected: str | None) -> bool:
        with self._slot():
            try:
                return self._argon2.verify(expected or self._nobodys, password)
            except (VerificationError, InvalidHashError):
                return False

    def is_outdated(self, password_hash: str) -> bool:
        return self._argon2.check_needs_rehash(password_hash)

    @contextmanager
    def _slot(self) -> Iterator[None]:
        if not self._slots.acquire(timeout=LONGEST_WAIT_SECONDS):
            raise TooBusy("too many people sign in at this moment")
        try:
            yield
        finally:
            self._slots.release()


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode().rstrip("=")
