from oja_web.known_tokens import KnownTokens


def test_of_more_tokens_than_fit_the_newest_are_known():
    known = KnownTokens[int](100, clock=lambda: 0.0)

    for number in range(1000):
        known.keep(f"token {number}", number, until=1.0)

    found = [number for number in range(1000) if known.find(f"token {number}") is not None]
    assert found == list(range(1000 - len(found), 1000))
    assert 50 <= len(found) <= 100


def test_a_token_is_known_for_as_long_as_it_lives():
    now = 0.0
    known = KnownTokens[str](clock=lambda: now)
    known.keep("token", "Ada", until=10.0)

    found = []
    for now in (9.9, 10.0):  # noqa: B007  the clock reads it
        found.append(known.find("token"))

    assert found == ["Ada", None]


def test_only_the_whole_token_is_the_token():
    known = KnownTokens[str](clock=lambda: 0.0)
    known.keep("token", "Ada", until=1.0)

    assert [known.find(other) for other in ("toke", "token.", "Token", "")] == [None] * 4
