"""The content of buttons: an action and ids, declared here once, with their types.

A screen makes a button from an Action, and the route of the tap gets the same values back; mypy checks both sides. A
button never carries words or authority: the code that handles a tap looks up an id together with its owner. Names and
formats stay in chats forever: an action can lose its route, but its name must never be reused for something else.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final, Generic, TypeVar, TypeVarTuple, overload

from bot.domain.content import Wish
from bot.domain.expectations import Reception
from bot.domain.ritual import Terms
from bot.domain.sharing import ResponseKind, When
from bot.domain.times import Later
from bot.domain.undecided import Waits
from bot.domain.zones import Region
from bot.i18n import languages
from bot.services.settings import SWITCHES

_VERSION: Final = "v1"
LIMIT: Final = 64
"""How many bytes a button can carry at most, as Telegram allows."""

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
Ts = TypeVarTuple("Ts")


class NotOurs(Exception):  # the button's fault, not an error in our code
    """A button from another version, or one that isn't ours at all."""


@dataclass(frozen=True, slots=True)
class Tap:
    """The content of one button."""

    action: str
    about: str = ""

    def pack(self) -> str:
        packed = f"{_VERSION}:{self.action}:{self.about}"
        if len(packed.encode()) > LIMIT:
            raise ValueError(f"a button can't carry {len(packed.encode())} bytes")
        return packed


@dataclass(frozen=True, slots=True)
class Form(Generic[T]):
    """How values of one type are written to a button and read back. `read` raises NotOurs or ValueError."""

    write: Callable[[T], str]
    read: Callable[[str], T]
    absent: tuple[T, ...] = ()
    """The default for buttons of earlier versions, which carry no such value; empty if every button carries one."""

    def or_absent(self, value: T) -> "Form[T]":
        return Form(self.write, self.read, (value,))


class Action(Generic[*Ts]):
    """An action and the types of its values. Calling it makes the Tap for a button."""

    def __init__(self, name: str, forms: tuple[Form[Any], ...], *, wakes: bool) -> None:
        self.name: Final = name
        self.wakes: Final = wakes
        """Whether a tap shows that the user wants a daily question again, and not only that they are there."""
        self._forms = forms

    def __call__(self, *about: *Ts) -> Tap:
        values: tuple[Any, ...] = about
        return Tap(self.name, ".".join(form.write(value) for form, value in zip(self._forms, values, strict=True)))

    def read(self, tap: Tap) -> tuple[*Ts]:
        """Return the values that the tapped button carries. Raises NotOurs."""
        parts = tap.about.split(".") if tap.about and self._forms else []
        missing = len(self._forms) - len(parts)
        values: list[Any] = []
        for form in self._forms:
            if missing > 0 and form.absent:
                missing -= 1
                values.append(form.absent[0])
            elif parts:
                values.append(_read(form, parts.pop(0)))
            else:
                raise NotOurs
        if parts:
            raise NotOurs
        return tuple(values)


def _read(form: Form[T], text: str) -> T:
    try:
        return form.read(text)
    except (ValueError, OverflowError):
        raise NotOurs from None


def unpack(data: str | None) -> Tap:
    """Return the content of a button. Raises NotOurs."""
    version, _, rest = (data or "").partition(":")
    name, colon, about = rest.partition(":")
    if version != _VERSION or not colon:
        raise NotOurs
    return Tap(name, about)


# Forms

