"""A mail server that accepts everything, keeps nothing and writes down when.

    python -m stack.benchmarks.sink PORT FOLDER

Every mail is a line in FOLDER/accepted: the machine's monotonic clock in seconds, the Message-ID.
The first mail is kept as FOLDER/mail.eml.
"""

import asyncio
import re
import sys
import time
from pathlib import Path
from typing import TextIO

from stack.ports import HOST

_NAME = re.compile(rb"^message-id:\s*(<[^>]+>)", re.IGNORECASE | re.MULTILINE)
_END = b"\r\n.\r\n"
_LONGEST_MAIL = 1024 * 1024


class Sink:
    """As little as SMTP allows, so that it is not what limits those who send."""

    def __init__(self, folder: Path, accepted: TextIO) -> None:
        self._sample = folder / "mail.eml"
        self._accepted = accepted

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 sink\r\n")
        try:
            while line := await reader.readline():
                verb = line[:4].upper()
                if verb == b"DATA":
                    writer.write(b"354 go on\r\n")
                    self._keep(await reader.readuntil(_END))
                writer.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 OK\r\n")
                if verb == b"QUIT":
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _keep(self, content: bytes) -> None:
        name = _NAME.search(content)
        self._accepted.write(f"{time.monotonic()} {name[1].decode() if name else '-'}\n")
        self._accepted.flush()
        if not self._sample.exists():
            self._sample.write_bytes(content.removesuffix(_END) + b"\r\n")


async def main(port: int, folder: Path) -> None:
    with (folder / "accepted").open("w") as accepted:
        sink = Sink(folder, accepted)
        server = await asyncio.start_server(sink.serve, HOST, port, limit=_LONGEST_MAIL)
        async with server:
            await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2])))
