"""The one exception that the command line turns into a sentence and exit code 1."""

from pathlib import Path


class Failure(Exception):
    """Something that the person at the terminal can act on, said in one sentence."""

    def __init__(self, sentence: str, *, log: Path | None = None) -> None:
        super().__init__(sentence)
        self.log = log
