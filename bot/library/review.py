"""Reviews a library that has no mistakes, for warnings that a person has to judge."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from bot.domain.content import Format, Prompt, Tag
from bot.library import DEPTHS, Library
from bot.library.reading import Reading
from bot.library.source import Problem, Spot, Table

_NEAR: Final = 88
"""The similarity (0 to 100, where 100 is the same words in any order) from which two texts are nearly the same."""
_SHORTEST: Final = 16
"""In characters: shorter texts are similar by accident."""
_MOST_OF_ONE_FORMAT: Final = 0.4
_MOST_REMARKS: Final = 0.3
"""The share of Examples of the pattern "Noun. Dry remark." at which the library has only one voice."""
_MOST_REMARKS_OF_THEME: Final = 0.4
_MOST_CARS: Final = 4
_MOST_JOBS: Final = 12
"""How many of a hundred Examples may be about a car, and about a job: not everybody drives or has a trade."""
_FIRST_WORDS: Final = 3
"""The most words before the first full stop that still make this pattern: "Cold coffee.", "The hall, always."."""

_CARS: Final = re.compile(
    r"\b(cars?|driv(e|es|ing|er|eway)|drove|parked|parking|tank|tyres?|engine|motorway|dashboard|bonnet|ignition)\b",
    re.IGNORECASE,
)
_JOBS: Final = re.compile(
    r"\b(shifts?|boss|foreman|site|workshop|warehouse|customers?|clients?|meetings?|office|depot|ward|canteen|payroll|"
    r"colleagues?|apprentice|invoices?)\b",
    re.IGNORECASE,
)
_SENTENCE: Final = re.compile(r"[^.?…]+[.?…]+")
_CALENDAR: Final[Mapping[Tag, re.Pattern[str]]] = {
    Tag.NOT_MONDAY: re.compile(r"\bthis week\b", re.IGNORECASE),
    Tag.NOT_JANUARY: re.compile(r"\bthis year\b", re.IGNORECASE),
    Tag.NOT_FREE_DAY: re.compile(r"\bat work today\b", re.IGNORECASE),
    Tag.HOLIDAYS: re.compile(r"\b(christmas|new year)\b", re.IGNORECASE),
}
"""Words of a prompt that usually require the tag."""


def review(folder: Path, support: Path | None = None) -> tuple[list[Problem], list[Problem]]:
    """Return the mistakes and the warnings in `folder`, and in a file with help lines.

    A library with mistakes isn't reviewed.
    """
    mistakes: list[Problem] = []
    reading = Reading(folder, mistakes, support)
    library = reading.library()
    if mistakes:
        return sorted(set(mistakes)), []
    return [], sorted(set(_warnings(library, reading.tables)))


def is_remark(example: str) -> bool:
    """Return whether an Example has the pattern "Noun. Dry remark.": a few words, and one more sentence."""
    sentences = _SENTENCE.findall(example.removeprefix("… "))
    return len(sentences) == 2 and len(sentences[0].split()) <= _FIRST_WORDS  # noqa: PLR2004  # the two of the pattern


def share_of_remarks(prompts: Collection[Prompt]) -> float:
    """Return the share of Examples with that pattern, from 0 to 1."""
    examples = _examples(prompts)
    return sum(map(is_remark, examples)) / len(examples)


def per_hundred(pattern: re.Pattern[str], prompts: Collection[Prompt]) -> float:
    """Return how many of a hundred Examples mention something."""
    examples = _examples(prompts)
    return 100 * sum(pattern.search(example) is not None for example in examples) / len(examples)


def table(library: Library) -> str:
    """Return counts of the library's contents, as a table for a terminal."""
    prompts = tuple(library.prompts.values())
    rows = [
        ("role", Counter(prompt.role.value for prompt in prompts)),
        ("format", Counter(prompt.format.value for prompt in prompts)),
        ("sensitivity", Counter(each.value for prompt in prompts for each in prompt.sensitivities)),
        ("tag", Counter(each.value for prompt in prompts for each in prompt.tags)),
    ]
    lines = [f"{kind:<13}{name:<17}{count:>4}" for kind, counts in rows for name, count in counts.most_common()]
    lines += [
        f"{'examples':<13}{'Noun. Remark.':<17}{share_of_remarks(prompts):>4.0%}",
        f"{'of a hundred':<13}{'with a car':<17}{per_hundred(_CARS, prompts):>4.0f}",
        f"{'of a hundred':<13}{'with a job':<17}{per_hundred(_JOBS, prompts):>4.0f}",
    ]
    return "\n".join(lines)


