"""The rules of the Ritual: when each partner is asked, until when they can put something in, and what goes out."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from random import Random
from typing import Final

from bot.domain.content import Prompt, Role
from bot.domain.model import DEPTH_AT_START
from bot.domain.prompts import WORK
from bot.domain.sharing import cool_off
from bot.domain.times import EVENING, MORNING, instant, local_date, next_weekly

PROPOSAL_VALID_FOR: Final = timedelta(days=7)
"""How long the partner has to say yes. We don't store a no, so its proposer can't tell it from no answer."""
LOOKS_BACK: Final = timedelta(days=7)
"""A line of the week is no older than this."""
HOURS: Final = range(6, 24)
_TIME_TO_WRITE: Final = timedelta(hours=2)
_DAY: Final = timedelta(days=1)


class Terms(StrEnum):
    """The condition on which something that was put in goes out."""

    EITHER = "either"  # either way
    MET = "met"  # only if there is one from the partner too


@dataclass(frozen=True, slots=True)
class Ritual:
    """A weekly moment that one user proposed, whether or not the partner has agreed yet."""

    id: int
    pair_id: int
    proposer_id: int
    weekday: int
    """By the pair's clock; Monday is 0."""
    at: time
    zone: str
    """The pair's zone: the one its proposer had when proposing it."""
    proposed_at: datetime
    next_at: datetime
    """The next moment; for a proposal, the first moment as it was proposed."""
    agreed: bool = False
    same_question: bool = False
    """Whether both are asked the same question before each moment, or, for a proposal, would be."""

    def after(self, moment: datetime) -> datetime:
        """Return the Ritual's first moment after `moment`."""
        return next_weekly(moment, self.weekday, self.at, self.zone).at

    def is_current(self, now: datetime) -> bool:
        """Return whether it is agreed, or can still be agreed."""
        return self.agreed or now - self.proposed_at < PROPOSAL_VALID_FOR


@dataclass(frozen=True, slots=True)
class RitualMember:
    """One of the two users of a Ritual, and what they have put in for the next moment."""

    id: int
    ritual_id: int
    user_id: int
    reflection_id: int | None = None
    terms: Terms | None = None


def asks_at(moment: datetime, zone: str) -> datetime:
    """Return when to ask a user in `zone` for a line: that morning, or the evening before an early moment."""
    day = local_date(moment, zone)
    for asked in (instant(day, MORNING, zone), instant(day - _DAY, EVENING, zone)):
        if asked is not None and moment - asked >= _TIME_TO_WRITE:
            return asked
    return moment - _DAY / 2  # that clock skipped the evening before


def is_open(now: datetime, moment: datetime, zone: str) -> bool:
    """Return whether a user in `zone` can put something in."""
    return asks_at(moment, zone) <= now < moment


def fits(now: datetime, moment: datetime, depth: int | None) -> bool:
    """Return whether a line of this depth can still be put in: the cool-off applies here too."""
    return moment - now >= cool_off(depth)


def question_for(prompts: Collection[Prompt], ritual: Ritual) -> Prompt | None:
    """Return the question that both are asked before the Ritual's next moment.

    It depends on nothing that either of them has set or answered, so that it gives nothing away. It has the lightest
    depth, no sensitive subject, and suits any day. No question comes twice before all have come.
    """
    fit = sorted(prompt.id for prompt in prompts if _is_for_both(prompt))
    if not fit:
        return None
    Random(ritual.id).shuffle(fit)
    week = local_date(ritual.next_at, ritual.zone).toordinal() // 7
    return next(prompt for prompt in prompts if prompt.id == fit[week % len(fit)])


def _is_for_both(prompt: Prompt) -> bool:
    lightest = prompt.depth == DEPTH_AT_START and not prompt.sensitivities
    return lightest and prompt.role is not Role.RECEIVER and not prompt.tags and prompt.theme != WORK


def going_out(put_in: Mapping[int, Terms], shared_anyway: Collection[int]) -> set[int]:
    """Return the users whose item goes out at the moment.

    `put_in` maps users to the terms on which they put something in. `shared_anyway` are the users who scheduled
    something else for the moment, which meets the partner's terms just as well.
    """
    return {
        user_id
        for user_id, terms in put_in.items()
        if terms is Terms.EITHER or any(other != user_id for other in {*put_in, *shared_anyway})
    }
