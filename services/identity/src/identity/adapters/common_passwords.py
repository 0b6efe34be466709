"""The passwords that attackers try first.

common_passwords.txt.gz holds, sorted and in lower case, what occurs most often in leaked
collections: the 30,000 that zxcvbn counted, and the 19,640 that Django refuses.
"""

import gzip
from functools import cache
from importlib.resources import files


class CommonPasswords:
    """Knows them all; read on first use, since most processes never ask."""

    def __contains__(self, password: object) -> bool:
        return password in _all()


@cache
def _all() -> frozenset[str]:
    packed = files(__package__).joinpath("common_passwords.txt.gz").read_bytes()
    return frozenset(gzip.decompress(packed).decode().split("\n")) - {""}
