"""The parts of a screen, before Telegram is involved."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import Enum, auto
from typing import Final, Generic, TypeVar

from bot.domain.model import User
from bot.domain.results import Result
from bot.domain.times import day_relation, local
from bot.domain.undecided import Undecided, Waits
from bot.i18n import Markup, Say
from bot.library import Library
from bot.pictures import Picture
from bot.services.use_cases import UseCases
from bot.services.visit import Visit
from bot.tg.actions import HIDE_THIS, SETTINGS, Tap

R = TypeVar("R", bound=Result)

_GOES_ON: Final = re.compile(r"([#$./:@+0-9-])(?=[\w!-~])")
"""A sign or digit followed by another character that links can contain. A keycap emoji (a digit and its frame) stays
whole."""
_SPOILER: Final = re.compile("</?tg-spoiler>")
_HALF_A_YEAR: Final = timedelta(days=180)
_LAST_MOMENT: Final = 2**31 - 1
"""The last one that Telegram can store: in January 2038."""


class Place(Enum):
    """Where a screen appears when it answers a tap. The answer to a message is always a new message."""

    HERE = auto()  # in the tapped message
    BELOW = auto()  # in a new message; the tapped one loses its buttons
    BESIDE = auto()  # in a new message; the tapped one stays as it is
    TOAST = auto()  # as a short notification over the chat; the tapped message stays as it is


@dataclass(frozen=True, slots=True)
class Button:
    """A button under a message: a tap that comes to us, a link to open, or a text to copy."""

    text: str
    tap: Tap | None = None
    url: str = ""
    copies: str = ""


@dataclass(frozen=True, slots=True)
class AskCard:
    """A message that shows an Ask."""

    ask_id: int
    prompt_id: str | None


@dataclass(frozen=True, slots=True)
class LineCard:
    """A message with the buttons of a Line."""

    line_id: int


@dataclass(frozen=True, slots=True)
class UndecidedCard:
    """A message that asks about something undecided."""

    about: Undecided


@dataclass(frozen=True, slots=True)
class OpenedCard:
    """A message that shows the words of an opened Reflection."""

    reflection_id: int


@dataclass(frozen=True, slots=True)
class InviteCard:
    """A message that offers an Invite to pass on."""

    invite_id: int


@dataclass(frozen=True, slots=True)
class RecapCard:
    """A message with a weekly recap."""


@dataclass(frozen=True, slots=True)
class File:
    """A document that comes with a screen."""

    name: str
    content: Callable[[], bytes]
    """Makes it. Called in a thread."""


Card = AskCard | LineCard | UndecidedCard | OpenedCard | InviteCard | RecapCard
"""What a message is about once it shows a screen."""


@dataclass(frozen=True, slots=True)
class Screen:
    """A text in Telegram's HTML, its buttons row by row, and where it goes."""

    text: str
    rows: tuple[tuple[Button, ...], ...] = ()
    place: Place = Place.HERE
    wants_location: tuple[str, str] | None = None
    """The labels of a keyboard that shares the user's location or goes back (`bot.tg.location_keyboard`). Such a screen
    is always a new message."""
    first: str | None = None
    """A text sent before the screen as its own message, which removes such a keyboard."""
    card: Card | None = None
    picture: Picture | None = None
    """A picture shown above the text, which then has up to 1,024 characters. Such a screen is always a new message."""
    file: File | None = None
    """A document whose caption is the text, which then has up to 1,024 characters. Such a screen is always a new
    message."""
    veiled: bool = False
    """Whether the picture is blurred until it is tapped."""
    protected: bool = False
    """Whether it can't be forwarded or saved. Only new messages can be protected: Telegram doesn't change existing
    ones."""
    private: bool = False
    """Whether it shows words of the user or the partner, or says that there are some. In discreet mode such a message
    gets a button that removes it at once, and is removed after five minutes anyway."""
    silent: bool = False
    """Whether it arrives without a sound."""

    @property
    def ask_id(self) -> int | None:
        """The Ask that the screen shows."""
        return self.card.ask_id if isinstance(self.card, AskCard) else None


@dataclass(frozen=True, slots=True)
class Operator:
    """Who runs this bot, as far as they have said so; otherwise empty."""

    name: str = ""
    contact: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """The context in which to make a screen: for whom, when, and in which language."""

    say: Say
    now: datetime
    library: Library
    user: User | None = None
    places: tuple[tuple[str, str], ...] = field(default=())
    """The places (name, zone) that match the typed name, or the one at the shared location."""
    words: Mapping[str, str] = field(default_factory=dict)
    """Words and names read only for this screen, not escaped yet; `say` does that."""
    bot: str = ""
    """The bot's username, for links that lead to it."""
    operator: Operator = Operator()
    swept: bool = True
    """Whether no deleted content is left on the disk."""

    @property
    def zone(self) -> str:
        """The user's time zone; UTC until they have told us theirs."""
        return (self.user.zone if self.user else None) or "UTC"

    @property
    def length(self) -> int | None:
        """The length of a text that is too long; None if it is no longer known."""
        return int(self.words["length"]) if "length" in self.words else None

    def clock(self, moment: datetime) -> str:
        """Return the time at `moment` on the user's own clock: 20:30."""
        return self.say.clock(self._local(moment).time())

    def when(self, moment: datetime) -> Markup:
        """Return a moment for a text: "tomorrow at 07:30".

        A tap on it shows the same moment by the phone's own clock, so that a wrong zone is noticed. Source:
        *Date-time entity formatting* in the Bot API; without a format it stays in our words. Telegram's moments have 32
        bits, so a later one stays in words alone.
        """
        seconds = int(moment.timestamp())
        words = self.in_words(moment)
        return Markup(f'<tg-time unix="{seconds}">{words}</tg-time>' if seconds <= _LAST_MOMENT else words)

    def in_words(self, moment: datetime) -> str:
        """Return a moment by the user's clock and in their language, with the day in words: "tomorrow at 07:30"."""
        relation, here = day_relation(moment, self.now, self.zone)
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
        """Return the date of a moment by the user's clock, in words."""
        return self.date(self._local(moment).date())

    def day_and_clock(self, moment: datetime) -> str:
        """Return a moment in short form, for a button: "Sunday, 22 November, 20:30"."""
        # Translators: a moment on a button: %(day)s is a date with its weekday, %(clock)s is like 20:30
        return self.say("%(day)s, %(clock)s", day=self.day(moment), clock=self.clock(moment))

    def weekday_and_clock(self, moment: datetime) -> str:
        """Return a moment of the coming week as briefly as possible, for a button: "Sun 19:00"."""
        return f"{self.say.weekday_short(self._local(moment).date())} {self.clock(moment)}"

    def date(self, day: date) -> str:
        """Return a date in words, with its year if it is more than half a year in the past or future."""
        return self.say.date(day, year=abs(day - self._local(self.now).date()) > _HALF_A_YEAR)

    def _local(self, moment: datetime) -> datetime:
        return local(moment, self.zone)


