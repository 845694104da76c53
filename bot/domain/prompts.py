"""Which dates are asked, and with which prompt."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Final

from bot.domain.content import Prompt
from bot.domain.model import User
from bot.domain.times import MISS_AFTER, Slot, next_slot, slots_between

NO_REPEAT: Final = timedelta(days=365)
DEEP: Final = 4
"""From this depth on, two prompts never follow each other."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a user's calendar comes to at some moment."""

    asked: Slot | None
    missed: tuple[Slot, ...]
    following: Slot
    last_day: date


def plan(user: User, now: datetime) -> Plan:
    """What became due for `user` up to `now`: at most one Ask, and the dates that went by while nobody looked.

    A slot that is found within MISS_AFTER of its time is asked; an earlier one is recorded as missed, so that nobody
    comes back to a pile of questions. The user must have an hour, a zone and a planned Ask that is due.
    """
    if user.planned is None or user.ask_at is None or user.zone is None:
        raise ValueError("nothing is planned for this user")
    first = user.planned
    due = (first, *slots_between(first.at, now, user.ask_at, user.zone, last_day=first.day))
    asked = due[-1] if now - due[-1].at <= MISS_AFTER else None
    missed = due if asked is None else due[:-1]
    following = next_slot(now, user.ask_at, user.zone, last_day=due[-1].day)
    return Plan(asked, missed, following, due[-1].day)


def choose(
    prompts: Sequence[Prompt],
    *,
    depth: int,
    shown: Mapping[str, datetime],
    now: datetime,
    seed: int,
    not_themes: Collection[str] = (),
) -> Prompt | None:
    """The prompt to put next, or None where `prompts` has none that may come now.

    `shown` says when each prompt was last put to this user. Nothing comes again within NO_REPEAT, the theme differs
    from the one before, nothing is deeper than `depth`, and after a prompt of DEEP or more comes a lighter one. First
    comes what is as deep as allowed; where that is used up, the next lighter. The same `seed` and facts give the same.
    """
    last = _latest(prompts, shown)
    avoid = {*not_themes, *({last.theme} if last else ())}
    deepest = min(depth, DEEP - 1) if last and last.depth >= DEEP else depth
    fresh = [prompt for prompt in prompts if not _recent(prompt, shown, now)]
    for level in range(deepest, 0, -1):
        at_level = [prompt for prompt in fresh if prompt.depth == level]
        if found := [prompt for prompt in at_level if prompt.theme not in avoid]:
            return _pick(found, seed)
    return None


def choose_or_repeat(
    prompts: Sequence[Prompt], *, depth: int, ceiling: int, shown: Mapping[str, datetime], now: datetime, seed: int
) -> Prompt:
    """The prompt for a scheduled Ask, for which there is always one.

    Where the library has nothing fresh up to `depth`, it comes from above, up to the ceiling, and where that is used
    up too, it is the one that was put the longest ago. `prompts` must hold one within the ceiling.
    """
    for level in range(depth, ceiling + 1):
        if found := choose(prompts, depth=level, shown=shown, now=now, seed=seed):
            return found
    allowed = [prompt for prompt in prompts if prompt.depth <= max(depth, ceiling)]
    last = _latest(prompts, shown)
    other = [prompt for prompt in allowed if last is None or prompt.theme != last.theme] or allowed
    return min(other, key=lambda prompt: (shown.get(prompt.id, now - NO_REPEAT), prompt.id))


def _latest(prompts: Sequence[Prompt], shown: Mapping[str, datetime]) -> Prompt | None:
    known = [prompt for prompt in prompts if prompt.id in shown]
    return max(known, key=lambda prompt: shown[prompt.id], default=None)


def _recent(prompt: Prompt, shown: Mapping[str, datetime], now: datetime) -> bool:
    at = shown.get(prompt.id)
    return at is not None and now - at < NO_REPEAT


def _pick(found: Sequence[Prompt], seed: int) -> Prompt:
    return Random(seed).choice(sorted(found, key=lambda prompt: prompt.id))
