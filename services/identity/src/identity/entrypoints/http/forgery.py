"""Was a request with a session's cookie written by our own console, or by a page elsewhere?"""

from urllib.parse import SplitResult, urlsplit

from werkzeug.datastructures import Headers

from identity.domain.secrets import is_csrf_token
from oja_web.problems import Problem

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
TOKEN_HEADER = "X-CSRF-Token"  # noqa: S105  a header's name  # nosec B105
# "none" is a person who typed the address; "same-site" could be another port of the same machine.
_OWN_SITES = frozenset({"same-origin", "none"})
_DEFAULT_PORTS = {"http": 80, "https": 443}


def refuse_forgery(secret: str, method: str, headers: Headers, public_url: str) -> None:
    """Go on only if the method is safe or the request shows the session's token, from our origin.

    Raises a 403 problem.
    """
    if method in SAFE_METHODS:
        return
    refuse_foreign_origin(headers, public_url)
    if not is_csrf_token(secret, headers.get(TOKEN_HEADER, "")):
        raise _forged(f"Send the session's csrf_token as {TOKEN_HEADER}.")


def refuse_foreign_origin(headers: Headers, public_url: str) -> None:
    """Browsers say which page sent a request; others do not, and are no danger here."""
    site, origin = headers.get("Sec-Fetch-Site"), headers.get("Origin")
    if site is not None and site not in _OWN_SITES:
        raise _forged("The request was sent by a page of another origin.")
    if origin is not None and not _is_ours(origin, headers.get("Host", ""), public_url):
        raise _forged("The request was sent by a page of another origin.")


def _is_ours(origin: str, host: str, public_url: str) -> bool:
    """The gateway may be reached by several names, but only on the public scheme and port."""
    ours = urlsplit(public_url)
    try:
        theirs = urlsplit(origin)
        same_door = theirs.scheme == ours.scheme and _port(theirs) == _port(ours)
        names = {ours.hostname, urlsplit(f"//{host}").hostname}
    except ValueError:
        return False
    return same_door and theirs.hostname is not None and theirs.hostname in names


def _port(url: SplitResult) -> int | None:
    return url.port or _DEFAULT_PORTS.get(url.scheme)


def _forged(detail: str) -> Problem:
    return Problem(403, "csrf_failed", detail)
