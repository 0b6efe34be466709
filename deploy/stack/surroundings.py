"""What processes of a stack see of the environment of the person who started it.

Not all of it: a variable that happens to be set in a terminal would otherwise become a setting
of every service, and another one at the next start from another terminal.
"""

import os
from collections.abc import Mapping

_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")
_PROXIES = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")
_HERE = "localhost,127.0.0.1"


def surroundings(given: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The variables to start processes with; a proxy is not asked for addresses on this machine."""
    kept = {name: given[name] for name in (*_KEPT, *_PROXIES) if name in given}
    if any(name in kept for name in _PROXIES):
        kept["no_proxy"] = ",".join(filter(None, (given.get("no_proxy"), _HERE)))
    return kept
