"""The library: loads content/ into frozen facts, or reports every mistake in it at once, each with file and line."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from bot.domain.content import Cue, PolicySection, Prompt, SafetyPhrases, ShelfWord, Stem, Support, Theme
from bot.domain.model import DEEPEST

DEPTHS: Final = range(1, DEEPEST + 1)
_PACKAGE: Final = Path(__file__).parent.parent


class ContentError(Exception):
    """The content has mistakes; `problems` has a sentence for each, starting with file and line."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Library:
    """The contents of content/, in English; themes and prompts keep the order of the files."""

    themes: tuple[Theme, ...]
    prompts: Mapping[str, Prompt]
    by_theme: Mapping[str, tuple[Prompt, ...]]
    by_depth: Mapping[int, tuple[Prompt, ...]]
    cues: tuple[Cue, ...]
    support: tuple[Support, ...]
    """All entries, including those too old to be shown; check `Support.fresh` first."""
    stems: tuple[Stem, ...]
    shelf: Mapping[str, ShelfWord]
    """The words of the Shelf, by id, each board's first word before the others."""
    hints: Mapping[str, Mapping[str, tuple[str, ...]]]
    """The words that bring a board of the Shelf to the top, by language and board."""
    policy: Mapping[str, tuple[PolicySection, ...]]
    """The privacy policy, by language."""
    safety: Mapping[str, SafetyPhrases]
    """By language, the phrases that sound like a crisis or like fear of somebody, for `bot.library.phrases`."""

    @classmethod
    def of(
        cls,
        themes: Iterable[Theme],
        prompts: Iterable[Prompt],
        cues: Iterable[Cue] = (),
        support: Iterable[Support] = (),
        stems: Iterable[Stem] = (),
        shelf: Iterable[ShelfWord] = (),
        hints: Mapping[str, Mapping[str, tuple[str, ...]]] | None = None,
        policy: Mapping[str, tuple[PolicySection, ...]] | None = None,
        safety: Mapping[str, SafetyPhrases] | None = None,
    ) -> "Library":
        themes, prompts = tuple(themes), tuple(prompts)
        return cls(
            themes,
            MappingProxyType({prompt.id: prompt for prompt in prompts}),
            MappingProxyType({t.id: tuple(p for p in prompts if p.theme == t.id) for t in themes}),
            MappingProxyType({depth: tuple(p for p in prompts if p.depth == depth) for depth in DEPTHS}),
            tuple(cues),
            tuple(support),
            tuple(stems),
            MappingProxyType({word.id: word for word in shelf}),
            MappingProxyType(hints or {}),
            MappingProxyType(policy or {}),
            MappingProxyType(safety or {}),
        )


def content_folder() -> Path:
    """Return the folder of the shipped content: inside the package of an installed wheel, beside it in a checkout."""
    inside = _PACKAGE / "content"
    return inside if inside.is_dir() else _PACKAGE.parent / "content"


def load(folder: Path, support: Path | None = None) -> Library:
    """Load the library in `folder`, with the help lines of an operator's own file.

    Raises ContentError with all mistakes in them.
    """
    from bot.library.reading import Reading
    from bot.library.source import Problem

    problems: list[Problem] = []
    library = Reading(folder, problems, support).library()
    if problems:
        raise ContentError([str(problem) for problem in sorted(set(problems))])
    return library


def check(folder: Path, support: Path | None = None) -> list[str]:
    """Return a sentence for each mistake that `load` finds, starting with file and line; empty if there is none."""
    try:
        load(folder, support)
    except ContentError as error:
        return error.problems
    return []


def summary(library: Library) -> str:
    """Return how many prompts each theme has at each depth, as a table for a terminal."""
    width = max(len(theme.id) for theme in library.themes)
    rows = [
        (theme.id, [sum(p.depth == d for p in library.by_theme[theme.id]) for d in DEPTHS]) for theme in library.themes
    ]
    rows.append(("all", [len(library.by_depth[depth]) for depth in DEPTHS]))
    head = f"{'depth':<{width}}" + "".join(f"{depth:>5}" for depth in DEPTHS) + "  all"
    lines = [f"{name:<{width}}" + "".join(f"{n:>5}" for n in counts) + f"{sum(counts):>5}" for name, counts in rows]
    return "\n".join([head, *lines])
