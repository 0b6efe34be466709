"""Connections between services and servers that can be cut and held: a small TCP proxy for each."""

import asyncio
import socket
import struct
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from stack.ports import HOST

_PIECE = 65536
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close with RST


class Link:
    """Everything that connects to `port` reaches `to`, as long as nobody interferes."""

    def __init__(self, to: int) -> None:
        self.port = 0
        self._to = to
        self._is_cut = False
        self._questions, self._answers = asyncio.Event(), asyncio.Event()
        self._questions.set()
        self._answers.set()
        self._ends: set[asyncio.StreamWriter] = set()

    async def listen(self) -> None:
        self._server = await asyncio.start_server(self._connected, HOST, 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        self._server.close()
        self._reset_all()

    async def cut(self) -> None:
        """Reset what is connected, and whoever tries, until it is mended."""
        self._is_cut = True
        self._reset_all()

    async def hold(self) -> None:
        """Let nothing through in either direction, without a word to anybody."""
        self._questions.clear()
        self._answers.clear()

    async def hold_answers(self) -> None:
        """What the server is asked reaches it, and is done; nobody hears of it."""
        self._answers.clear()

    async def lose(self) -> None:
        """Reset what is connected; what was held is lost."""
        self._reset_all()
        await self.mend()

    async def mend(self) -> None:
        """Everything flows again, also what was held."""
        self._is_cut = False
        self._questions.set()
        self._answers.set()

    def _reset_all(self) -> None:
        for end in list(self._ends):
            _reset(end)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self._is_cut:
                raise ConnectionResetError
            there, back = await asyncio.open_connection(HOST, self._to)
        except OSError:
            _reset(writer)
            return
        self._ends |= {writer, back}
        await asyncio.gather(
            _pass_on(reader, back, self._questions), _pass_on(there, writer, self._answers)
        )
        self._ends -= {writer, back}


class Links:
    """All links of a stack, by name."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._links: dict[str, Link] = {}

    def add(self, name: str, to: int) -> int:
        """The port to connect to instead of `to`."""
        link = self._links[name] = Link(to)
        self._run(link.listen())
        return link.port

    def cut(self, name: str) -> None:
        self._run(self._links[name].cut())

    def hold(self, name: str) -> None:
        self._run(self._links[name].hold())

    def hold_answers(self, name: str) -> None:
        self._run(self._links[name].hold_answers())

    def lose(self, name: str) -> None:
        self._run(self._links[name].lose())

    def mend(self, name: str) -> None:
        self._run(self._links[name].mend())

    def close(self) -> None:
        for link in self._links.values():
            self._run(link.close())
        self._run(_end_all())

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=30)


@contextmanager
def links() -> Iterator[Links]:
    """They work in a thread of their own until the end of the block."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="links", daemon=True)
    thread.start()
    try:
        between = Links(loop)
        try:
            yield between
        finally:
            between.close()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=10)
        loop.close()


async def _pass_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, gate: asyncio.Event
) -> None:
    with suppress(OSError):
        while piece := await reader.read(_PIECE):
            await gate.wait()
            if writer.is_closing():
                break
            writer.write(piece)
            await writer.drain()
    writer.close()


async def _end_all() -> None:
    """Whoever still waits for somebody need not any more."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def _reset(end: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        end.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    end.transport.abort()
