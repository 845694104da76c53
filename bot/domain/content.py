"""The contents of the library: themes, prompts, cues, stems and support lines, as plain facts in English.

Their texts are msgids: `Say.content` translates them into a user's language. content/README.md explains to writers
what each field means.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from bot.domain.times import year_before

LONGEST_PROMPT: Final = 140
"""In characters: a prompt should be readable at a glance."""
LONGEST_EXAMPLE: Final = 300
"""In characters: as long as a Line can be."""
LONGEST_CUE: Final = 140
LONGEST_STEM: Final = 30
MOST_SUPPORT: Final = 4
"""How many numbers we show somebody at once, at most."""
LONGEST_SHELF_WORD: Final = 16
"""In characters: two fit side by side as buttons, even if a translation is a little longer."""
LONGEST_SHELF_LINE: Final = 70
"""In characters: it is a button too."""
ELLIPSIS: Final = "…"


class Role(StrEnum):
    """Who a prompt is for, which decides who can be asked it."""

    TELLER = "teller"
    """Only the person who answers: it is about their own life, so anybody can be asked it."""
    EITHER = "either"
    """Either of two: only users in a Pair are asked it, and it reads the same for both."""
    RECEIVER = "receiver"
    """The one who listens: it is about making room for a partner, so only users in a Pair are asked it."""


class Format(StrEnum):
    """What kind of answer a prompt asks for."""

    ONE_FACT = "one fact"
    NAME_IT = "name it"
    PICK_ONE = "pick one"
    THIS_OR_THAT = "this or that"
    FINISH_THE_LINE = "finish the line"
    SCALE_BY_THINGS = "scale by things"
    DEED = "deed"
    TWO_WORDS = "two words"
    NEARLY_SAID = "nearly said"


class Sensitivity(StrEnum):
    """A subject that a user can mute wherever it comes up."""

    CHILDHOOD = "childhood"
    LOSS = "loss"
    MONEY = "money"
    CHILDREN = "children"
    BODIES = "bodies"
    SEX = "sex"


class Tag(StrEnum):
    """A condition on the day or the user: a prompt is only asked while all of its tags hold."""

    NOT_MONDAY = "not-monday"
    """It asks about the week so far, and on a Monday there is nothing to tell yet."""
    NOT_FREE_DAY = "not-free-day"
    """It is about work, so it isn't asked on a free day."""
    FREE_DAY = "free-day"
    NOT_JANUARY = "not-january"
    """It speaks of this year as if most of it were over."""
    DARK_MONTHS = "dark-months"
    """November to February in the north, May to August in the south."""
    HOLIDAYS = "holidays"
    """20 December to 6 January."""
    NOT_FIRST_WEEK = "not-first-week"
    """It needs some trust: not in a user's first seven days."""


class Wish(StrEnum):
    """How the sharer would like a Reflection to be received."""

    LISTEN = "listen"
    ASK_LATER = "ask_later"
    ADVICE = "advice"


@dataclass(frozen=True, slots=True)
class Theme:
    """One of the twelve subjects."""

    id: str
    title: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """One question of the library. Its id never changes: the rows of users' Asks refer to it."""

    id: str
    theme: str
    depth: int
    text: str
    role: Role
    format: Format
    examples: tuple[str, str]
    """Two lines that somebody could have answered with."""
    sensitivities: frozenset[Sensitivity] = frozenset()
    tags: frozenset[Tag] = frozenset()


@dataclass(frozen=True, slots=True)
class Cue:
    """One sentence on how to receive, for a Wish. It suits any line, so it gives nothing away about this one."""

    id: str
    wish: Wish
    text: str


@dataclass(frozen=True, slots=True)
class Stem:
    """The beginning of a Response, for the receiver to finish in one line."""

    id: str
    wishes: frozenset[Wish]
    """The Wishes under which it is offered."""
    text: str
    """Ends in an ellipsis, in every language."""


