"""Notices: their kinds, how each is treated, and when the bot is allowed to write first."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Self

from bot.domain.model import User
from bot.domain.times import after_quiet

BLOCKED_RETRY: Final = timedelta(hours=1)
"""How often we retry messages to a user who has blocked the bot. We also retry when they come back."""
RECHECK: Final = timedelta(days=30)
"""How often we check Notices that wait for the end of an open-ended pause, or for consent. They are also checked as
soon as the pause ends or the user agrees."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How a kind of Notice is treated."""

    can_wait: bool = True
    """Waits for the end of a pause and of quiet hours. A kind that can't wait checks for itself if it is too late."""
    lasting: bool = False
    """Waits for as long as the bot can't write to its user, rather than being dropped."""
    copies: int = 3
    """How often we send it at most when we can't tell whether it arrived: three copies are better than none."""
    needs_consent: bool = True
    """Waits until its user agrees to the current policy. Kinds that aren't messages decide that for themselves."""
    wordless: bool = False
    """Isn't a message, so it doesn't matter whether the bot can write to the user now or what else is on its way."""


_TWICE: Final = 2
"""For messages whose content is also under /today, /waiting or /recap."""
_OF_TWO: Final = Policy(lasting=True)
"""Nothing that was shared is lost because its receiver can't be written to, nobody is in a Pair or a Ritual without
having been told, and the partner doesn't learn about the delay."""
_SHARED: Final = Policy(lasting=True, copies=_TWICE)
_OFFER: Final = Policy(can_wait=False)
"""It is only sent while its user is there."""
_WORDLESS: Final = Policy(can_wait=False, wordless=True)


class NoticeKind(StrEnum):
    """What a row of the outbox is about, and how it is treated. A kind that this version doesn't know is UNKNOWN."""

    policy: Policy

    def __new__(cls, value: str, policy: Policy) -> Self:
        kind = str.__new__(cls, value)
        kind._value_ = value
        kind.policy = policy
        return kind

    ASK = "ask", Policy(can_wait=False, copies=_TWICE)
    """It comes at the hour its user chose."""
    REMINDER = "reminder", Policy(copies=_TWICE)
    OFFER_HOUR = "offer_hour", _OFFER
    OFFER_DEEPER = "offer_deeper", _OFFER
    GUEST = "guest", Policy(can_wait=False, lasting=True)
    """A step that its user has begun and is waiting for; so is PAIRED."""
    PAIRED = "paired", Policy(can_wait=False, lasting=True)
    RITUAL_ASKED = "ritual_asked", _OF_TWO
    RITUAL_AGREED = "ritual_agreed", _OF_TWO
    RITUAL_MORNING = "ritual_morning", Policy()
    RITUAL_MOMENT = "ritual_moment", _WORDLESS
    """It creates other Notices, each with a policy of its own."""
    REFLECTION = "reflection", _SHARED
    ANNOUNCEMENT = "announcement", _SHARED
    """One message for several Reflections; the subject is the announcement id that they share."""
    RESPONSE_DUE = "response_due", _WORDLESS
    """A Response goes out now, unless it was undone: it creates the Notice for the sharer. The subject is its id."""
    RESPONSE = "response", _OF_TWO
    FOLLOW_UP_DUE = "follow_up_due", _WORDLESS
    """Like RESPONSE_DUE, for the sharer's answer to a question."""
    FOLLOW_UP = "follow_up", _OF_TWO
    QUESTION = "question", Policy(copies=_TWICE)
    """Reminds a receiver of a question that they kept to ask in person."""
    SHARE_AGAIN = "share_again", Policy()
    """Asks a sharer, after a backup was restored, whether a Reflection should go out after all."""
    RECAP = "recap", Policy(can_wait=False, copies=_TWICE)
    """The weekly recap, which doesn't wait for the end of a pause; the subject is the user's id."""
    CONSENT = "consent", Policy(copies=_TWICE, needs_consent=False)
    """Asks whether a user agrees to a new version of the policy. The subject is the user's id."""
    ANSWER = "answer", Policy(can_wait=False)
    """The answer to an update; the subject is the update's id."""
    EXPORT = "export", _WORDLESS
    """All of a user's data as files. It sends its own messages, and holds up nothing else on its way to the user, whose
    id is the subject."""
    TAKE_IN = "take_in", _WORDLESS
    """The export that an operator imported for a user is being taken in. The subject is the user's id."""
    TAKEN_IN = "taken_in", Policy(can_wait=False, lasting=True)
    """Tells the waiting user how that went. The subject is the user's id."""
    MENU = "menu", Policy(can_wait=False)
    """Updates the menu of commands in a user's chat after something they did. It isn't a message. The subject is the
    user's id."""
    HIDE = "hide", _WORDLESS
    """Messages in a user's chat are due to be removed. The subject is the user's id."""
    UNKNOWN = "unknown", Policy()
    """A kind written by another version, about which we know nothing."""

    @classmethod
    def _missing_(cls, _value: object) -> "NoticeKind":
        return cls.UNKNOWN


@dataclass(frozen=True, slots=True)
class Notice:
    """A row of the outbox: a kind, ids, a due time; never text."""

    id: int
    user_id: int
    kind: NoticeKind
    subject_id: int
    due_at: datetime
    attempts: int = 0
    unclear: int = 0
    """How many attempts may have arrived without our knowing."""
    failures: int = 0
    """How many attempts failed for a reason of its own: a defect of ours, or a chat that Telegram didn't find."""
    owner: int | None = None
    """The process that has claimed it."""
    result: str | None = None
    """What an answer says: a packed Result."""


def free_at(user: User, moment: datetime, *, asked_for: bool = False) -> datetime:
    """Return the first instant, `moment` or later, at which the bot is allowed to write to `user` first.

    It isn't allowed during a pause or quiet hours, or while the user blocks it. Something the user has `asked_for` only
    waits for the end of quiet hours.
    """
    if user.paused_at and not asked_for:
        return max(user.next_ask_at or moment + RECHECK, moment)
    if user.blocked_at and not asked_for:
        return moment + BLOCKED_RETRY
    if user.quiet and user.zone:
        return after_quiet(moment, user.zone, user.quiet)
    return moment
