"""The passwords that attackers try first.

common_passwords.txt.gz holds the 20,000 most frequent ones of leaked collections, as counted for
zxcvbn, most frequent first, in lower case.
"""

import gzip
from importlib.resources import files


def common_passwords() -> frozenset[str]:
    packed = files(__package__).joinpath("common_passwords.txt.gz").read_bytes()
    return frozenset(gzip.decompress(packed).decode().split("\n")) - {""}