@dataclass(frozen=True, slots=True)
class PolicySection:
    """A section of the privacy policy. Its text can name the operator: %(name)s, %(contact)s."""

    heading: str
    text: str


@dataclass(frozen=True, slots=True)
class ShelfWord:
    """A word that a user can add to a Line, with a plain line of what it is like."""

    id: str
    """Kept for good: it is stored with Lines."""
    board: str
    """The id of the first word of its board; a first word's own id."""
    text: str
    line: str

    @property
    def is_first(self) -> bool:
        """Whether it opens a board."""
        return self.id == self.board


@dataclass(frozen=True, slots=True)
class SafetyRule:
    """Phrases that sound like a crisis or like fear of somebody, and phrases that make them harmless."""

    phrases: tuple[str, ...] = ()
    together: tuple[str, ...] = ()
    """Names of concepts joined by " + ". The rule matches if one sentence expresses all of them, in any order."""
    scattered: tuple[str, ...] = ()
    """Like `together`, but the concepts may be spread over neighbouring sentences."""
    unless: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SafetyWeights:
    """How much each word, pair of words and kind of words of a language sounds like a crisis."""

    weights: Mapping[str, int]
    """In hundredths, by the features that `bot.library.weighing` finds in a text; above zero sounds like a crisis."""
    kinds: Mapping[str, tuple[str, ...]]
    """Words of one kind, like things that somebody owns."""


@dataclass(frozen=True, slots=True)
class SafetyPhrases:
    """How to recognise such texts in one language. content/README.md says how to write these rules."""

    rules: tuple[SafetyRule, ...]
    words: Mapping[str, tuple[str, ...]]
    """Groups of words that phrases refer to, by name."""
    spellings: Mapping[str, str]
    """Short spellings, each with the full form that it is read as."""
    never: tuple[str, ...]
    """Phrases that make the whole sentence harmless, whatever else it says."""
    concepts: Mapping[str, tuple[str, ...]]
    """Phrases that mean the same, by the name under which rules refer to them."""
    weights: SafetyWeights | None = None
    """For what is only hinted at."""


class SupportKind(StrEnum):
    """What a support entry is."""

    EMERGENCY = "emergency"
    """One number for every danger."""
    AMBULANCE = "ambulance"
    POLICE = "police"
    HELP_LINE = "help line"

    @property
    def is_help_line(self) -> bool:
        """Whether it is for talking; all others are for danger."""
        return self is SupportKind.HELP_LINE


@dataclass(frozen=True, slots=True)
class Support:
    """An emergency number or a help line, with the public page it comes from and the day somebody last checked."""

    id: str
    kind: SupportKind
    country: str
    """ISO 3166-1 alpha-2, like DE."""
    name: str
    """Empty for an emergency number that Ajar ships: a screen names it in the user's language."""
    number: str
    """Can be empty if there is a url."""
    url: str
    """Can be empty if there is a number."""
    source: str
    verified_on: date
    own: bool = False
    """Whether it is from the operator's own file."""

    def fresh(self, today: date) -> bool:
        """Return whether it can be shown: verified within the last twelve months, and not in the future."""
        return year_before(today) <= self.verified_on <= today


def local_support(entries: Iterable[Support], country: str | None, today: date) -> tuple[Support, ...]:
    """Return what can be shown to somebody in this country, emergency numbers first.

    If we don't know where they are, we assume the country of the operator's own entries, or else of those that Ajar
    ships, provided all of these are of the same one. A number of the wrong country would be worse than none. The
    operator's own emergency numbers of a country replace those that Ajar ships.
    """
    fresh = [each for each in entries if each.fresh(today)]
    countries = {each.country for each in fresh if each.own} or {each.country for each in fresh}
    only = next(iter(countries)) if len(countries) == 1 else None
    found = [each for each in fresh if each.country == (country or only)]
    if any(each.own and not each.kind.is_help_line for each in found):
        found = [each for each in found if each.own or each.kind.is_help_line]
    return tuple(sorted(found, key=lambda each: each.kind.is_help_line))[:MOST_SUPPORT]
