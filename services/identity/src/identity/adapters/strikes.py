"""Failures of late, in Redis: counted for all processes together, forgotten by themselves.

    identity:strikes:<patience>:<digest>         how many
    identity:strikes:<patience>:<digest>:wait    lies there as long as one has to wait

Of who it is about, Redis holds a digest only.
"""

from collections.abc import Sequence
from hashlib import sha256

from identity.use_cases.errors import CannotCount, TooManyAttempts
from identity.use_cases.ports import Subject
from oja_web.shared_redis import RedisAway, Script, SharedRedis

# The rule of domain.patience.Patience, where the counting is, so that it is one step.
_RULE = """
local function wait_after(failures, subject)
    local at = (subject - 1) * 5
    local free, first = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
    local longest = tonumber(ARGV[at + 3])
    if failures < free then return 0 end
    return math.min(longest, first * 2 ^ math.min(failures - free, 30))
end
"""
_ENTER = (
    _RULE
    + """
local longest, whose = 0, 0
for subject = 1, #KEYS / 2 do
    local left = redis.call('PTTL', KEYS[subject * 2])
    if left > longest then longest, whose = left, subject end
end
if longest > 0 then return {longest, whose} end
for subject = 1, #KEYS / 2 do
    local failures = tonumber(redis.call('GET', KEYS[subject * 2 - 1]) or 0)
    local wait = wait_after(failures + 1, subject)
    local alone = ARGV[subject * 5] == '1' and wait_after(failures, subject) > 0
    if alone then redis.call('SET', KEYS[subject * 2], 1, 'PX', wait) end
end
return {0, 0}
"""
)
_ADD = (
    _RULE
    + """
for subject = 1, #KEYS / 2 do
    local failures = redis.call('INCR', KEYS[subject * 2 - 1])
    if failures == 1 then
        redis.call('PEXPIRE', KEYS[subject * 2 - 1], ARGV[(subject - 1) * 5 + 4])
    end
    local wait = wait_after(failures, subject)
    if wait > 0 then redis.call('SET', KEYS[subject * 2], 1, 'PX', wait) end
end
return 1
"""
)
_LEAVE = """
for subject = 1, #KEYS / 2 do
    if ARGV[subject * 5] == '1' then redis.call('DEL', KEYS[subject * 2]) end
end
return 1
"""
_FORGIVE = "return redis.call('DEL', unpack(KEYS))"


class RedisStrikes:
    """See use_cases.ports.Strikes."""

    def __init__(self, shared: SharedRedis) -> None:
        self._enter = shared.script(_ENTER)
        self._add = shared.script(_ADD)
        self._leave = shared.script(_LEAVE)
        self._forgive = shared.script(_FORGIVE)

    def enter(self, subjects: Sequence[Subject]) -> None:
        milliseconds, whose = _counted(self._enter, subjects)
        if milliseconds:
            raise TooManyAttempts(subjects[whose - 1].patience, milliseconds / 1000)

    def add(self, subjects: Sequence[Subject]) -> None:
        _counted(self._add, subjects)

    def leave(self, subjects: Sequence[Subject]) -> None:
        _if_possible(self._leave, subjects)

    def forgive(self, subjects: Sequence[Subject]) -> None:
        if subjects:
            _if_possible(self._forgive, subjects)


def _counted(script: Script, subjects: Sequence[Subject]) -> list[int]:
    try:
        answer: list[int] = script(_keys(subjects), _arguments(subjects))
        return answer
    except RedisAway:
        raise CannotCount from None


def _if_possible(script: Script, subjects: Sequence[Subject]) -> None:
    """Who is in is in: what is not forgotten now is forgotten later."""
    try:
        script(_keys(subjects), _arguments(subjects))
    except RedisAway:
        return


def _keys(subjects: Sequence[Subject]) -> list[str]:
    names = [f"identity:strikes:{s.patience.name}:{_digest(s.who)}" for s in subjects]
    return [key for name in names for key in (name, f"{name}:wait")]


def _arguments(subjects: Sequence[Subject]) -> list[int]:
    rules = [subject.patience for subject in subjects]
    times = [(rule.first_wait, rule.longest_wait, rule.memory) for rule in rules]
    return [
        number
        for rule, waits in zip(rules, times, strict=True)
        for number in (
            rule.free,
            *(int(wait.total_seconds() * 1000) for wait in waits),
            int(rule.one_at_a_time),
        )
    ]


def _digest(who: str) -> str:
    return sha256(who.encode()).hexdigest()[:32]
