import sys

import pytest

from oja_events.commands import run_commands


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch):
    """Run `shop-admin` with the given words and tell what was called with what."""

    def run(*words: str) -> list[object]:
        called: list[object] = []

        def migrate() -> None:
            """Bring the schema up."""
            called.append("migrate")

        def create_admin(*, email: str, language: str = "en", if_missing: bool = False) -> None:
            called.append((email, language, if_missing))

        monkeypatch.setattr(sys, "argv", ["shop-admin", *words])
        run_commands("shop", {"migrate": migrate, "create-admin": create_admin})
        return called

    return run


def test_a_command_is_called_by_its_name(calls):
    assert calls("migrate") == ["migrate"]


def test_keyword_only_parameters_are_options(calls):
    assert calls("create-admin", "--email", "a@b.c") == [("a@b.c", "en", False)]
    assert calls("create-admin", "--if-missing", "--email=a@b.c", "--language", "yo") == [
        ("a@b.c", "yo", True)
    ]


@pytest.mark.parametrize("words", [[], ["unknown"], ["create-admin"], ["migrate", "--if-missing"]])
def test_what_does_not_fit_is_refused_with_the_usage(calls, words, capsys):
    with pytest.raises(SystemExit) as ended:
        calls(*words)
    assert ended.value.code == 2
    assert "usage: shop-admin" in capsys.readouterr().err
