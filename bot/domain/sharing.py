"""The rules of sharing: the state machine of a Reflection, when it can go out, and how it is received.

A sharer's view of a Reflection depends only on their own actions and clock. We never show whether it was announced, put
off or opened: until its time the sharer can change everything about it, from then on nothing. Only a sharer who tries
to take it back learns that it was opened; if it wasn't, taking it back ends it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Final

from bot.domain.content import Cue, Wish
from bot.domain.times import (
    APART,
    NIGHT_ENDS,
    instant,
    local,
    local_date,
    next_slot,
    tomorrow_morning,
    tonight,
)

COOL_OFF: Final = timedelta(minutes=10)
COOL_OFF_DEEP: Final = timedelta(hours=1)
DEEP: Final = 4
"""From this depth on the sharer gets more time to think it over."""
QUARTER: Final = timedelta(minutes=15)
TOGETHER: Final = QUARTER
"""One message announces all Reflections that go out within this time."""
AFTER_TAKEN_BACK: Final = timedelta(hours=1)
"""How long we announce nothing after announcing a Reflection that was then taken back. Otherwise somebody could nudge
their partner by sharing and taking back again and again."""
_MINUTE: Final = timedelta(minutes=1)
FURTHEST: Final = timedelta(days=366)
"""How far ahead a line can be scheduled: nobody plans further than this."""
AFTER_OPENING: Final = timedelta(hours=1)
"""How long after opening a Reflection the receiver's text may be meant for its sharer, so that we ask about it."""
REACTIONS: Final = frozenset("❤👍🙏")
"""Reactions to an opened Reflection that can be sent as a Response."""
DRAFTS_LAPSE: Final = timedelta(days=7)
ENDED_KEPT: Final = timedelta(days=90)
"""How long we keep the row of an ended Reflection, without its words, to answer old buttons."""
DAYS_ON_OFFER: Final = 7
FIRST_HOUR: Final = 6
LAST_HOUR: Final = 23


class State(StrEnum):
    """The state of a Reflection."""

    DRAFTED = "drafted"
    SCHEDULED = "scheduled"
    ANNOUNCED = "announced"
    OPENED = "opened"
    ANSWERED = "answered"
    WITHDRAWN = "withdrawn"  # taken back by the sharer
    LAPSED = "lapsed"  # never confirmed, or the partner had nothing for the Ritual
    CANCELLED = "cancelled"  # the Pair ended


class Move(StrEnum):
    """What can happen to a Reflection."""

    SCHEDULE = "schedule"  # also to move it to another time
    ANNOUNCE = "announce"  # and again later, if the receiver asked for that
    OPEN = "open"
    ANSWER = "answer"
    WITHDRAW = "withdraw"
    LAPSE = "lapse"
    CANCEL = "cancel"


UNOPENED: Final = frozenset({State.DRAFTED, State.SCHEDULED, State.ANNOUNCED})
ENDED: Final = frozenset({State.WITHDRAWN, State.LAPSED, State.CANCELLED})
READABLE: Final = frozenset({State.OPENED, State.ANSWERED})
"""The states in which the receiver is allowed to read the words."""

MOVES: Final[Mapping[Move, tuple[frozenset[State], State]]] = {
    Move.SCHEDULE: (frozenset({State.DRAFTED, State.SCHEDULED}), State.SCHEDULED),
    Move.ANNOUNCE: (frozenset({State.SCHEDULED, State.ANNOUNCED}), State.ANNOUNCED),
    Move.OPEN: (frozenset({State.ANNOUNCED}), State.OPENED),
    Move.ANSWER: (frozenset({State.OPENED}), State.ANSWERED),
    Move.WITHDRAW: (frozenset({State.SCHEDULED, State.ANNOUNCED}), State.WITHDRAWN),
    Move.LAPSE: (frozenset({State.DRAFTED}), State.LAPSED),
    Move.CANCEL: (UNOPENED, State.CANCELLED),
}
"""The states from which a move is possible, and the state it leads to."""


def moved(state: State, move: Move) -> State | None:
    """Return the state to which `move` leads from `state`; None if the move isn't possible."""
    starts, end = MOVES[move]
    return end if state in starts else None


