"""Decides whether a text sounds like a crisis or like fear of somebody, with what is in content/safety/.

The text is compared in this process. Neither the text nor the outcome is stored, logged or counted anywhere: callers
use it to decide what to show at that moment, and forget it. Phrases find what is said outright, the weights of words
(`bot.library.weighing`) what is hinted at; docs/safety-card.md says how well.

Words are compared without case, accents, apostrophes and doubled letters, by their stems, and the longer ones also with
one letter wrong, missing, doubled or swapped.
"""

import asyncio
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import takewhile
from typing import Final, NamedTuple

from bot.domain.content import SafetyPhrases
from bot.library.stemming import stemming
from bot.library.weighing import Weighing

LONGEST_TEXT: Final = 4096
"""The most characters that Telegram lets somebody send at once."""
_SHORT: Final = 300
"""In characters. A text of this length takes a sixth of a millisecond, or four if all its words occur in phrases."""
_GAP: Final = 4
"""How many words a * stands for, at most."""
_FILLERS: Final = 3
"""How many fillers there can be between two words of a phrase."""
_LOOKED_BACK: Final = 5
_TOGETHER: Final = 16
"""Within how many words all concepts of a rule have to be, in one sentence."""
_SCATTERED: Final = 30
"""Within how many words they have to be if they can be in several sentences."""
_SHORTEST_MISSPELT: Final = 6
"""In letters: a shorter word with one letter wrong is too often a different word."""
_PREFIX: Final = 4
"""How many first letters a word and its stem share, unless the stem is shorter."""
_TITLE: Final = 3
_REASONS: Final = 12
"""How many words and pairs of words an explanation names."""
_QUOTED: Final = re.compile('“([^”“]+)”|„([^“”"]+)[“”"]|«([^»]+)»|»([^«]+)«|"([^"]+)"|(?<!\\w)\'([^\']{3,})\'(?!\\w)')
_MARK: Final = re.compile("['’`´“”„«»\"]")
_PART: Final = re.compile(r"([^\W\d_]+)|([.!?;\n…]+)|[,:()–—]| - ")
"""A word, the end of a sentence, or a pause, which is in no group. A word that begins with no letter, like ② or ½, is a
pause too."""
_END, _PAUSE, _ANY, _BREAK, _OPTIONAL = ".", ",", "*", "$", "?"
_SUFFIX: Final = re.compile("(?<=[^\\W\\d_])['’`´](s|m|d|ll|re|ve)\\b", re.IGNORECASE)
_APOSTROPHE_IN_WORD: Final = re.compile(r"(?<=\w)['`´](?=\w)")
_APOSTROPHE: Final = re.compile("['’`´]")
_REPEATED: Final = re.compile(r"(.)(?=\1)")
_LONG_RUN: Final = re.compile(r"(.)\1\1+")
_UMLAUT_AS_E: Final = re.compile("(?<=[aou])e")


class _Token(NamedTuple):
    """A word of a text, or a pause."""

    keys: frozenset[str]
    """Everything to compare it by, of what occurs in phrases: its stem, the stems that it may be a misspelling of, and,
    if a phrase has the word after an "=", the word itself after one."""
    is_capital: bool = False


_PAUSED: Final = _Token(frozenset({_PAUSE}))
_ENDED: Final = _Token(frozenset({_END}))
_NONE: Final = frozenset[str]()
_Elements = tuple[frozenset[str], ...]
"""The positions of a phrase, each with the keys that fit there."""


_Concept = tuple[_Elements, ...]
"""Phrases that mean the same."""
_Concepts = tuple[_Concept, ...]
"""The concepts that a rule needs, in any order. A plain phrase is a single concept with one phrase."""


class _Rule(NamedTuple):
    phrases: tuple[_Concepts, ...]
    scattered: tuple[_Concepts, ...]
    """Those that needn't be in one sentence."""
    unless: tuple[_Elements, ...]


class _Phrase(NamedTuple):
    """A phrase of a rule, a combination of its concepts, or a phrase that makes a sentence harmless."""

    rule: _Rule
    concepts: _Concepts
    required: _Elements
    """The elements that a text must contain, the rarest among phrases first."""


