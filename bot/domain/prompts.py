"""Choose which prompt to put to a user."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Final

from bot.domain.content import Prompt, Role
from bot.domain.model import User

NO_REPEAT: Final = timedelta(days=365)
DEEP: Final = 4
"""Two prompts of this depth or deeper never follow each other."""


def is_muted(prompt: Prompt, user: User) -> bool:
    """Return whether `user` doesn't want to be asked about the prompt's theme, or about something it touches on."""
    return prompt.theme in user.muted_themes or not user.muted_sensitivities.isdisjoint(prompt.sensitivities)


def may_ask(prompt: Prompt, user: User, *, paired: bool) -> bool:
    """Return whether `user` can be asked this: no deeper than they accept, not muted, and for two only in a Pair.

    `paired` is whether the user is in a Pair as far as they know.
    """
    is_theirs = paired or prompt.role is Role.TELLER
    return is_theirs and prompt.depth <= min(user.depth, user.ceiling) and not is_muted(prompt, user)


def choose(
    prompts: Sequence[Prompt],
    user: User,
    *,
    paired: bool,
    depth: int,
    shown: Mapping[str, datetime],
    now: datetime,
    seed: int,
) -> Prompt | None:
    """Return the prompt to put next, or None if `prompts` has no fresh one that can come now.

    `shown` says when each prompt was last put to this user. No prompt comes again within NO_REPEAT, none comes that
    `may_ask` forbids, the theme differs from the previous one, none is deeper than `depth`, and after a prompt of DEEP
    or more comes a lighter one. We prefer the deepest allowed prompts; when those are used up, the next lighter ones.
    The same `seed` and facts give the same prompt.
    """
    last = _latest(prompts, shown)
    fresh = [
        prompt
        for prompt in _following(prompts, user, last, paired=paired, depth=depth)
        if not _recent(prompt, shown, now) and (last is None or prompt.theme != last.theme)
    ]
    level = max((prompt.depth for prompt in fresh), default=0)
    at_level = [prompt for prompt in fresh if prompt.depth == level]
    return _pick(at_level, seed) if at_level else None


def choose_or_repeat(
    prompts: Sequence[Prompt],
    user: User,
    *,
    paired: bool,
    depth: int,
    shown: Mapping[str, datetime],
    now: datetime,
    seed: int,
    rested: timedelta = timedelta(),
) -> Prompt | None:
    """Like `choose`, but fall back on the prompt that was put the longest ago. None if nothing can come at all.

    A repeated prompt is of another theme than the last one if possible. With `rested` (the user only wants a change)
    it has to be of another theme, and must not have been put for that long.
    """
    if fresh := choose(prompts, user, paired=paired, depth=depth, shown=shown, now=now, seed=seed):
        return fresh
    last = _latest(prompts, shown)
    found = [
        prompt
        for prompt in _following(prompts, user, last, paired=paired, depth=depth)
        if now - shown.get(prompt.id, now - NO_REPEAT) >= rested
    ]
    other = [prompt for prompt in found if last is None or prompt.theme != last.theme]
    if not other and not rested:
        other = found
    return min(other, key=lambda prompt: (shown.get(prompt.id, now - NO_REPEAT), prompt.id), default=None)


def may_mute(prompts: Sequence[Prompt], user: User) -> bool:
    """Return whether what `user` hasn't muted leaves a prompt of the lightest depth that anybody can be asked."""
    return any(prompt.depth == 1 and prompt.role is Role.TELLER and not is_muted(prompt, user) for prompt in prompts)


def _following(prompts: Sequence[Prompt], user: User, last: Prompt | None, *, paired: bool, depth: int) -> list[Prompt]:
    """Return the prompts that can be asked up to `depth`, without deep ones if the last one was deep."""
    deepest = min(depth, DEEP - 1) if last and last.depth >= DEEP else depth
    return [prompt for prompt in prompts if prompt.depth <= deepest and may_ask(prompt, user, paired=paired)]


def _latest(prompts: Sequence[Prompt], shown: Mapping[str, datetime]) -> Prompt | None:
    known = [prompt for prompt in prompts if prompt.id in shown]
    return max(known, key=lambda prompt: shown[prompt.id], default=None)


def _recent(prompt: Prompt, shown: Mapping[str, datetime], now: datetime) -> bool:
    at = shown.get(prompt.id)
    return at is not None and now - at < NO_REPEAT


def _pick(found: Sequence[Prompt], seed: int) -> Prompt:
    return Random(seed).choice(sorted(found, key=lambda prompt: prompt.id))
