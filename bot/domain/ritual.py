"""The Ritual: a pair's weekly moment. When each is asked, until when something can be put in, and what meets."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Final

from bot.domain.sharing import cool_off
from bot.domain.times import EVENING, MORNING, instant, local_date, next_weekly

PROPOSAL_VALID_FOR: Final = timedelta(days=7)
"""So long the other one has to say yes. A no is not kept: to the one who asked it looks like no answer."""
LOOKS_BACK: Final = timedelta(days=7)
"""A line of the week is not older than this."""
HOURS: Final = range(6, 24)
_TIME_TO_WRITE: Final = timedelta(hours=2)
_DAY: Final = timedelta(days=1)


class Terms(StrEnum):
    """Under which condition something that was put in goes out."""

    EITHER = "either"  # either way
    MET = "met"  # only if there is one from them too


@dataclass(frozen=True, slots=True)
class Ritual:
    """A weekly moment: proposed by one, and agreed by the other or not yet."""

    id: int
    pair_id: int
    proposer_id: int
    weekday: int
    """Monday is 0, by the pair's clock."""
    at: time
    zone: str
    """The pair's: that of the one who proposed it, at that time."""
    proposed_at: datetime
    next_at: datetime
    """The next moment; for a proposal, the first one as it was proposed."""
    agreed: bool = False

    def after(self, moment: datetime) -> datetime:
        """The first moment after `moment`."""
        return next_weekly(moment, self.weekday, self.at, self.zone).at

    def is_current(self, now: datetime) -> bool:
        """Whether it is agreed, or can still be."""
        return self.agreed or now - self.proposed_at < PROPOSAL_VALID_FOR


@dataclass(frozen=True, slots=True)
class RitualMember:
    """One of the two at their Ritual, and what they have put in for the next moment."""

    id: int
    ritual_id: int
    user_id: int
    reflection_id: int | None = None
    terms: Terms | None = None


def asks_at(moment: datetime, zone: str) -> datetime:
    """When somebody with this clock is asked for the `moment`: that morning, or the evening before an early one."""
    day = local_date(moment, zone)
    for asked in (instant(day, MORNING, zone), instant(day - _DAY, EVENING, zone)):
        if asked is not None and moment - asked >= _TIME_TO_WRITE:
            return asked
    return moment - _DAY / 2  # the evening before never was on that clock


def is_open(now: datetime, moment: datetime, zone: str) -> bool:
    """Whether somebody with this clock can put something in."""
    return asks_at(moment, zone) <= now < moment


def fits(now: datetime, moment: datetime, depth: int | None) -> bool:
    """Whether a line of this depth can still be put in: there is a cool-off here too."""
    return moment - now >= cool_off(depth)


def going_out(put_in: Mapping[int, Terms], shared_anyway: Collection[int]) -> set[int]:
    """The users whose item goes out at the moment.

    `put_in` is what was put in, by user; `shared_anyway` are the users who set something else to go out at the moment,
    which meets just as well.
    """
    return {
        user_id
        for user_id, terms in put_in.items()
        if terms is Terms.EITHER or any(other != user_id for other in {*put_in, *shared_anyway})
    }