class Phrases:
    """The phrases of all languages, as a text may be in a different language from its writer's Telegram."""

    def __init__(self, phrases: Mapping[str, SafetyPhrases]) -> None:
        self._languages = tuple(_Language(language, each) for language, each in phrases.items())
        self._is_prepared = False

    def prepare(self) -> None:
        """Prepare all phrases, which takes half a second, so that nobody has to wait for it later."""
        for language in self._languages:
            language.prepare()
        self._is_prepared = True

    async def look_in(self, text: str) -> bool:
        """Like `found_in`, but compare a long text in a thread, as that can take ten milliseconds."""
        if len(text) <= _SHORT and self._is_prepared:
            return self.found_in(text)
        return await asyncio.to_thread(self.found_in, text)

    def found_in(self, text: str) -> bool:
        """Return whether the text sounds like a crisis or like fear of somebody."""
        return any(language.found_in(text[:LONGEST_TEXT]) for language in self._languages)

    def explained(self, text: str) -> Iterator[str]:
        """Yield a line for each language on what its phrases and weights say about a text, for authors of the lists."""
        for language in self._languages:
            yield language.explained(text[:LONGEST_TEXT])


class _Language:
    """The phrases of one language, prepared when they are first needed."""

    def __init__(self, language: str, phrases: SafetyPhrases) -> None:
        self._language = language
        self._phrases = phrases
        self._weighing = Weighing(language, phrases.weights) if phrases.weights else None
        self._elements: dict[str, frozenset[str]] = {}
        self._sets: dict[frozenset[str], frozenset[str]] = {}

    def prepare(self) -> None:
        if self._weighing:
            self._weighing.prepare()
        for name, each in vars(type(self)).items():
            if isinstance(each, cached_property):
                getattr(self, name)
        self._elements.clear()
        self._sets.clear()

    def found_in(self, text: str) -> bool:
        sentences = list(self._sentences(text))
        whole = [token for sentence in sentences for token in (*sentence, _ENDED)]
        phrases = self._possible(self._by_rarest, whole)
        if phrases and any(self._found(phrases, sentence, _TOGETHER) for sentence in sentences):
            return True
        return self._found(self._possible(self._scattered_by_rarest, whole), whole, _SCATTERED) or self._weighs(
            text, whole
        )

    def explained(self, text: str) -> str:
        by_weight = self._weighing.weight(text) if self._weighing else 0
        reasons = self._weighing.reasons(text)[:_REASONS] if self._weighing else ()
        said = ", ".join(f"{each.feature} {each.weight:+.2f}" for each in reasons)
        return f"{self._language}: {'card' if self.found_in(text) else 'no card'}; weight {by_weight:+.2f}: {said}"

    def _weighs(self, text: str, tokens: Sequence[_Token]) -> bool:
        """Return whether the words of a text weigh more like a crisis, without quoted ones."""
        if not self._weighing or not self._weighing.found_in(self._unquoted(text) if _MARK.search(text) else text):
            return False
        return not self._is_harmless(tokens, len(tokens))

    def _found(self, phrases: Sequence[_Phrase], tokens: Sequence[_Token], apart: int) -> bool:
        return any(
            not self._is_excused(rule, places, tokens) for rule, places in self._rules_met(phrases, tokens, apart)
        ) and not self._is_harmless(tokens, apart)

    def _is_harmless(self, tokens: Sequence[_Token], apart: int) -> bool:
        """Return whether the text says one of the phrases that make everything else in it harmless."""
        return any(self._rules_met(self._possible(self._never_by_rarest, tokens), tokens, apart))

    def _is_excused(self, rule: _Rule, places: Sequence[Sequence[tuple[int, int]]], tokens: Sequence[_Token]) -> bool:
        """Return whether one of the rule's `unless` phrases makes it harmless.

        A single word does so only within the clause of the phrase: "I don't want to live since I lost my job" isn't
        about the job.
        """
        if len(places) > 1:
            return any(_ends(phrase, tokens, at, self) for phrase in rule.unless for at in range(len(tokens)))
        if any(
            _ends(phrase, tokens, at, self) for phrase in rule.unless if len(phrase) > 1 for at in range(len(tokens))
        ):
            return True
        words = _NONE.union(*(phrase[0] for phrase in rule.unless if len(phrase) == 1))
        return all(
            any(not token.keys.isdisjoint(words) for token in self._clause(tokens, start, end))
            for start, end in places[0]
        )

    def _clause(self, tokens: Sequence[_Token], start: int, end: int) -> Sequence[_Token]:
        """Return the tokens of the clause around a place."""
        while start > 0 and tokens[start - 1].keys.isdisjoint(self.breaks):
            start -= 1
        while end < len(tokens) and tokens[end].keys.isdisjoint(self.breaks):
            end += 1
        return tokens[start:end]

    def _possible(self, index: Mapping[str, Sequence[_Phrase]], tokens: Sequence[_Token]) -> Sequence[_Phrase]:
        """Return the phrases whose required words are all somewhere in the text: only these are compared with it."""
        keys = _NONE.union(*[token.keys for token in tokens])
        found = {id(phrase): phrase for key in keys & index.keys() for phrase in index[key]}.values()
        return [phrase for phrase in found if not any(map(keys.isdisjoint, phrase.required))]

    def _rules_met(
        self, phrases: Iterable[_Phrase], tokens: Sequence[_Token], apart: int
    ) -> Iterator[tuple[_Rule, Sequence[Sequence[tuple[int, int]]]]]:
        """Yield each rule of which the text says a phrase, or all concepts of one, without negating it; and where."""
        for phrase in phrases:
            places = list(takewhile(bool, (list(self._places(concept, tokens)) for concept in phrase.concepts)))
            if len(places) == len(phrase.concepts) and _are_close(places, apart):
                yield phrase.rule, places

    def _places(self, concept: _Concept, tokens: Sequence[_Token]) -> Iterator[tuple[int, int]]:
        """Yield where a concept is said, as the first token and the one after the last."""
        for elements in concept:
            for start, token in enumerate(tokens):
                if (
                    not token.keys.isdisjoint(elements[0])
                    and (end := _ends(elements, tokens, start, self))
                    and not self._is_negated(tokens, start)
                    and not _is_title(tokens[start:end])
                ):
                    yield start, end

    def _is_negated(self, tokens: Sequence[_Token], start: int) -> bool:
        """Return whether a "not" or the like precedes this place, with nothing but light words in between."""
        for token in reversed(tokens[max(0, start - _LOOKED_BACK) : start]):
            if not token.keys.isdisjoint(self.negators):
                return True
            if token.keys.isdisjoint(self.fillers) and token.keys.isdisjoint(self._light):
                return False
        return False

    # The text

    def _sentences(self, text: str) -> Iterator[list[_Token]]:
        sentence: list[_Token] = []
        if _MARK.search(text):
            text = _APOSTROPHE.sub("", _SUFFIX.sub(r" \1", self._unquoted(text)))
        parts = _PART.findall(text)
        words = self._words([word for word, _ in parts if word[:1].isalpha()])
        for word, end in parts:
            if word[:1].isalpha():
                sentence += next(words)
            elif end:
                yield sentence
                sentence = []
            else:
                sentence.append(_PAUSED)
        yield sentence

    def _unquoted(self, text: str) -> str:
        """Leave out quotations, unless they are the whole text or something that somebody says to the writer."""

        def keep(found: re.Match[str]) -> str:
            before = _PART.findall(text[: found.start()])[-3:]
            words = self._words([word for word, _ in before if word])
            told = any(not token.keys.isdisjoint(self._telling) for tokens in words for token in tokens)
            inside = next(filter(None, found.groups()))
            is_all = not _PART.search(text[: found.start()] + text[found.end() :])
            return f" {inside} " if told or is_all or " " not in inside.strip() else " , "

        return _QUOTED.sub(keep, _APOSTROPHE_IN_WORD.sub("’", text))

    def _words(self, words: Sequence[str]) -> Iterator[Sequence[_Token]]:
        """Yield each word as tokens: several if it is short for several words.

        All are folded at once, which takes a fraction of folding one after the other.
        """
        if not words:
            return
        folded = _folded("\n".join(words), self._language)
        for word, plain, short in zip(words, folded.split("\n"), _short(folded).split("\n"), strict=True):
            is_capital = word[0].isupper() and (len(word) == 1 or not word.isupper())
            if plain in self._spelt:
                yield [_Token(self._keys(each, _short(each)), is_capital) for each in self._spelt[plain]]
            else:
                yield (_Token(self._keys(plain, short), is_capital),)

    def _keys(self, word: str, short: str) -> frozenset[str]:
        """Return what to compare a folded word by, given also without doubled letters."""
        if (known := self._known.get(short)) is not None:
            return known
        if len(word) < _PREFIX or (word[:_PREFIX] not in self._prefixes and word[: _PREFIX - 1] not in self._prefixes):
            return _NONE
        stem = _short(self._stem(word))
        if stem in self._vocabulary:
            return frozenset({stem})
        if len(stem) < _SHORTEST_MISSPELT - 1 or word in self._spelt_right:
            return _NONE
        return _NONE.union(*[self._gaps[gap] for gap in _with_a_gap(stem) & self._gaps.keys()])

    # The phrases

    @cached_property
    def _spelt(self) -> Mapping[str, Sequence[str]]:
        return {
            _folded(short, self._language): [_folded(word, self._language) for word in full.split()]
            for short, full in self._phrases.spellings.items()
        }

    @cached_property
    def _spelt_right(self) -> frozenset[str]:
        return frozenset(_folded(word, self._language) for word in self._phrases.words.get("spelt-right", ()))

    @cached_property
    def fillers(self) -> frozenset[str]:
        return self._element("<filler>") | {_PAUSE}

    @cached_property
    def negators(self) -> frozenset[str]:
        return self._element("<not>")

    @cached_property
    def breaks(self) -> frozenset[str]:
        return self._element("<and>") | {_PAUSE, _END}

    @cached_property
    def _light(self) -> frozenset[str]:
        return self._element("<light>")

    @cached_property
    def _telling(self) -> frozenset[str]:
        return self._element("<telling>")

    @cached_property
    def _concepts(self) -> Mapping[str, _Concept]:
        return {name: tuple(map(self._phrase, phrases)) for name, phrases in self._phrases.concepts.items()}

    @cached_property
    def _rules(self) -> tuple[_Rule, ...]:
        return tuple(
            _Rule(
                (*(((self._phrase(phrase),),) for phrase in each.phrases), *map(self._named, each.together)),
                tuple(map(self._named, each.scattered)),
                tuple(map(self._phrase, each.unless)),
            )
            for each in self._phrases.rules
        )

    def _named(self, names: str) -> _Concepts:
        return tuple(self._concepts[name] for name in names.split(" + "))

    @cached_property
    def _by_rarest(self) -> Mapping[str, Sequence[_Phrase]]:
        return _by_rarest([(rule, phrase) for rule in self._rules for phrase in rule.phrases])

    @cached_property
    def _scattered_by_rarest(self) -> Mapping[str, Sequence[_Phrase]]:
        return _by_rarest([(rule, concepts) for rule in self._rules for concepts in rule.scattered])

    @cached_property
    def _never(self) -> tuple[_Elements, ...]:
        return tuple(map(self._phrase, self._phrases.never))

    @cached_property
    def _never_by_rarest(self) -> Mapping[str, Sequence[_Phrase]]:
        return _by_rarest([(_Rule((), (), ()), ((phrase,),)) for phrase in self._never])

    def _phrase(self, phrase: str) -> _Elements:
        return tuple(self._element(each) for each in phrase.split())

    def _element(self, element: str) -> frozenset[str]:
        """Return the keys of one position in a phrase: words, groups, a gap, or the end of a clause."""
        if element not in self._elements:
            self._elements[element] = self._keys_of(element)
        return self._elements[element]

    def _keys_of(self, element: str) -> frozenset[str]:
        if element in {_ANY, _BREAK}:
            return self._shared({element})
        if element.endswith(_OPTIONAL):
            return self._shared(self._element(element[:-1]) | {_OPTIONAL})
        keys: set[str] = set()
        for word in element.split("/"):
            if word.startswith("<"):
                for each in self._phrases.words.get(word[1:-1], ()):
                    keys |= self._element(each)
            elif word.startswith("="):
                keys.add(f"={_short(_folded(word[1:], self._language))}")
            else:
                keys.add(_short(self._stem(_folded(word, self._language))))
        return self._shared(keys)

    def _shared(self, keys: Iterable[str]) -> frozenset[str]:
        """Return one shared set for equal keys: most sets occur in many places, and their copies would take 10 MB."""
        found = frozenset({sys.intern(key) for key in keys})
        return self._sets.setdefault(found, found)

    @cached_property
    def _vocabulary(self) -> frozenset[str]:
        """All stems that occur in phrases."""
        said = [each for rule in self._rules for concepts in rule.phrases for concept in concepts for each in concept]
        said += [each for concept in self._concepts.values() for each in concept]
        said += [each for rule in self._rules for each in rule.unless]
        in_phrases = {key for phrase in (*said, *self._never) for element in phrase for key in element}
        return frozenset(
            key
            for key in in_phrases | self.fillers | self.negators | self._light | self._telling | self.breaks
            if key[0].isalpha()
        )

    @cached_property
    def _prefixes(self) -> frozenset[str]:
        """The first letters of words worth stemming. Stemming takes longer than everything else."""
        whole = {stem[:_PREFIX] for stem in self._vocabulary if len(stem) >= _PREFIX - 1}
        return frozenset(whole | {stem[: _PREFIX - 1] for stem in self._vocabulary if len(stem) >= _SHORTEST_MISSPELT})

    @cached_property
    def _known(self) -> Mapping[str, frozenset[str]]:
        """The keys of words that occur in phrases as they are, so that they needn't be stemmed again."""
        words = self._phrases.words.values()
        raw = {word for group in words for each in group for word in each.split()}
        every = [phrase for rule in self._phrases.rules for phrase in (*rule.phrases, *rule.unless)]
        every += [phrase for concept in self._phrases.concepts.values() for phrase in concept]
        raw |= {word for phrase in (*every, *self._phrases.never) for word in re.split(r"[\s/?]+", phrase)}
        folded = {_folded(word.lstrip("="), self._language) for word in raw if word.lstrip("=")[:1].isalpha()}
        alone = {_short(_folded(word[1:], self._language)) for word in raw if word.startswith("=")}
        known: dict[str, set[str]] = {}
        for word in folded:  # without doubled letters two words can be the same, like German "Ofen" and "offen"
            plain = _short(word)
            known.setdefault(plain, {f"={plain}"} if plain in alone else set()).add(_short(self._stem(word)))
        return {plain: self._shared(keys) for plain, keys in known.items()}

    @cached_property
    def _stem(self) -> Callable[[str], str]:
        return stemming(self._language)

    @cached_property
    def _gaps(self) -> Mapping[str, frozenset[str]]:
        """The stems that a misspelt stem may stand for, by what both have in common."""
        found: dict[str, set[str]] = {}
        for stem in self._vocabulary:
            if len(stem) >= _SHORTEST_MISSPELT:
                for gap in _with_a_gap(stem):
                    found.setdefault(gap, set()).add(stem)
        return {gap: self._shared(known) for gap, known in found.items()}


