"""How long somebody who failed has to wait before the next try."""

from dataclasses import dataclass
from datetime import timedelta

_MOST_DOUBLINGS = 30


@dataclass(frozen=True, slots=True)
class Patience:
    """The first `free` failures but one cost nothing; with that one begins a wait, and every
    further failure doubles it, up to `longest_wait`. All is forgotten `memory` after the first.

    `one_at_a_time`: when the free ones are used up, nobody may try while another one tries.
    """

    name: str
    free: int
    first_wait: timedelta
    longest_wait: timedelta
    memory: timedelta
    one_at_a_time: bool = False

    def wait_after(self, failures: int) -> timedelta:
        if failures < self.free:
            return timedelta(0)
        doublings = min(failures - self.free, _MOST_DOUBLINGS)
        return min(self.longest_wait, self.first_wait * (1 << doublings))
