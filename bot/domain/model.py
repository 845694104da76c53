"""The nouns of Ajar as plain facts. Instants are aware datetimes in UTC; days and hours are a user's own."""

from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from typing import Final

from bot.domain.times import EVERY_DAY, Days, QuietHours, Slot

DAMAGED: Final = "\ufffd"
"""Replaces words that can no longer be opened."""
CEILING_AT_START: Final = 2
DEPTH_AT_START: Final = 1
DEEPEST: Final = 5
QUIET_FROM: Final = time(22, 0)
QUIET_TO: Final = time(7, 0)
"""Quiet hours until somebody sets their own: the night, as most people keep it."""

POLICY_VERSION: Final = 1
"""The version of the policy that users have to agree to. Raising it makes the bot ask everybody again."""


class Rhythm(StrEnum):
    """How often the bot asks somebody who doesn't answer."""

    DAILY = "daily"
    WEEKLY = "weekly"
    QUIET = "quiet"  # not until the user writes


class AskOpening(StrEnum):
    """What an Ask says before its prompt."""

    RESUMED = "resumed"  # the pause is over
    SLOWED = "slowed"  # once a week from now on
    LAST = "last"  # no more until the user writes
    STILL = "still"  # a reminder: the question is still open
    AGAIN = "again"  # nothing fresh is left, so this one has been asked before
    NOT_KEPT = "not_kept"  # a text that would have answered it was dropped
    DELETED = "deleted"  # the Line that answered it was deleted


class Step(StrEnum):
    """How far a user has got in setting up."""

    CONSENT = "consent"
    HOUR = "hour"
    ZONE = "zone"
    READY = "ready"


@dataclass(frozen=True, slots=True)
class User:
    """A person in a private chat with the bot."""

    id: int
    language: str
    consented_at: datetime | None = None
    """When they agreed; None while their consent is withdrawn."""
    ask_at: time | None = None
    zone: str | None = None
    depth: int = DEPTH_AT_START
    ceiling: int = CEILING_AT_START
    paused_at: datetime | None = None
    paused_until: date | None = None
    """The local date on which questions start again; None in a pause without an end."""
    days: Days = EVERY_DAY
    """The weekdays with a question."""
    language_chosen: bool = False
    """Whether the language was chosen here, rather than following Telegram's."""
    telegram_language: str | None = None
    """Telegram's own language tag, with the region if it has one: "en-GB"."""
    quiet_from: time | None = QUIET_FROM
    quiet_to: time | None = QUIET_TO
    receives_only: bool = False
    """Whether they only want to receive for now, without questions of their own; then there is no `ask_at`."""
    yes_to: int | None = None
    """The Invite they said yes to during the start; the yes is passed on when the start is done."""
    soft_reminder: bool = False
    discreet: bool = False
    """Whether discreet mode is on: messages that they write or that show their words are removed from the chat."""
    silent: bool = False
    """Whether messages come without a sound."""
    partnered: bool = False
    """Whether they say that they have a partner, whether or not they are in a Pair here."""
    weekly_recap: bool | None = None
    """Whether a recap comes each week; None until the first one has come, which happens without asking."""
    callbacks: bool | None = None
    """Whether older Lines may be brought back as Callbacks; None until we have asked, which we do once."""
    muted_themes: frozenset[str] = frozenset()
    muted_sensitivities: frozenset[str] = frozenset()
    rhythm: Rhythm = Rhythm.DAILY
    unanswered: int = 0
    """How many Asks were sent since the user last did anything."""
    to_say: AskOpening | None = None
    """What the next Ask says before its prompt."""
    comfortable: int = 0
    """How many answers they have given at the current depth."""
    offered_depth: int | None = None
    """The depth that we offered last, until they accept it."""
    refused_depth: int | None = None
    """The lowest depth that we offered before that and they didn't accept: we never offer it or a deeper one again."""
    hour_offered: bool = False
    """Whether we have offered to move the hour, which we do once."""
    consent_version: int | None = POLICY_VERSION
    """The version of the policy that they agreed to."""
    consent_asked: int | None = None
    """The newest version of the policy that we have asked about unprompted, which we do once per version."""
    blocked_at: datetime | None = None
    next_ask_at: datetime | None = None
    next_ask_day: date | None = None
    last_day: date | None = None
    """The last local date that has had its Ask or was recorded as having none."""

    @property
    def planned(self) -> Slot | None:
        """The next Ask, if one is planned."""
        return Slot(self.next_ask_day, self.next_ask_at) if self.next_ask_day and self.next_ask_at else None

    @property
    def wants_recap(self) -> bool:
        """Whether a recap comes each week: it does unless the user has turned it off."""
        return self.weekly_recap is not False

    @property
    def quiet(self) -> QuietHours | None:
        """The hours in which the bot never writes first, if there are any."""
        return QuietHours(self.quiet_from, self.quiet_to) if self.quiet_from and self.quiet_to else None

    @property
    def has_agreed(self) -> bool:
        """Whether they agree to the current policy. If not, we only export or erase their data, and nothing else."""
        return self.consented_at is not None and (self.consent_version or 0) >= POLICY_VERSION

    @property
    def step(self) -> Step:
        if not self.has_agreed:
            return Step.CONSENT
        if self.ask_at is None and not self.receives_only:
            return Step.HOUR
        if self.zone is None:
            return Step.ZONE
        return Step.READY

    @property
    def reachable(self) -> bool:
        """Whether the bot is allowed to write first."""
        return self.step is Step.READY and self.paused_at is None and self.blocked_at is None


