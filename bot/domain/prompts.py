"""Which prompt is put to a user."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Final

from bot.domain.content import Prompt, Role
from bot.domain.model import User

NO_REPEAT: Final = timedelta(days=365)
DEEP: Final = 4
"""From this depth on, two prompts never follow each other."""


def is_muted(prompt: Prompt, user: User) -> bool:
    """Whether its theme, or something it touches on, is one that `user` doesn't want to be asked about."""
    return prompt.theme in user.muted_themes or not user.muted_sensitivities.isdisjoint(prompt.sensitivities)


def may_ask(prompt: Prompt, user: User, *, paired: bool) -> bool:
    """Whether the bot may put this to `user` at all: no deeper than they have taken, not muted, and of two only to two.

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
    """The prompt to put next, or None where `prompts` has no fresh one that may come now.

    `shown` says when each prompt was last put to this user. Nothing comes again within NO_REPEAT, nothing that may not
    be asked, the theme differs from the one before, nothing is deeper than `depth`, and after a prompt of DEEP or more
    comes a lighter one. First comes what is as deep as allowed; where that is used up, the next lighter. The same
    `seed` and facts give the same.
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
    """As `choose`; where nothing fresh is left, the prompt that was put the longest ago. None where nothing may come.

    An older one is of another theme than the last, if there is any such. Where one is only wanted for a change, it
    must be, and have been left alone for `rested`.
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
    """Whether what `user` has not muted leaves something to ask: of the lightest depth, and of anybody."""
    return any(prompt.depth == 1 and prompt.role is Role.TELLER and not is_muted(prompt, user) for prompt in prompts)


def _following(prompts: Sequence[Prompt], user: User, last: Prompt | None, *, paired: bool, depth: int) -> list[Prompt]:
    """What may be asked up to `depth`, and not deep where the last one was."""
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
