"""The mail server of `./oja bench mail`."""

import asyncio
import io
from pathlib import Path

from stack.benchmarks.sink import Sink

MAIL = b"From: a@x.example\r\nMessage-ID: <1.welcome@x.example>\r\n\r\nHello\r\n"


class Answers:
    """What a client gets to hear."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.closed = False

    def write(self, line: bytes) -> None:
        self.lines.append(line)

    def close(self) -> None:
        self.closed = True


def talk(folder: Path, *said: bytes) -> tuple[Answers, str]:
    """All that is said on one connection; the answers, and what was written down."""
    book, answers = io.StringIO(), Answers()

    async def conversation() -> None:
        reader = asyncio.StreamReader()
        reader.feed_data(b"".join(said))
        reader.feed_eof()
        await Sink(folder, book).serve(reader, answers)  # type: ignore[arg-type]

    asyncio.run(conversation())
    return answers, book.getvalue()


def test_every_mail_of_a_connection_is_accepted_and_written_down(tmp_path: Path):
    other = MAIL.replace(b"<1.", b"<2.")
    mail = b"MAIL FROM:<a@x.example>\r\nRCPT TO:<b@x.example>\r\nDATA\r\n"

    answers, book = talk(
        tmp_path, b"EHLO x\r\n", mail, MAIL, b".\r\n", mail, other, b".\r\n", b"QUIT\r\n"
    )

    assert [line.split(" ")[1] for line in book.splitlines()] == [
        "<1.welcome@x.example>",
        "<2.welcome@x.example>",
    ]
    assert answers.lines.count(b"354 go on\r\n") == 2
    assert answers.lines[-1] == b"221 bye\r\n"
    assert (tmp_path / "mail.eml").read_bytes() == MAIL


def test_a_mail_that_was_cut_off_is_not_accepted(tmp_path: Path):
    answers, book = talk(tmp_path, b"DATA\r\n", MAIL)

    assert book == ""
    assert answers.lines == [b"220 sink\r\n", b"354 go on\r\n"]
    assert answers.closed