def _ends(phrase: Sequence[frozenset[str]], tokens: Sequence[_Token], at: int, language: _Language) -> int:
    """Return the position after a phrase that begins exactly `at` this token; 0 if it doesn't."""
    if not phrase:
        return at
    element, rest = phrase[0], phrase[1:]
    if element == {_BREAK}:
        ends = at >= len(tokens) or not tokens[at].keys.isdisjoint(language.breaks)
        return _ends_later(rest, tokens, at, language) if ends else 0
    if element == {_ANY}:
        return _after_gap(rest, tokens, at, language)
    if _OPTIONAL in element and (end := _ends_later(rest, tokens, at, language)):
        return end
    if at < len(tokens) and not tokens[at].keys.isdisjoint(element):
        return _ends_later(rest, tokens, at + 1, language)
    return 0


def _ends_later(phrase: Sequence[frozenset[str]], tokens: Sequence[_Token], at: int, language: _Language) -> int:
    """Like `_ends`, but allow fillers before it."""
    for skipped in range(_FILLERS + 1):
        if end := _ends(phrase, tokens, at + skipped, language):
            return end
        if at + skipped >= len(tokens) or tokens[at + skipped].keys.isdisjoint(language.fillers):
            return 0
    return 0


def _after_gap(phrase: Sequence[frozenset[str]], tokens: Sequence[_Token], at: int, language: _Language) -> int:
    for place in range(at, min(at + _GAP, len(tokens)) + 1):
        if end := _ends(phrase, tokens, place, language):
            return end
        if place < len(tokens) and not tokens[place].keys.isdisjoint(language.negators):
            return 0
    return 0