@dataclass(frozen=True, slots=True)
class Reflection:
    """What a user lets the partner see. Its words stay sealed in storage."""

    id: int
    user_id: int
    """The sharer."""
    partner_id: int
    """The receiver."""
    pair_id: int
    state: State = State.DRAFTED
    line_id: int | None = None
    depth: int | None = None
    """The depth of the Line's prompt; None for a Line that answers no prompt."""
    wish: Wish | None = None
    shared_at: datetime | None = None
    due_at: datetime | None = None
    """The time that the sharer chose."""
    remind_at: datetime | None = None
    """The time that the receiver asked for instead."""
    announced_at: datetime | None = None
    announcement_id: int | None = None
    """The Announcement that covers it together with others, if there is one."""
    opened_at: datetime | None = None
    cue_id: str | None = None
    """The Cue that the sharer saw in the preview, and that the receiver sees before the words."""
    ritual: bool = False
    """Whether it was put in for the Pair's Ritual; only the Ritual then decides whether it goes out."""
    told: bool = False
    """Whether we have shown its sharer the Response. Until then nothing else may reveal that there is one; from then on
    they know about it, whatever becomes of the Response and its sender."""

    @property
    def wanted_at(self) -> datetime | None:
        """When its receiver should hear of it: when the sharer chose, or when the receiver asked for instead."""
        return self.remind_at or self.due_at

    def is_due(self, now: datetime) -> bool:
        """Return whether the time that the sharer chose has come: from then on it can no longer be changed."""
        return self.due_at is not None and self.due_at <= now

    def is_set_for(self, known: datetime | None) -> bool:
        """Return whether it is still scheduled for the minute that a card shows; `known` is None if that shows none."""
        if known is None or self.due_at is None:
            return known is self.due_at
        return timedelta() <= self.due_at - known < _MINUTE


class ResponseKind(StrEnum):
    """What a receiver can send back."""

    READ = "read"
    THANKS = "thanks"
    SENSE = "sense"
    TALK = "talk"
    HARDEST = "hardest"  # this and the next three are the curious questions
    LIKE = "like"
    KNOW = "know"
    MORE = "more"
    LINE = "line"  # the receiver's own words


QUESTIONS: Final = (ResponseKind.HARDEST, ResponseKind.LIKE, ResponseKind.KNOW, ResponseKind.MORE)
"""The curious questions."""
OFFERED: Final[Mapping[Wish, tuple[ResponseKind, ...]]] = {
    wish: (
        ResponseKind.READ,
        ResponseKind.THANKS,
        ResponseKind.SENSE,
        ResponseKind.LINE,
        *(() if wish is Wish.ASK_LATER else (ResponseKind.TALK,)),
    )
    for wish in Wish
}
"""The answers offered under the words for each Wish. Under ASK_LATER a button to the questions takes the place of TALK,
which is offered there."""
UNDO_FOR: Final = timedelta(seconds=30)
"""How long after the receiver's yes a Response waits before it goes out. Until then it can be undone."""


@dataclass(frozen=True, slots=True)
class Opening:
    """The fact that a receiver has opened a Reflection. It belongs to the receiver, whatever the sharer does later."""

    user_id: int
    """The receiver."""
    reflection_id: int
    pair_id: int
    opened_at: datetime
    answered: bool = False


@dataclass(frozen=True, slots=True)
class Response:
    """What the receiver sends back. Only a Response of the kind LINE has words, which are sealed in storage."""

    id: int
    reflection_id: int
    user_id: int
    """The receiver, who responds."""
    answer: ResponseKind
    sent_at: datetime | None = None
    landed: bool | None = None
    """Whether it landed well, as the sharer said privately."""


@dataclass(frozen=True, slots=True)
class FollowUp:
    """The sharer's one line in answer to a curious question. Its words are sealed in storage."""

    id: int
    response_id: int
    user_id: int
    """The sharer, who answers."""
    said_yes_at: datetime | None = None
    sent_at: datetime | None = None


# --- when it can go out ----------------------------------------------------------------------------------------------


def cool_off(depth: int | None) -> timedelta:
    """Return the shortest time allowed between sharing and delivery."""
    return COOL_OFF_DEEP if depth is not None and depth >= DEEP else COOL_OFF


def minutes_of_cool_off(depth: int | None) -> int:
    return cool_off(depth) // timedelta(minutes=1)


class When(StrEnum):
    """The times we offer for sharing."""

    QUARTER = "quarter"
    HOUR = "hour"
    TONIGHT = "tonight"
    MORNING = "morning"
    RITUAL = "ritual"


def offered(now: datetime, zone: str, depth: int | None, ritual: datetime | None = None) -> dict[When, datetime]:
    """Return the times on offer at `now`, the next one first, by the sharer's clock.

    None is earlier than the cool-off allows, or within APART of another one: then the evening is a later one, and
    nothing is offered beside the Ritual, which says more than a clock time.
    """
    choices = _possible(now, zone, depth, ritual, evening=_soonest(depth)[1] + APART)
    fixed = choices.get(When.RITUAL)
    kept = {
        when: at for when, at in choices.items() if fixed is None or when is When.RITUAL or abs(at - fixed) >= APART
    }
    return dict(sorted(kept.items(), key=lambda choice: choice[1]))