class AskState(StrEnum):
    """The state of an Ask. Only `DUE`, `OPEN` and `SNOOZED` can still become answered."""

    DUE = "due"
    OPEN = "open"
    SNOOZED = "snoozed"
    ANSWERED = "answered"
    SKIPPED = "skipped"
    LEFT = "left"
    MISSED = "missed"


UNDECIDED: Final = (AskState.DUE, AskState.OPEN, AskState.SNOOZED)


@dataclass(frozen=True, slots=True)
class Ask:
    """A prompt put to one user for one local date."""

    id: int
    user_id: int
    day: date
    state: AskState
    due_at: datetime
    prompt_id: str | None = None
    shown_at: datetime | None = None
    snoozed_until: datetime | None = None
    """When it comes back, if it was put off."""
    opening: AskOpening | None = None
    callback_line_id: int | None = None
    """The user's own Line that it brings back, or brought back before a prompt came in its place."""

    @property
    def undecided(self) -> bool:
        return self.state in UNDECIDED

    @property
    def is_open_day(self) -> bool:
        """Whether it was sent without a question: "Today's line?"."""
        return self.shown_at is not None and self.prompt_id is None and self.callback_line_id is None

    @property
    def called_back(self) -> int | None:
        """The Line that it brings back; None also if another question was asked in place of that."""
        return self.callback_line_id if self.prompt_id is None else None


class SkipReason(StrEnum):
    """Why a local date went by without an Ask."""

    PAUSED = "paused"
    SLOWED = "slowed"
    OFF = "off"  # not one of the user's weekdays
    AWAY = "away"  # the user had blocked the bot
    MISSED = "missed"  # the bot was down for longer than it can catch up on
    START = "start"  # the user had not finished the start
    JUMPED = "jumped"  # the date never existed for this user: the zone, or moving to another zone, skipped it


@dataclass(frozen=True, slots=True)
class SkippedSpan:
    """Local dates without an Ask, from `first` to `last` inclusive, and why."""

    reason: SkipReason
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Line:
    """A one-line reply, without its words: they stay sealed in storage until somebody allowed to read them asks."""

    id: int
    user_id: int
    day: date
    ask_id: int | None
    message_id: int
    prompt_id: str | None = None
    revision: int = 0
    """How often it has been changed."""
    card_id: int | None = None
    """The bot's message that carries its current buttons."""
    noticed: bool = False
    """Whether it is about something that the partner did or carried."""


