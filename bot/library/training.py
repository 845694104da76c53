"""Learns the weights of `bot.library.weighing` from sentences: what `ajar content train` does. The bot never runs this.

A linear support vector machine with a squared hinge loss, by dual coordinate descent (Hsieh et al., 2008), in pure
Python. Nothing is random, so the same sentences give the same weights.

Its quality is measured on sentences that it hasn't learned from: each voice of a file, which is the text below one of
its headings, is left out once, together with the others of its part.
"""

import hashlib
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod, sqrt
from pathlib import Path
from typing import Final, NamedTuple

from bot.library.weighing import BIAS, Features

CRISIS: Final = "crisis"
HARMLESS: Final = "harmless"
_EXAMPLES: Final = "examples of the library"
_PARTS: Final = 8
"""The number of parts in which the voices are left out."""
_DIVISIONS: Final = 3
"""How often the voices are divided into parts, each time differently: by one division alone, the border depends on
which voices happen to share a part."""
_SEEN: Final = 2
"""A feature that occurs in fewer sentences is ignored."""
_COST: Final = 4.0
"""The penalty of a sentence on the wrong side, relative to that of large weights."""
_ROUNDS: Final = 12
_VARIANTS: Final = 12
"""The most sentences that one with alternatives is expanded into."""
_MOST_FALSE: Final = 0.04
"""The share of harmless sentences, among those left out of training, that may lie above the border."""
_LIGHTEST: Final = 4
"""Pairs with a lighter weight, in hundredths, are left out of the file. Single words stay, since they show the
language."""
_CHOICE: Final = re.compile(r"\(([^()]*\|[^()]*)\)")
_SPACES: Final = re.compile(r"\s+(?=[.,?]|\s|$)")


class Sentence(NamedTuple):
    """A sentence to learn from, and the heading above it."""

    text: str
    is_crisis: bool
    voice: str
    is_single: bool = True
    """Whether its line has no alternatives. The border is set by such sentences: a hundred that are nearly the same
    say little about another one."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How often a sentence that wasn't learned from was judged correctly. Each is judged once per division."""

    found: int
    crises: int
    let_pass: int
    harmless: int


@dataclass(frozen=True, slots=True)
class Training:
    """The learned weights in hundredths, and how good they are."""

    weights: Mapping[str, int]
    outcome: Outcome


def sentences(folder: Path, language: str, examples: Iterable[str] = ()) -> list[Sentence]:
    """Return all sentences of a language in content/, with alternatives written out, and the library's Examples."""
    found: dict[str, Sentence] = {}
    for kind in (CRISIS, HARMLESS):
        voice = ""
        for line in _path(folder, kind, language).read_text(encoding="utf-8").splitlines():
            if line.startswith("#"):
                voice = line.lstrip("# ")
            elif line:
                written = variants(line)
                for text in written:
                    found.setdefault(text, Sentence(text, kind == CRISIS, voice, is_single=len(written) == 1))
    for index, text in enumerate(examples):
        found.setdefault(text, Sentence(text, is_crisis=False, voice=f"{_EXAMPLES} {index // 80}"))
    return list(found.values())


def variants(line: str) -> list[str]:
    """Return the sentences that "I want (out|to go)" stands for; of many alternatives a fixed choice of twelve."""
    choices = [each.split("|") for each in _CHOICE.findall(line)]
    count = min(_VARIANTS, 2 * max(map(len, choices), default=1), prod(map(len, choices)))
    return list(dict.fromkeys(_variant(line, choices, index) for index in range(count)))