def _examples(prompts: Collection[Prompt]) -> list[str]:
    return [example for prompt in prompts for example in prompt.examples]


def _warnings(library: Library, tables: Mapping[str, Table]) -> Iterator[Problem]:
    prompts = tuple(library.prompts.values())
    texts = [(prompt.text, tables[prompt.id].spot("text")) for prompt in prompts]
    examples = [
        (example, tables[prompt.id].spot("examples", index))
        for prompt in prompts
        for index, example in enumerate(prompt.examples)
    ]
    yield from _nearly_same(texts, "text")
    yield from _nearly_same(examples, "example")
    for theme in library.themes:
        of_theme = library.by_theme[theme.id]
        file = tables[of_theme[0].id].source.name
        for depth in sorted(set(DEPTHS) - {prompt.depth for prompt in of_theme}):
            yield Problem(file, 1, f"there is no prompt of depth {depth}")
        if (share := share_of_remarks(of_theme)) > _MOST_REMARKS_OF_THEME:
            yield Problem(file, 1, f'{share:.0%} of its examples are of the kind "Noun. Dry remark."')
    for prompt in prompts:
        yield from _untagged(prompt, tables[prompt.id].spot("text"))
    yield from _of_the_whole(prompts, tables[prompts[0].id].source.name.partition("/")[0])


def _of_the_whole(prompts: Sequence[Prompt], folder: str) -> Iterator[Problem]:
    file = f"{folder}/themes.toml"
    for form, count in Counter(prompt.format for prompt in prompts).items():
        if count > _MOST_OF_ONE_FORMAT * len(prompts) and form in Format:
            yield Problem(file, 1, f'{count / len(prompts):.0%} of all prompts have the format "{form}"')
    if (share := share_of_remarks(prompts)) > _MOST_REMARKS:
        yield Problem(file, 1, f'{share:.0%} of all examples are of the kind "Noun. Dry remark."')
    for what, pattern, most in (("a car", _CARS, _MOST_CARS), ("a job", _JOBS, _MOST_JOBS)):
        if (found := per_hundred(pattern, prompts)) > most:
            yield Problem(file, 1, f"{found:.0f} of a hundred examples mention {what}; at most {most} should")


def _untagged(prompt: Prompt, spot: Spot) -> Iterator[Problem]:
    for tag, pattern in _CALENDAR.items():
        if tag not in prompt.tags and (found := pattern.search(prompt.text)):
            yield _at(spot, f'{prompt.id} says "{found[0]}", but has no tag "{tag}"')


def _nearly_same(texts: Sequence[tuple[str, Spot]], what: str) -> Iterator[Problem]:
    """Yield a warning for each text that has nearly the words of an earlier one."""
    from rapidfuzz import fuzz, process, utils

    plain = [utils.default_process(text) for text, _ in texts]
    for number, (text, spot) in enumerate(texts):
        if len(text) < _SHORTEST:
            continue
        near = process.extract_iter(plain[number], plain[:number], scorer=fuzz.token_sort_ratio, score_cutoff=_NEAR)
        for _, _, earlier in near:
            other, other_spot = texts[earlier]
            yield _at(spot, f'{what} "{text}" is nearly the one at {other_spot}: "{other}"')


def _at(spot: Spot, sentence: str) -> Problem:
    return Problem(spot.source.name, spot.source.line(spot.where), sentence)