class Waiting(StrEnum):
    """What the bot is waiting for from a user: it takes their next text as this."""

    CHANGE = "change"
    SHORTER = "shorter"
    CODE = "code"
    PAIR_NAME = "pair_name"
    PAIR_NAME_CHOICE = "pair_name_choice"
    """Like PAIR_NAME, while the name from Telegram is offered: a text is kept as neither name nor Line unasked.

    The subject is the unanswered Invite that a guest is shown, or 0 while the user chooses a name for their own.
    """
    RITUAL_LINE = "ritual_line"
    NOTICED = "noticed"
    FEELING = "feeling"
    """The user's own word for a Line."""
    JOURNAL_SEARCH = "journal_search"
    """The words to search the journal for."""
    HOUR = "hour"
    ZONE = "zone"
    PLACE = "place"
    """Like ZONE, with a keyboard on the screen that shares the location."""
    QUIET = "quiet"
    QUIET_CHOICE = "quiet_choice"
    """Like QUIET, while the offered hours are on the screen: a text that isn't about a time is taken as something else.
    The same goes for DAYS."""
    DAYS = "days"
    NAME = "name"
    PAUSE_DAY = "pause_day"
    PAUSE_FOR = "pause_for"
    """Like PAUSE_DAY, while the offered lengths are on the screen; see QUIET_CHOICE."""
    SNOOZE = "snooze"
    """When a question should come back, while the offered times are on the screen. A text that isn't about a time
    answers the question."""
    OPEN_WHEN = "open_when"
    """When an announcement should come again, while the offered times are on the screen."""
    ALL_WHEN = "all_when"
    """Like OPEN_WHEN, for an announcement of several Reflections; the subject is its id."""
    REWORD = "reword"
    SHARE_TIME = "share_time"
    SHARE_WHEN = "share_when"
    """Like SHARE_TIME, while the offered times are on the screen; see QUIET_CHOICE."""
    REPLY = "reply"
    FOLLOW_UP = "follow_up"

    @property
    def wants_words(self) -> bool:
        """Whether it waits for the user's own words, rather than a value such as an hour, a name or a code."""
        return self in {
            self.CHANGE,
            self.SHORTER,
            self.RITUAL_LINE,
            self.REWORD,
            self.REPLY,
            self.FOLLOW_UP,
            self.NOTICED,
            self.FEELING,
        }

    @property
    def is_on_screen(self) -> bool:
        """Whether we go on waiting after a text about something else, since the choices are still on the screen."""
        return self in {
            *(self.QUIET_CHOICE, self.DAYS, self.PAUSE_FOR),
            *(self.SNOOZE, self.OPEN_WHEN, self.ALL_WHEN, self.SHARE_WHEN),
        }


@dataclass(frozen=True, slots=True)
class Dialog:
    """The one thing that we are waiting for from a user, and until when."""

    waiting: Waiting
    subject_id: int
    expires_at: datetime
    message_id: int | None = None
    """The last message that we took as the answer; if the user edits that message, the edit counts."""
    detail: str = ""
    """The Stem that the user is to finish, if they chose one."""


class DraftReason(StrEnum):
    """Why a text was set aside instead of being kept as a Line."""

    UNASKED = "unasked"
    SECOND = "second"
    TOO_LONG = "too_long"
    OPENED = "opened"
    """It was typed after opening a Reflection, and may be meant for the user who shared it."""
    REPLY = "reply"
    """It was typed as an answer to an opened Reflection, and is previewed; only in discreet mode, where it would go."""
    REACTION = "reaction"
    """It is a reaction to an opened Reflection: an emoji, which can be sent but isn't a Line."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A text that was sent but not yet kept: it waits, sealed, until its writer decides."""

    id: int
    user_id: int
    reason: DraftReason
    text: str
    message_id: int
    ask_id: int | None = None
    line_id: int | None = None
    """The Line that it could replace."""
    line_revision: int | None = None
    """The revision of that Line that its writer saw."""
    card_id: int | None = None
    """The bot's message that asks about it."""
    reflection_id: int | None = None
    """The opened Reflection that it may be an answer to."""


@dataclass(frozen=True, slots=True)
class Invite:
    """A one-use, expiring code and link with which one user asks another to pair."""

    id: int
    user_id: int
    """The user who asks."""
    expires_at: datetime
    guest_id: int | None = None
    """The first user to open it; from then on nobody else can use it."""
    accepted_at: datetime | None = None
    """When the guest said yes. The user who asked has as long again to confirm."""
    refused: bool = False
    """Whether the user who asked has said no to the guest, who can't tell."""
    card_id: int | None = None
    """The newest message that offers it to the user who asks."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two users who both confirmed."""

    id: int
    a: int
    b: int
    since: datetime

    def partner_of(self, user_id: int) -> int:
        """Return the other user. Raises LookupError for somebody who is neither of the two."""
        if user_id not in (self.a, self.b):
            raise LookupError("not of this pair")
        return self.b if user_id == self.a else self.a