def _are_close(places: Sequence[Sequence[tuple[int, int]]], apart: int) -> bool:
    """Return whether all concepts occur somewhere within `apart` words."""
    latest: dict[int, int] = {}
    for start, end, concept in sorted((start, end, at) for at, each in enumerate(places) for start, end in each):
        latest[concept] = start
        if len(latest) == len(places) and (len(places) == 1 or end - min(latest.values()) <= apart):
            return True
    return False


def _by_rarest(phrases: Sequence[tuple[_Rule, _Concepts]]) -> Mapping[str, Sequence[_Phrase]]:
    """Index the phrases by the keys of their rarest element: a text without any of these can't contain the phrase."""
    counts = Counter(
        key
        for _, concepts in phrases
        for key in frozenset().union(*(element for concept in concepts for each in concept for element in each))
    )

    def rarity(element: frozenset[str]) -> int:
        return sum(map(counts.__getitem__, element))

    index: dict[str, list[_Phrase]] = {}
    for rule, concepts in phrases:
        needed = frozenset().union(*(_needed(concept, rarity) for concept in concepts))
        required = tuple(sorted(needed, key=rarity))
        phrase = _Phrase(rule, concepts, required)
        for key in required[0]:
            index.setdefault(key, []).append(phrase)
    return index


def _needed(concept: _Concept, rarity: Callable[[frozenset[str]], int]) -> Iterable[frozenset[str]]:
    """Return elements that all have a word in every text that says the concept."""
    by_phrase = [{each[0], *(it for it in each if not it & {_ANY, _BREAK, _OPTIONAL})} for each in concept]
    if len(by_phrase) == 1:
        return by_phrase[0]
    return [frozenset().union(*(min(each, key=rarity) for each in by_phrase))]


def _is_title(tokens: Sequence[_Token]) -> bool:
    """Return whether all words are capitalised, as in the title of a song."""
    return len(tokens) >= _TITLE and all(token.is_capital for token in tokens)


def _folded(word: str, language: str) -> str:
    """Return the word without case, accents and inner apostrophes."""
    plain = (word if word.isalpha() else _APOSTROPHE.sub("", word)).casefold()
    if not plain.isascii():
        plain = "".join(each for each in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(each))
    if language == "de":
        plain = _UMLAUT_AS_E.sub("", plain)
    return _LONG_RUN.sub(r"\1", plain) if _LONG_RUN.search(plain) else plain


def _short(stem: str) -> str:
    """Return a stem without doubled letters."""
    return _REPEATED.sub("", stem)


def _with_a_gap(stem: str) -> set[str]:
    """Return the stem, and the stem without each one of its letters."""
    return {stem, *[stem[:at] + stem[at + 1 :] for at in range(len(stem))]}
