"""SMTP with one deadline for many answers: to wait so long for each lets them add up, and a server
that sends a byte now and then is never late."""

import re
import smtplib
import socket
import time
from io import BufferedReader, RawIOBase
from typing import Any

Answer = tuple[int, bytes]

_LEADING_DOT = re.compile(rb"^\.", re.MULTILINE)
_GO_AHEAD = 354
# A server whose machine is gone says nothing any more; this tells it from one that thinks.
_KEEPALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}


class Dialogue(smtplib.SMTP):
    """`timeout`, and whatever `allow` says later, is for all that happens from then on."""

    _deadline: float

    def allow(self, seconds: float) -> None:
        self._deadline = time.monotonic() + seconds

    def left(self) -> float:
        """Raises TimeoutError when nothing is."""
        seconds = self._deadline - time.monotonic()
        if seconds <= 0:
            raise TimeoutError("it took too long altogether")
        return seconds

    def deliver(self, content: bytes, *, patience: float) -> Answer:
        """`content` ends its last line; what is said to it may take `patience`."""
        answer = self.docmd("DATA")
        if answer[0] == _GO_AHEAD:
            self.send(_LEADING_DOT.sub(b"..", content) + b".\r\n")
            self.allow(patience)
            return self.getreply()
        if answer[0] < 400:
            raise smtplib.SMTPDataError(*answer)
        return answer

    def getreply(self) -> Answer:
        if self.file is None:
            self.file = BufferedReader(_Replies(self))
        answer = super().getreply()
        self._be_in_time()  # what follows may be the handshake of TLS
        return answer

    def send(self, s: Any) -> None:
        self._be_in_time()
        super().send(s)

    def _be_in_time(self) -> None:
        if self.sock is not None:
            try:
                self.sock.settimeout(self.left())
            except TimeoutError:
                self.close()
                raise

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        """No address may use up the time of those behind it."""
        self.allow(timeout)
        problem: OSError = socket.gaierror(f"{host} has no address")
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        for done, (*_, address) in enumerate(found):
            try:
                share = self.left() / (len(found) - done)
                connected = socket.create_connection((str(address[0]), port), share)
            except OSError as error:
                problem = error
            else:
                _keep_alive(connected)
                connected.settimeout(self.left())
                return connected
        raise problem


class EncryptedDialogue(smtplib.SMTP_SSL, Dialogue):
    """Encrypted from the first byte."""


class _Replies(RawIOBase):
    """What comes from the socket, up to the deadline."""

    def __init__(self, dialogue: Dialogue) -> None:
        self._dialogue = dialogue

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        sock = self._dialogue.sock
        if sock is None:
            raise ConnectionError("closed")
        sock.settimeout(self._dialogue.left())
        return sock.recv_into(buffer)


def _keep_alive(connected: socket.socket) -> None:
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE.items():
        if hasattr(socket, name):  # not on every developer's machine
            connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