def time_of(when: When, now: datetime, zone: str, depth: int | None, ritual: datetime | None = None) -> datetime | None:
    """Return what a time that was on offer means at `now`, even if it wouldn't be offered any more; None if over."""
    return _possible(now, zone, depth, ritual, evening=cool_off(depth)).get(when)


def _possible(
    now: datetime, zone: str, depth: int | None, ritual: datetime | None, *, evening: timedelta
) -> dict[When, datetime]:
    """Return every time that the cool-off allows, and "tonight" only if it is at least `evening` away."""
    least = cool_off(depth)
    first, soon = _soonest(depth)
    choices = {
        first: now + soon,
        When.TONIGHT: tonight(now, zone, least=evening),
        When.MORNING: tomorrow_morning(now, zone),  # after a night's sleep, so past every cool-off
        When.RITUAL: ritual if ritual and ritual - now >= least else None,
    }
    return {when: moment for when, moment in choices.items() if moment is not None}


def _soonest(depth: int | None) -> tuple[When, timedelta]:
    return (When.HOUR, COOL_OFF_DEEP) if cool_off(depth) > QUARTER else (When.QUARTER, QUARTER)


def days_on_offer(now: datetime, zone: str, depth: int | None) -> list[date]:
    """Return the sharer's next days that still have an hour on offer."""
    today = local_date(now, zone)
    days = (today + timedelta(days=ahead) for ahead in range(DAYS_ON_OFFER + 1))
    return [day for day in days if hours_on_offer(day, now, zone, depth)][:DAYS_ON_OFFER]


def hours_on_offer(day: date, now: datetime, zone: str, depth: int | None) -> list[datetime]:
    """Return the full hours of that local day that the cool-off allows."""
    moments = (instant(day, time(hour), zone) for hour in range(FIRST_HOUR, LAST_HOUR + 1))
    allowed = sorted({moment for moment in moments if moment is not None and fits(moment, now, depth)})
    return [moment for moment in allowed if local_date(moment, zone) == day]


def fits(moment: datetime, now: datetime, depth: int | None) -> bool:
    """Return whether a Reflection that is shared at `now` can go out at `moment`."""
    return cool_off(depth) <= moment - now <= FURTHEST


def after_rewording(due_at: datetime, depth: int | None, now: datetime) -> datetime:
    """Return when a Reflection goes out whose words are replaced at `now`: new words need the cool-off too."""
    return max(due_at, now + cool_off(depth))


# --- how it is received ----------------------------------------------------------------------------------------------


def moment_to_announce(
    now: datetime, first: datetime, coming: Iterable[datetime], before: Iterable[Reflection]
) -> datetime:
    """Return when to announce Reflections that have been due since `first`: `now`, or later with those still `coming`.

    One message covers everything that goes out within TOGETHER, and the next one comes no sooner than that after it, or
    than AFTER_TAKEN_BACK if a Reflection announced `before` was taken back. A Ritual's moment has a message of its own:
    it doesn't wait, and nothing waits for it.
    """
    rests = (one.announced_at + _rest_after(one) for one in before if one.announced_at)
    return max([now, *rests, *(moment for moment in coming if moment <= first + TOGETHER)])


def _rest_after(reflection: Reflection) -> timedelta:
    if reflection.state is State.WITHDRAWN:
        return AFTER_TAKEN_BACK
    return timedelta() if reflection.ritual else TOGETHER


def tomorrow_again(now: datetime, zone: str) -> datetime:
    """Return what "tomorrow" means to a receiver: this hour on the next day, or 08:00 today if it is before 04:00."""
    here = local(now, zone)
    if here.time() < NIGHT_ENDS:
        return tomorrow_morning(now, zone)
    return next_slot(now, here.time().replace(second=0, microsecond=0), zone).at


def cue_of(reflection: Reflection, cues: Iterable[Cue]) -> Cue:
    """Return the Cue that the sharer saw, if the library still has it; otherwise one for the Wish.

    The choice depends neither on the depth, which the receiver could infer from it, nor on anything the receiver did,
    which the sharer could infer from the preview. The same Line in the same Pair always gets the same cue for a Wish.
    Raises LookupError if the library has none.
    """
    wish = reflection.wish or Wish.LISTEN
    wanted = {cue.id: cue for cue in cues if cue.wish is wish}
    if not wanted:
        raise LookupError("no cue for this wish")
    if reflection.cue_id in wanted:
        return wanted[reflection.cue_id]
    # Taking the highest of these numbers lets most Lines keep their cue when the library gains or loses one.
    return max(wanted.values(), key=lambda cue: _number(f"{reflection.pair_id}.{reflection.line_id}.{cue.id}"))


def _number(text: str) -> bytes:
    return sha256(text.encode()).digest()
