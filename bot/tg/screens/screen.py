"""What a screen is made of, before Telegram is involved."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import Enum, auto
from typing import Any, Final

from bot.domain.model import User
from bot.domain.results import Result
from bot.domain.times import day_relation, local
from bot.i18n import Say
from bot.library import Library
from bot.tg.actions import SETTINGS, Tap

_GOES_ON: Final = re.compile(r"([#$./:@+0-9-])(?=[\w!-~])")
"""A sign or digit of which such things are made, before more of them; an emoji of a digit and its frame stays whole."""
_HALF_A_YEAR: Final = timedelta(days=180)


class Place(Enum):
    """Where a screen is shown when it answers a tap. An answer to a message is always a message of its own."""

    HERE = auto()  # in the message that was tapped
    BELOW = auto()  # in a new one; the tapped one loses its buttons
    BESIDE = auto()  # in a new one; the tapped one stays as it is
    TOAST = auto()  # as a short word over the chat; the message stays as it is


@dataclass(frozen=True, slots=True)
class Button:
    """A button under a message: a tap that comes to us, or a link to open, or a text to copy."""

    text: str
    tap: Tap | None = None
    url: str = ""
    copies: str = ""


@dataclass(frozen=True, slots=True)
class AskCard:
    """A message that puts a prompt."""

    ask_id: int
    prompt_id: str | None


@dataclass(frozen=True, slots=True)
class LineCard:
    """A message with the buttons of a Line."""

    line_id: int


@dataclass(frozen=True, slots=True)
class DraftCard:
    """A message that asks what shall become of a text."""

    draft_id: int


@dataclass(frozen=True, slots=True)
class OpenedCard:
    """A message that shows the words of an opened Reflection."""

    reflection_id: int


Card = AskCard | LineCard | DraftCard | OpenedCard
"""What a message is from the moment it shows a screen."""


@dataclass(frozen=True, slots=True)
class Screen:
    """A text in Telegram's HTML, its buttons row by row, and where it goes."""

    text: str
    rows: tuple[tuple[Button, ...], ...] = ()
    place: Place = Place.HERE
    wants_location: str | None = None
    """The words on a keyboard button that shares the user's location; such a screen is always a new message."""
    first: str | None = None
    """Sent before it, as a message of its own that takes such a keyboard away again: no message can do that and have
    buttons."""
    card: Card | None = None
    protected: bool = False
    """Can't be forwarded or saved. Only for a new message: Telegram doesn't change that of one that is there."""

    @property
    def ask_id(self) -> int | None:
        """The Ask it puts."""
        return self.card.ask_id if isinstance(self.card, AskCard) else None


@dataclass(frozen=True, slots=True)
class View:
    """For whom, when and with which texts a screen is made."""

    say: Say
    now: datetime
    library: Library
    user: User | None = None
    places: tuple[tuple[str, str], ...] = field(default=())
    """Places of the name that was typed, or where the location lies: (name, zone)."""
    words: Mapping[str, str] = field(default_factory=dict)
    """What was read for this screen alone: words of a user, a name. Not escaped yet; `say` does that."""
    bot: str = ""
    """The bot's username, for links that lead to it."""
    swept: bool = True
    """Whether nothing of what was deleted is left on the disk."""

    @property
    def length(self) -> int | None:
        """How many characters the text has that is too long; None where that isn't known any more."""
        return int(self.words["length"]) if "length" in self.words else None

    def clock(self, moment: datetime) -> str:
        """The user's own clock at `moment`: 20:30."""
        return self.say.clock(self._local(moment).time())

    def when(self, moment: datetime) -> str:
        """A moment in the user's clock and language, with the day in words: "tomorrow at 07:30"."""
        zone = self.user.zone if self.user and self.user.zone else "UTC"
        relation, here = day_relation(moment, self.now, zone)
        clock = self.say.clock(here.time())
        if relation == "today":
            # Translators: a moment later on the same day; stands within or at the end of a sentence
            return self.say("today at %(clock)s", clock=clock)
        if relation == "tomorrow":
            # Translators: a moment on the next day; stands within or at the end of a sentence
            return self.say("tomorrow at %(clock)s", clock=clock)
        day = self.say.weekday(here.date()) if relation == "weekday" else self.date(here.date())
        # Translators: a moment on a named day; %(day)s is a weekday ("Sunday") or a date with its weekday
        return self.say("%(day)s at %(clock)s", day=day, clock=clock)

    def day(self, moment: datetime) -> str:
        """The date of a moment by the user's clock, in words."""
        return self.date(self._local(moment).date())

    def day_and_clock(self, moment: datetime) -> str:
        """A moment in few letters, for a button: "Sunday, 22 November, 20:30"."""
        # Translators: a moment on a button: %(day)s is a date with its weekday, %(clock)s is like 20:30
        return self.say("%(day)s, %(clock)s", day=self.day(moment), clock=self.clock(moment))

    def date(self, day: date) -> str:
        """A date in words; with its year where it is more than half a year away, before or after."""
        return self.say.date(day, year=abs(day - self._local(self.now).date()) > _HALF_A_YEAR)

    def _local(self, moment: datetime) -> datetime:
        return local(moment, self.user.zone if self.user and self.user.zone else "UTC")


def button(text: str, tap: Tap) -> Button:
    """Comes to us when it is tapped: `button(say("Share…"), SHARE(line_id))`."""
    return Button(text, tap)


def link_button(text: str, url: str) -> Button:
    """Opens an address."""
    return Button(text, url=url)


def copy_button(text: str, copies: str) -> Button:
    """Puts a text (up to 256 characters) on the clipboard."""
    return Button(text, copies=copies)


def upper(text: str) -> str:
    """With a capital letter, for a button."""
    return text[:1].upper() + text[1:]


def named(name: str) -> str:
    """A person's name to stand in a sentence, so that one written from right to left doesn't turn the rest around."""
    return f"\u2068{unlinked(name)}\u2069"


def unlinked(name: str) -> str:
    """A person's name of which Telegram makes no link, mention, hashtag, command or phone number that can be tapped.

    It looks the same: behind each sign and digit that goes on stands a word joiner, which none of those may hold.
    """
    return _GOES_ON.sub("\\1\u2060", name)


def keyboard_goes(say: Say) -> str:
    """Said where the keyboard that asked for the location is taken away, which only a message can do."""
    # Translators: a short word before another screen, when sharing a location is no longer asked for
    return say("All right.")


def back_to_settings(view: View) -> Button:
    # Translators: button; back to the settings
    return button(view.say("Back"), SETTINGS())


Makers = Mapping[type[Result], Callable[[View, Any], Screen]]
"""Which function makes the screen of which result."""
