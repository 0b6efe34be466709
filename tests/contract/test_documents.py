"""What the documents point to is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DECISIONS = ROOT / "docs/adr"
NOT_OURS = {".venv", "node_modules"}


def documents() -> list[Path]:
    found = [*ROOT.glob("*.md")]
    for folder in ("deploy", "docs", "gateway", "libs", "services", "tests"):
        found += (ROOT / folder).rglob("*.md")
    return sorted(path for path in found if not NOT_OURS & set(path.parts))


def anchors(document: Path) -> set[str]:
    """The headings of a document, as they are linked to."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = (document.parent / name).resolve() if name else document
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize(
    "decision", sorted(DECISIONS.glob("[0-9]*.md")), ids=lambda path: path.stem
)
def test_a_decision_says_why_what_follows_and_how_it_is_broken(decision: Path) -> None:
    headings = re.findall(r"^## (.+)$", decision.read_text(), re.MULTILINE)

    assert headings == ["Context", "Decision", "Consequences", "Violated when"]
    assert f"]({decision.name})" in (DECISIONS / "README.md").read_text()