def _variant(line: str, choices: Sequence[Sequence[str]], index: int) -> str:
    picked = iter([each[(index + at * (index // len(each))) % len(each)] for at, each in enumerate(choices)])
    return _SPACES.sub("", _CHOICE.sub(lambda _: next(picked), line)).strip()


def digest(folder: Path, language: str) -> str:
    """Return a hash of the sentences and the kinds of words."""
    files = (_path(folder, CRISIS, language), _path(folder, HARMLESS, language), kinds_path(folder, language))
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()[:16]


def train_all(folder: Path, language: str, examples: Iterable[str]) -> Iterator[str]:
    """Write the weights of a language that has sentences. Yield a line on how good they are."""
    if not _path(folder, CRISIS, language).exists():
        return
    kinds = tomllib.loads(kinds_path(folder, language).read_text(encoding="utf-8"))
    learned = sentences(folder, language, examples)
    training = train(learned, Features(language, kinds))
    lines = [f"# Made by `ajar content train` from the sentences {digest(folder, language)}; not to be edited."]
    lines += [f"{feature}\t{weight}" for feature, weight in training.weights.items()]
    path = weights_path(folder, language)
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    said = training.outcome
    yield (
        f"{language}: {len(learned)} sentences, {len(training.weights)} weights. Of sentences that were left out, "
        f"{said.found / said.crises:.0%} of the crises found, {said.let_pass / said.harmless:.1%} of the harmless ones "
        "let pass."
    )


def weights_path(folder: Path, language: str) -> Path:
    """Return the file of a language's weights."""
    return folder / "safety" / "weights" / f"{language}.tsv"


def kinds_path(folder: Path, language: str) -> Path:
    """Return the file of a language's kinds of words."""
    return folder / "safety" / "kinds" / f"{language}.toml"


def _path(folder: Path, kind: str, language: str) -> Path:
    return folder / "safety" / "sentences" / f"{kind}.{language}.txt"


def train(learned: Sequence[Sentence], features: Features) -> Training:
    """Learn from all sentences, and measure each part with weights learned from the others."""
    rows = [(features.of(features.tokens(each.text)), each.is_crisis) for each in learned]
    left_out = [
        (value, each)
        for division in range(_DIVISIONS)
        for value, each in zip(_left_out(rows, _parts(learned, division)), learned, strict=True)
    ]
    border = _border([value for value, each in left_out if _sets_border(each)])
    weights = _learn(rows)
    rounded = {name: round(100 * value) for name, value in weights.items() if name != BIAS}
    kept = {name: value for name, value in sorted(rounded.items()) if abs(value) >= _LIGHTEST or " " not in name}
    right = Counter(
        each.is_crisis
        for value, each in left_out
        if not each.voice.startswith(_EXAMPLES) and (value > border) == each.is_crisis
    )
    said = Counter(each.is_crisis for _, each in left_out if not each.voice.startswith(_EXAMPLES))
    return Training(
        {BIAS: round(100 * (weights[BIAS] - border)), **kept},
        Outcome(right[True], said[True], right[False], said[False]),
    )


def _sets_border(sentence: Sentence) -> bool:
    return not sentence.is_crisis and sentence.is_single and not sentence.voice.startswith(_EXAMPLES)


def _border(harmless: Sequence[float]) -> float:
    """Return the border above which a text counts: zero, or higher if too many harmless ones would lie above it."""
    ordered = sorted(harmless, reverse=True)
    return max(0.0, ordered[int(_MOST_FALSE * len(ordered))]) if ordered else 0.0


def _left_out(rows: Sequence[tuple[set[str], bool]], parts: Sequence[int]) -> list[float]:
    """Return the weight of each sentence by what was learned from the other parts."""
    values = [0.0] * len(rows)
    for part in range(_PARTS):
        weights = _learn([row for row, at in zip(rows, parts, strict=True) if at != part])
        for index, (row, at) in enumerate(zip(rows, parts, strict=True)):
            if at == part:
                values[index] = _weight(row[0], weights)
    return values


def _parts(learned: Sequence[Sentence], division: int) -> list[int]:
    """Return the part of each sentence. Those of one voice are in the same part, crises and harmless ones alike."""
    voices = {
        voice: (index + division * (index // _PARTS)) % _PARTS
        for index, voice in enumerate(dict.fromkeys(each.voice for each in learned))
    }
    return [voices[each.voice] for each in learned]


def _learn(rows: Sequence[tuple[set[str], bool]]) -> dict[str, float]:
    counts = Counter(feature for features, _ in rows for feature in features)
    known = sorted(feature for feature, count in counts.items() if count >= _SEEN)
    place = {feature: index for index, feature in enumerate(known, start=1)}
    w = [0.0] * (len(known) + 1)
    alphas = [0.0] * len(rows)
    examples = []
    for features, is_crisis in rows:
        value = 1 / sqrt(max(1, len(features)))
        at = sorted(place[feature] for feature in features if feature in place)
        examples.append((at, value, 1.0 if is_crisis else -1.0, 1.0 + len(at) * value * value + 1 / (2 * _COST)))
    order = sorted(range(len(rows)), key=lambda index: (index * 7919) % len(rows))
    for _ in range(_ROUNDS):
        for index in order:
            at, value, sign, norm = examples[index]
            gradient = sign * (w[0] + value * sum([w[each] for each in at])) - 1 + alphas[index] / (2 * _COST)
            alpha = max(0.0, alphas[index] - gradient / norm)
            if step := (alpha - alphas[index]) * sign:
                alphas[index] = alpha
                w[0] += step
                for each in at:
                    w[each] += step * value
    return {BIAS: w[0]} | {feature: w[index] for feature, index in place.items()}


def _weight(features: set[str], weights: Mapping[str, float]) -> float:
    total = sum([weights.get(feature, 0.0) for feature in features])
    return total / sqrt(max(1, len(features))) + weights[BIAS]