def draft_card(draft_id: int) -> UndecidedCard:
    """Return the card of a message that asks what to do with a text."""
    return UndecidedCard(Undecided(Waits.DRAFT, draft_id))


def button(text: str, tap: Tap) -> Button:
    """Make a button whose tap comes to us: `button(say("Share…"), SHARE(line_id))`."""
    return Button(text, tap)


def in_rows(buttons: Sequence[Button], width: int = 2) -> tuple[tuple[Button, ...], ...]:
    """Return the buttons in rows of up to `width` each."""
    return tuple(tuple(buttons[at : at + width]) for at in range(0, len(buttons), width))


def link_button(text: str, url: str) -> Button:
    """Make a button that opens an address."""
    return Button(text, url=url)


def copy_button(text: str, copies: str) -> Button:
    """Make a button that copies a text (up to 256 characters) to the clipboard."""
    return Button(text, copies=copies)


def upper(text: str) -> str:
    """Return the text with a capital first letter, for a button."""
    return text[:1].upper() + text[1:]


def named(name: str) -> str:
    """Return a person's name for use in a sentence, so that a right-to-left name doesn't reverse the rest."""
    return f"\u2068{unlinked(name)}\u2069"


def unlinked(name: str) -> str:
    """Return a person's name so that Telegram doesn't turn it into a link, mention, hashtag, command or phone number.

    It looks the same: a word joiner, which none of those can contain, follows each sign or digit inside it.
    """
    return _GOES_ON.sub("\\1\u2060", name)


def folded(text: str) -> Markup:
    """Return a long text as a quote that Telegram shows collapsed until it is tapped."""
    return Markup(f"<blockquote expandable>{text}</blockquote>")


def hide_button(say: Say) -> Button:
    # Translators: button; the message above it is removed from the chat at once
    return button(say("Hide this"), HIDE_THIS())


def for_its_user(screen: Screen, user: User | None, say: Say) -> Screen:
    """Apply the user's wishes to a screen: no sound, and in discreet mode a button that removes a private message."""
    if user is None:
        return screen
    has_it = any(each.tap == HIDE_THIS() for row in screen.rows for each in row)
    if user.discreet and screen.private and not (has_it or screen.place is Place.TOAST or screen.wants_location):
        screen = replace(screen, rows=(*screen.rows, (hide_button(say),)))
    return replace(screen, silent=True) if user.silent else screen


def covered(screen: Screen, say: Say) -> Screen:
    """Cover the text of an unprompted message, so that Telegram hides it in notifications and in the list of chats.

    A tap uncovers it. Source: telegram.org/blog/reactions-spoilers-translations, "Spoilers".
    """
    # Translators: all that a notification shows in discreet mode; the text itself is covered until it is tapped
    neutral = say("Something is here for you.")
    return replace(screen, text=f"{neutral}\n<tg-spoiler>{_SPOILER.sub('', screen.text)}</tg-spoiler>")


def back_to_settings(view: View) -> Button:
    # Translators: button; back to the settings
    return button(view.say("Back"), SETTINGS())


Reader = Callable[[Visit, R], Awaitable[Mapping[str, str]]]
"""A service's function that reads what people wrote, by name, for the screen of a Result.

It checks again, by the current facts, who is allowed to read it and in which state.
"""


@dataclass(frozen=True, slots=True)
class Shown(Generic[R]):
    """How a kind of Result is shown."""

    result: type[R]
    make: Callable[[View, R], Screen]
    words: Callable[[UseCases], Reader[R]] | None
    """Finds the reader of the words on the screen; None if nobody's words are on it."""
    private: bool = False
    """Whether all its screens are private."""


def shown(
    result: type[R], make: Callable[[View, R], Screen], words: Callable[[UseCases], Reader[R]] | None = None
) -> Shown[R]:
    """Return the entry of a Result in its module's `SCREENS`."""
    return Shown(result, make, words)


def private(
    result: type[R], make: Callable[[View, R], Screen], words: Callable[[UseCases], Reader[R]] | None = None
) -> Shown[R]:
    """Return the entry of a Result whose screens are all private."""
    return Shown(result, make, words, private=True)
