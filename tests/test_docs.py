"""The documents name only what exists: paths, anchors, make targets, commands, settings and names of code."""

import re
from functools import cache
from pathlib import Path

import pytest

from bot.cli import main as ajar
from bot.config import Config

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "docs/*.md", "content/*.md", "deploy/**/*.md")
    for path in ROOT.glob(pattern)
    if path.name != "CHANGELOG.md"  # it is about the past
)
FOLDERS = ("bot/", "content/", "deploy/", "docs/", "locales/", "tests/", ".ci/")
NOT_IN_A_CLONE = ("locales/fr",)  # examples of what a reader is about to create


def _text(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


def _code(document: str) -> list[str]:
    """Yield the texts between backticks within a line."""
    prose = re.sub(r"```.*?```", "", _text(document), flags=re.DOTALL)
    return re.findall(r"`([^`\n]+)`", prose)


@cache
def _anchors(path: Path) -> set[str]:
    """Return the anchors of a document's headings, as Markdown viewers make them."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@cache
def _source() -> str:
    files = (path for folder in ("bot", "tests") for path in (ROOT / folder).rglob("*.py"))
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    folder = (ROOT / document).parent
    for target in re.findall(r"\]\(([^)\s]+)\)", _text(document)):
        if re.match(r"https?:|mailto:", target):
            continue
        name, _, anchor = target.partition("#")
        path = (folder / name).resolve() if name else ROOT / document
        assert path.exists(), f"{document} links to {target}"
        assert not anchor or anchor in _anchors(path), f"{document} links to {target}"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_named_paths_exist(document: str) -> None:
    for code in _code(document):
        if code.startswith(FOLDERS) and not code.startswith(NOT_IN_A_CLONE) and not re.search(r"[*<…\s]", code):
            assert (ROOT / code).exists(), f"{document} names {code}"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_named_make_targets_exist(document: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", _text("Makefile"), re.MULTILINE))
    for target in re.findall(r"(?:^|`)make ([a-z-]+)", _text(document), re.MULTILINE):
        assert target in targets, f"{document} names make {target}"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_named_commands_exist(document: str) -> None:
    for command in re.findall(r"`(?:\S*/)?ajar ([a-z]+)", _text(document)):
        assert command in ajar.commands, f"{document} names ajar {command}"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_named_settings_exist(document: str) -> None:
    known = {f"AJAR_{name.upper()}" for name in Config.model_fields}
    for setting in re.findall(r"AJAR_[A-Z_]+[A-Z]", _text(document)):
        name = setting.removesuffix("_FILE")
        assert name in known or setting in _source(), f"{document} names {setting}"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_named_code_exists(document: str) -> None:
    """A name in backticks that looks like a Python name: snake_case with an underscore, CamelCase, or CAPITALS."""
    looks_like_code = re.compile(r"[a-z]+(?:_[a-z0-9]+)+|(?:[A-Z][a-z]+){2,}|[A-Z]+_[A-Z_]+")
    for code in _code(document):
        name = code.removesuffix("()")
        if looks_like_code.fullmatch(name) and not name.startswith("AJAR_"):
            assert re.search(rf"\b{name}\b", _source()), f"{document} names {code}"
