"""The containers' health check: exit 0 if `ready.py PORT PATH` finds 200 on this container."""

import sys
from http.client import HTTPConnection


def main(port: str, path: str) -> int:
    connection = HTTPConnection("127.0.0.1", int(port), timeout=3)
    try:
        connection.request("GET", path)
        return 0 if connection.getresponse().status == 200 else 1
    except OSError:
        return 1
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
