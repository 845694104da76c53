"""Which prompt is put to a user."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Final

from bot.domain.content import Prompt
from bot.domain.model import User

NO_REPEAT: Final = timedelta(days=365)
DEEP: Final = 4
"""From this depth on, two prompts never follow each other."""


def is_muted(prompt: Prompt, user: User) -> bool:
    """Whether its theme, or something it touches on, is one that `user` doesn't want to be asked about."""
    return prompt.theme in user.muted_themes or not user.muted_sensitivities.isdisjoint(prompt.sensitivities)


def choose(
    prompts: Sequence[Prompt],
    user: User,
    *,
    depth: int,
    shown: Mapping[str, datetime],
    now: datetime,
    seed: int,
) -> Prompt | None:
    """The prompt to put next, or None where `prompts` has none that may come now.

    `shown` says when each prompt was last put to this user. Nothing comes again within NO_REPEAT, nothing that the user
    has muted, the theme differs from the one before, nothing is deeper than `depth`, and after a prompt of DEEP or more
    comes a lighter one. First comes what is as deep as allowed; where that is used up, the next lighter. The same
    `seed` and facts give the same.
    """
    last = _latest(prompts, shown)
    deepest = min(depth, DEEP - 1) if last and last.depth >= DEEP else depth
    fresh = [
        prompt
        for prompt in prompts
        if prompt.depth <= deepest
        and not is_muted(prompt, user)
        and not _recent(prompt, shown, now)
        and (last is None or prompt.theme != last.theme)
    ]
    level = max((prompt.depth for prompt in fresh), default=0)
    at_level = [prompt for prompt in fresh if prompt.depth == level]
    return _pick(at_level, seed) if at_level else None


def choose_or_repeat(
    prompts: Sequence[Prompt], user: User, *, shown: Mapping[str, datetime], now: datetime, seed: int
) -> Prompt:
    """The prompt for a scheduled Ask, for which there is always one.

    Where the library has nothing fresh up to the user's depth, it comes from above, up to the ceiling, and where that
    is used up too, it is the one that was put the longest ago. Only where all within the ceiling is muted, which
    `may_mute` prevents for the library of the day, it is one of a muted theme; what is sensitive stays out as long
    as anything else is there. `prompts` must hold one within the ceiling.
    """
    for depth in range(min(user.depth, user.ceiling), user.ceiling + 1):
        if found := choose(prompts, user, depth=depth, shown=shown, now=now, seed=seed):
            return found
    within = [prompt for prompt in prompts if prompt.depth <= user.ceiling]
    gentle = [prompt for prompt in within if user.muted_sensitivities.isdisjoint(prompt.sensitivities)]
    last = _latest(prompts, shown)
    light = [prompt for prompt in within if last is None or last.depth < DEEP or prompt.depth < DEEP]
    allowed = (
        [prompt for prompt in light if not is_muted(prompt, user)]
        or [prompt for prompt in within if not is_muted(prompt, user)]
        or gentle
        or within
    )
    other = [prompt for prompt in allowed if last is None or prompt.theme != last.theme] or allowed
    return min(other, key=lambda prompt: (shown.get(prompt.id, now - NO_REPEAT), prompt.id))


def may_mute(prompts: Sequence[Prompt], user: User) -> bool:
    """Whether what `user` has not muted leaves something of the lightest depth to ask."""
    return any(prompt.depth == 1 and not is_muted(prompt, user) for prompt in prompts)


def _latest(prompts: Sequence[Prompt], shown: Mapping[str, datetime]) -> Prompt | None:
    known = [prompt for prompt in prompts if prompt.id in shown]
    return max(known, key=lambda prompt: shown[prompt.id], default=None)


def _recent(prompt: Prompt, shown: Mapping[str, datetime], now: datetime) -> bool:
    at = shown.get(prompt.id)
    return at is not None and now - at < NO_REPEAT


def _pick(found: Sequence[Prompt], seed: int) -> Prompt:
    return Random(seed).choice(sorted(found, key=lambda prompt: prompt.id))
