"""Which code is in the checkout now."""

from functools import cache
from hashlib import sha256

from stack.home import CHECKOUT

SERVICES = ("services", "libs")
SANDBOX = ("deploy/sandbox",)


@cache
def fingerprint(folders: tuple[str, ...]) -> str:
    """Changes with any source or other file in these folders of the checkout."""
    digest = sha256()
    for folder in folders:
        for file in sorted((CHECKOUT / folder).rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                digest.update(file.read_bytes())
    return digest.hexdigest()