LONG_GONE: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""The moment of a button that carries none. Other moments are counted from here."""
_MINUTE: Final = timedelta(minutes=1)
_SECOND: Final = timedelta(seconds=1)
_LAST_SECOND: Final = 1 << 37
"""The limit for seconds, as a forged button may carry more than a datetime can hold."""
_LONGEST_MINUTES: Final = len("99999999")
_DAY_OF_MINUTES: Final = 24 * 60


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise NotOurs
    return int(text)


def _id(text: str) -> int:
    if (number := _whole(text)) >= 1 << 63:
        raise NotOurs
    return number


def _minutes(text: str) -> datetime:
    if len(text) > _LONGEST_MINUTES:
        raise NotOurs
    return LONG_GONE + _whole(text) * _MINUTE


def _hour(text: str) -> time:
    return time(int(text[:2]), int(text[2:]))


def _offset(text: str) -> int:
    if not -_DAY_OF_MINUTES < (minutes := int(text)) < _DAY_OF_MINUTES:
        raise NotOurs
    return minutes


def _quiet(text: str) -> tuple[time, time] | None:
    return None if text == "none" else (_hour(text[:4]), _hour(text[4:]))


def _days(text: str) -> frozenset[int]:
    return frozenset(number_in(range(7)).read(digit) for digit in text)


def _language(text: str) -> str | None:
    return None if text == "telegram" else word_of(languages()).read(text)


def number_in(numbers: range) -> Form[int]:
    """Make the form of a number in this range."""

    def read(text: str) -> int:
        if len(text) > len(str(numbers.stop)) or (number := _whole(text)) not in numbers:
            raise NotOurs
        return number

    return Form(str, read)


def _position(text: str) -> int:
    """Read a position, or the word that buttons of earlier versions carried instead."""
    words = {"off": 0, "on": 1}
    return words[text] if text in words else _whole(text)


def word_of(words: Any) -> Form[str]:
    """Make the form of one of these words."""

    def read(text: str) -> str:
        if text not in words:
            raise NotOurs
        return text

    return Form(str, read)


def one_of(kind: type[E]) -> Form[E]:
    """Make the form of a member of an enumeration."""
    return Form(str, kind)


def either(yes: str, no: str) -> Form[bool]:
    def read(text: str) -> bool:
        if text not in {yes, no}:
            raise NotOurs
        return text == yes

    return Form(lambda value: yes if value else no, read)


def or_none(form: Form[T], none: str) -> Form[T | None]:
    """Make the form of a value or None, which is written as `none`."""
    return Form(
        lambda value: none if value is None else form.write(value),
        lambda text: None if text == none else form.read(text),
    )


ID: Final = Form(str, _id)
TEXT: Final[Form[str]] = Form(str, str)
"""A name from our code, such as that of a time zone or a theme; never a user's words."""
WEEKDAY: Final = number_in(range(7))
"""0 is Monday."""
HOUR: Final[Form[time]] = Form(lambda at: f"{at:%H%M}", _hour)
DATE: Final[Form[date]] = Form(lambda day: f"{day:%Y%m%d}", date.fromisoformat)
MONTH: Final[Form[date]] = Form(lambda day: f"{day:%Y%m}", lambda text: date.fromisoformat(text + "01"))
"""The first day of a month."""
OFFSET: Final = Form(str, _offset)
"""Minutes from UTC."""
MOMENT: Final[Form[datetime]] = Form(lambda at: str((at - LONG_GONE) // _MINUTE), _minutes).or_absent(LONG_GONE)
"""A moment to the minute; LONG_GONE for a button that carries none."""
KNOWN: Final = or_none(MOMENT, "0").or_absent(LONG_GONE)
"""The time a Reflection was scheduled for when the button was made; None if it was still a draft."""
SECOND: Final[Form[datetime]] = Form(
    lambda at: str(int(at.timestamp())), lambda text: LONG_GONE + min(_id(text), _LAST_SECOND) * _SECOND
)
STATE: Final = or_none(either("on", "off"), "").or_absent(None)
"""The new state of a switch; None on an old button, which didn't say which one."""

POSITION: Final = or_none(Form(str, _position), "").or_absent(None)
"""The index of a switch's new position; None on an old button, which didn't say which one."""
DAYS: Final[Form[frozenset[int]]] = Form(lambda days: "".join(map(str, sorted(days))), _days)
NIGHT: Final[Form[tuple[time, time] | None]] = Form(
    lambda hours: "none" if hours is None else "".join(map(HOUR.write, hours)), _quiet
)
"""The first and the last hour of the quiet hours; None for no quiet hours."""
LANGUAGE_CODE: Final[Form[str | None]] = Form(lambda code: code or "telegram", _language)
"""One of our languages; None for the one set in Telegram."""

# Actions


ACTIONS: Final[dict[str, Action[*tuple[Any, ...]]]] = {}
"""All actions, by name."""


@overload
def _action(name: str, *, wakes: bool = True) -> Action[()]: ...
@overload
def _action(name: str, first: Form[A], /, *, wakes: bool = True) -> Action[A]: ...
@overload
def _action(name: str, first: Form[A], second: Form[B], /, *, wakes: bool = True) -> Action[A, B]: ...
@overload
def _action(
    name: str, first: Form[A], second: Form[B], third: Form[C], /, *, wakes: bool = True
) -> Action[A, B, C]: ...
def _action(name: str, *forms: Form[Any], wakes: bool = True) -> Action[*tuple[Any, ...]]:
    if name in ACTIONS:
        raise ValueError(f"two actions are called {name}")
    action: Action[*tuple[Any, ...]] = Action(name, forms, wakes=wakes)
    ACTIONS[name] = action
    return action


# The start
SECRET: Final = TEXT.or_absent("")
"""An Invite's secret, which travels in buttons until its guest agrees that we store anything."""
CONSENT: Final = _action("consent", SECRET)
DECLINE: Final = _action("decline")
GREETING: Final = _action("greeting", SECRET)
WHAT_IS_STORED: Final = _action("privacy", SECRET)
START_HOUR: Final = _action("hour", or_none(HOUR, "other"))
START_CLOCK: Final = _action("clock", OFFSET)
START_CLOCKS: Final = _action("clocks")
START_PLACE: Final = _action("place")
START_ZONE: Final = _action("zone", TEXT)
INVITED: Final = _action("invited", SECRET)
INVITED_MORE: Final = _action("invited_more", SECRET)
INVITED_YES: Final = _action("invited_yes", SECRET)
JOIN: Final = _action("join", SECRET)
RECEIVE: Final = _action("receive", SECRET)
HOUR_FIRST: Final = _action("hour_first")
HOUR_TYPED: Final = _action("hour_typed", ID)
WAIT: Final = _action("wait")

# The Ask
TODAY: Final = _action("today")
ANOTHER: Final = _action("another", ID, wakes=False)
LIGHTER: Final = _action("lighter", ID, wakes=False)
EXAMPLES: Final = _action("examples", either("show", "hide"), ID, wakes=False)
LATER: Final = _action("later", ID, wakes=False)
SNOOZE: Final = _action("snooze", one_of(Later), ID, wakes=False)
SKIP: Final = _action("skip", ID, wakes=False)
BRING_BACK: Final = _action("back", ID, wakes=False)
DAILY: Final = _action("daily")
CALLBACKS: Final = _action("callbacks", either("yes", "no"), ID)
MOVE_HOUR: Final = _action("move_hour", HOUR, or_none(HOUR, "").or_absent(None))
TAKE_DEEPER: Final = _action("take_deeper", ID)
LEAVE_OFFER: Final = _action("leave_offer")

# Lines and Drafts
REVISION: Final = ID.or_absent(0)
"""The revision of a Line that the button belongs to."""
CHANGE_LINE: Final = _action("change", ID, REVISION)
SHOW_LINE: Final = _action("line", ID)
ASK_DELETE_LINE: Final = _action("delete", ID, REVISION)
DELETE_LINE: Final = _action("erase_line", ID, REVISION)
KEEP: Final = _action("keep", ID)
REPLACE: Final = _action("replace", ID)
SHORTEN: Final = _action("shorten", ID)
DROP: Final = _action("drop", ID)
SHOW_DRAFT: Final = _action("show_draft", ID)
"""No longer made; it is in older chats."""

# What is undecided
SHOW_AGAIN: Final = _action("show_again", one_of(Waits), ID)
UNDECIDED: Final = _action("undecided")

# Consent and the policy
POLICY: Final = _action("policy", wakes=False)
POLICY_FILE: Final = _action("policy_file", wakes=False)
AGREE_AGAIN: Final = _action("agree", wakes=False)
ASK_WITHDRAW: Final = _action("ask_withdraw", wakes=False)
WITHDRAW: Final = _action("withdraw", wakes=False)

# An export from another bot
TAKE_ARRIVAL: Final = _action("take_arrival")
LEAVE_ARRIVAL: Final = _action("leave_arrival")

# Messages in the chat
HIDE_THIS: Final = _action("hide_this", wakes=False)

# Words for a Line
SHELF: Final = _action("shelf", ID)
BOARD: Final = _action("board", TEXT, ID)
FEEL: Final = _action("feel", TEXT, ID)
FEEL_OWN: Final = _action("feel_own", ID)
RECAP_STOP: Final = _action("recap_stop")
FEEL_NOTHING: Final = _action("feel_off", ID)

# The journal
JOURNAL: Final = _action("journal")
JOURNAL_ALL: Final = _action("journal_all")
JOURNAL_OLDER: Final = _action("journal_older", ID)
JOURNAL_NEWER: Final = _action("journal_newer", ID)
JOURNAL_LINE: Final = _action("journal_line", ID)
JOURNAL_FILTERS: Final = _action("journal_filters")
JOURNAL_WORDS: Final = _action("journal_words", number_in(range(10_000)))
JOURNAL_WORD: Final = _action("journal_word", ID, number_in(range(100)))
"""The word is given by a Line that it was added to, and its position there."""
JOURNAL_THEMES: Final = _action("journal_themes")
JOURNAL_THEME: Final = _action("journal_theme", TEXT)
JOURNAL_YEAR_AGO: Final = _action("journal_year")
JOURNAL_SEARCH: Final = _action("journal_search")

# Pause
PAUSE: Final = _action("pause_for")
PAUSE_BACK: Final = _action("pause_back")
PAUSE_DAYS: Final = _action("pause_days", number_in(range(1, 32)))
PAUSE_OPEN: Final = _action("pause_open")
PAUSE_DAY: Final = _action("pause_day")
PAUSE_MONTH: Final = _action("pause_month", MONTH)
PAUSE_UNTIL: Final = _action("pause_until", DATE)
BLANK: Final = _action("blank")
RESUME: Final = _action("resume")

# Settings
SETTINGS: Final = _action("settings")
SETTINGS_DONE: Final = _action("settings_done")
MY_HOUR: Final = _action("my_hour")
SET_HOUR: Final = _action("set_hour", HOUR)
MY_DAYS: Final = _action("my_days")
TOGGLE_DAY: Final = _action("toggle_day", WEEKDAY, STATE)
SET_DAYS: Final = _action("set_days", DAYS)
MY_CLOCKS: Final = _action("my_clocks")
MY_ELSEWHERE: Final = _action("my_elsewhere")
MY_CLOCK: Final = _action("my_clock", OFFSET)
MY_PLACES: Final = _action("my_places")
MY_ZONE: Final = _action("my_zone", TEXT)
MY_PLACE: Final = _action("my_place", TEXT)
REGION_LIST: Final = _action("regions")
REGION: Final = _action("region", one_of(Region), number_in(range(100)))
LANGUAGE: Final = _action("language")
SET_LANGUAGE: Final = _action("set_language", LANGUAGE_CODE)
CEILING: Final = _action("ceiling")
SET_CEILING: Final = _action("set_ceiling", number_in(range(1, 6)))
THEMES: Final = _action("themes")
TOGGLE_THEME: Final = _action("toggle_theme", TEXT, STATE)
TOGGLE_SENSITIVITY: Final = _action("toggle_sensitivity", TEXT, STATE)
QUIET: Final = _action("quiet")
SET_QUIET: Final = _action("set_quiet", NIGHT)
QUIET_OTHER: Final = _action("quiet_other")
SWITCH: Final = _action("switch", word_of(SWITCHES))
FLIP: Final = _action("flip", word_of(SWITCHES), POSITION)
NAME: Final = _action("name")
UNNAME: Final = _action("unname")

# Pairing
OWN_INVITE: Final = ID.or_absent(0)
PAIR_NAME: Final = _action("pair_name")
PAIR_NAME_TYPED: Final = _action("pair_name_typed", ID)
PAIR_RENAME: Final = _action("pair_rename", ID)
PAIR_RENEW: Final = _action("pair_renew", OWN_INVITE)
PAIR_BACK: Final = _action("pair_back", OWN_INVITE)
PAIR_YES: Final = _action("pair_yes", ID)
PAIR_NO: Final = _action("pair_no", ID)
GUEST_YES: Final = _action("guest_yes", ID)
GUEST_ONLY: Final = _action("guest_only", ID)
GUEST_MORE: Final = _action("guest_more", ID)
GUEST_SHOW: Final = _action("guest_show", ID)
PAIR_SEND: Final = _action("pair_send", ID)
PAIR_SHOW: Final = _action("pair_show")
GUEST_NO: Final = _action("guest_no", ID)
GUEST_BACK: Final = _action("guest_back", ID)
CODE: Final = _action("code", ID)
ASK_UNPAIR: Final = _action("ask_unpair")
UNPAIR: Final = _action("unpair", ID)
STAY: Final = _action("stay")

# Sharing
SHARE: Final = _action("share", ID)
SHARE_PAGE: Final = _action("share_page", ID)
SHARE_SEE: Final = _action("share_see", ID)
SHARE_SHOW: Final = _action("share_show", ID)
SHARE_WISH: Final = _action("share_wish", one_of(Wish), KNOWN, ID)
SHARE_HOW: Final = _action("share_how", ID)
SHARE_WHEN: Final = _action("share_when", ID)
SHARE_AT: Final = _action("share_at", one_of(When), KNOWN, ID)
SHARE_DAYS: Final = _action("share_days", KNOWN, ID)
SHARE_DAY: Final = _action("share_day", DATE, KNOWN, ID)
SHARE_TIME: Final = _action("share_time", MOMENT, KNOWN, ID)
SHARE_SOON: Final = _action("share_soon", MOMENT, KNOWN, ID)
SHARE_SURE: Final = _action("share_sure", MOMENT, ID)
SHARE_QUESTION: Final = _action("share_question", either("with", "without"), ID)
SHARE_WORDS: Final = _action("share_words", ID)
SHARE_NAMED: Final = _action("share_named", ID)
SHARE_USE: Final = _action("share_use", ID, or_none(ID, "0").or_absent(None))
SHARE_USE_SURE: Final = _action("share_use_sure", ID, or_none(ID, "0"))
SHARE_DROP: Final = _action("share_drop", ID)
SHARE_BACK: Final = _action("share_back", ID)
LANDED: Final = _action("landed", either("yes", "no"), ID)
EXPECT: Final = _action("expect", ID)
EXPECT_YES: Final = _action("expect_yes", ID)
EXPECTED: Final = _action("expected", one_of(Reception), ID)
EXPECT_STOP: Final = _action("expect_stop")
WHAT_CAME: Final = _action("what_came", ID)
CAME: Final = _action("came", one_of(Reception), ID)
TALLY: Final = _action("tally")
LANDED_WORRY: Final = _action("landed_worry")

# Receiving
WAITING_DRAFT: Final = or_none(ID, "").or_absent(None)
OPEN: Final = _action("open", ID)
OPEN_LATER: Final = _action("open_later", ID)
OPEN_BACK: Final = _action("open_back", ID)
OPEN_AT: Final = _action("open_at", word_of(("tonight", "tomorrow")), ID)
NOT_NOW: Final = _action("not_now", ID)
OPEN_ONE: Final = _action("open_one", ID)
ALL_LATER: Final = _action("all_later", ID)
ALL_BACK: Final = _action("all_back", ID)
ALL_AT: Final = _action("all_at", word_of(("tonight", "tomorrow")), ID)
ALL_NOT_NOW: Final = _action("all_not_now", ID)
RESPOND: Final = _action("respond", one_of(ResponseKind), ID)
REPLY_SEND: Final = _action("reply_send", ID, WAITING_DRAFT)
REPLY_DROP: Final = _action("reply_drop", ID, WAITING_DRAFT)
REPLY_AGAIN: Final = _action("reply_again", ID, TEXT.or_absent(""))
SEND: Final = _action("send", ID)
STEM: Final = _action("stem", TEXT, ID)
QUESTIONS: Final = _action("questions", ID)
KEEP_QUESTION: Final = _action("keep_question", ID)
LEAVE_QUESTION: Final = _action("leave_question", ID)
UNDO: Final = _action("undo", ID)
FOLLOW_UP: Final = _action("follow_up", ID)
FOLLOW_UP_SEND: Final = _action("follow_up_send", ID)
FOLLOW_UP_UNDO: Final = _action("follow_up_undo", ID)
FOLLOW_UP_DROP: Final = _action("follow_up_drop", ID)

# The Ritual
RITUAL: Final = _action("rit_show")
SAME_QUESTION: Final = either("same", "none").or_absent(False)
"""Whether the proposal includes the same question for both."""
RITUAL_DAYS: Final = _action("rit_days", SAME_QUESTION)
RITUAL_DAY: Final = _action("rit_day", WEEKDAY, SAME_QUESTION)
RITUAL_HOUR: Final = _action("rit_hour", WEEKDAY, number_in(range(24)), SAME_QUESTION)
RITUAL_YES: Final = _action("rit_yes", ID)
RITUAL_YES_SAME: Final = _action("rit_yes_same", ID)
RITUAL_NO: Final = _action("rit_no", ID)
RITUAL_ASK_END: Final = _action("rit_ask_end", ID)
RITUAL_TAKE_BACK: Final = _action("rit_end", ID)
RITUAL_END: Final = _action("rit_over", ID)
RITUAL_OPEN: Final = _action("rit_open")
RITUAL_LINES: Final = _action("rit_lines", MOMENT)
RITUAL_LINE: Final = _action("rit_line", MOMENT, ID)
RITUAL_WRITE: Final = _action("rit_write", MOMENT)
RITUAL_ANSWER: Final = _action("rit_answer", MOMENT)
RITUAL_NOTICED: Final = _action("rit_noticed", MOMENT)
RITUAL_QUESTION: Final = _action("rit_question", either("with", "without"), ID)
RITUAL_WISH: Final = _action("rit_wish", one_of(Wish), ID)
RITUAL_IN: Final = _action("rit_in", one_of(Terms), ID)
RITUAL_SURE: Final = _action("rit_sure", one_of(Terms), ID)
RITUAL_OUT: Final = _action("rit_out", ID)
RITUAL_NOTHING: Final = _action("rit_none", MOMENT)

# Data
ASK_ERASE: Final = _action("ask_erase")
ERASE: Final = _action("erase_all", SECOND)
KEEP_ALL: Final = _action("erase_none")
