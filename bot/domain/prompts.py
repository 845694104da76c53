"""Choose which prompt to ask a user.

The rule, and its reasons:

- **What may come at all** (`may_ask`): nothing deeper than the user accepts, nothing they have left out, and nothing
  that presupposes a partner unless they have one. This never gives way, not even when everything else is used up. If a
  refused depth came back by itself, a no would only be a delay.
- **What suits the day** (`suits`): all tags of the prompt hold, and no question is about work on a free day. Nobody can
  answer a question about "this week" on a Monday morning.
- **How deep** (`depth_of_day`): of ten days six are at the user's depth, three are one lighter, one is two lighter. If
  every day were at the full depth, each notch deeper would feel like a climb. The depth of a day depends only on the
  user and the date, so we store nothing, and a question that somebody swaps, skips or puts off doesn't shift the later
  ones. The golden ratio spreads the three depths evenly: any run of days, and any single weekday, has about the same
  mixture.
- **Never two of DEEP or more in a row**, so that a light question follows a heavy one. A pause lowers the user's depth
  (`planning.stepped_down`), so the questions after it are lighter too.
- **The theme that was asked the longest ago comes first**; among prompts of equal depth and theme we choose at random.
  So all themes take turns, and yesterday's comes only if no other has a prompt left.
- **Not the form of the one before**, if the theme has another: "How does this end: …" or "Two words for …" on two days
  running sounds like a form to be filled in.
- **No repeat within a year as long as there is anything else.** When the prompts of the day's depth are used up,
  we take the nearest other depth that may be asked, the lighter one first.
- **The first three are picked by hand** (FIRST): easy and concrete, since they decide whether anybody stays.

When all prompts are used up, `callbacks` decides: one of the user's own Lines, no question, or the `oldest`
prompt again.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Final

from bot.domain.content import Prompt, Role, Tag
from bot.domain.model import DEEPEST, DEPTH_AT_START, User

NO_REPEAT: Final = timedelta(days=365)
FIRST_WEEK: Final = timedelta(days=7)
DEEP: Final = 4
"""Two prompts of this depth or deeper never follow each other."""
FIRST: Final = ("body.where", "work.hands", "home.mended")
"""The prompts that everybody begins with, in this order."""
WORK: Final = "work"
"""The theme that isn't asked about on a free day, whether or not its prompts have a tag that says so."""
AT_DEPTH: Final = 0.6
AT_DEPTH_OR_ONE_LIGHTER: Final = 0.9

_GOLDEN: Final = (math.sqrt(5) - 1) / 2
_MONDAY: Final = 0
_JANUARY: Final = 1
_HOLIDAYS_BEGIN: Final = (12, 20)
_HOLIDAYS_END: Final = (1, 6)
"""Month and day."""
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Today:
    """The facts about a day that the choice of a prompt depends on."""

    now: datetime
    date: date
    """The user's local date."""
    paired: bool
    """Whether the user is in a Pair as far as they know, or says that they have a partner."""
    weekend: frozenset[int] = frozenset()
    """The weekdays that are free where the user lives; Monday is 0."""
    dark_months: frozenset[int] = frozenset()

    @property
    def is_free(self) -> bool:
        return self.date.weekday() in self.weekend

    @property
    def in_holidays(self) -> bool:
        here = (self.date.month, self.date.day)
        return here >= _HOLIDAYS_BEGIN or here <= _HOLIDAYS_END


_HOLDS: Final[Mapping[Tag, Callable[[User, Today], bool]]] = {
    Tag.NOT_MONDAY: lambda _, today: today.date.weekday() != _MONDAY,
    Tag.NOT_FREE_DAY: lambda _, today: not today.is_free,
    Tag.FREE_DAY: lambda _, today: today.is_free,
    Tag.NOT_JANUARY: lambda _, today: today.date.month != _JANUARY,
    Tag.DARK_MONTHS: lambda _, today: today.date.month in today.dark_months,
    Tag.HOLIDAYS: lambda _, today: today.in_holidays,
    Tag.NOT_FIRST_WEEK: lambda user, today: (
        user.consented_at is not None and today.now - user.consented_at >= FIRST_WEEK
    ),
}


def is_muted(prompt: Prompt, user: User) -> bool:
    """Return whether `user` doesn't want to be asked about the prompt's theme, or about something it touches on."""
    return prompt.theme in user.muted_themes or not user.muted_sensitivities.isdisjoint(prompt.sensitivities)


def may_ask(prompt: Prompt, user: User, *, paired: bool) -> bool:
    """Return whether `user` can be asked this: no deeper than they accept, not muted, and theirs to answer.

    `paired` is whether the user is in a Pair as far as they know, or says that they have a partner.
    """
    is_theirs = paired or prompt.role is Role.TELLER
    is_light = prompt.depth <= user.depth and prompt.depth <= user.ceiling
    return is_theirs and is_light and not is_muted(prompt, user)


def suits(prompt: Prompt, user: User, today: Today) -> bool:
    """Return whether all tags of the prompt hold today, and it isn't about work on a free day."""
    if prompt.theme == WORK and today.is_free and Tag.FREE_DAY not in prompt.tags:
        return False
    return not prompt.tags or all(_HOLDS[tag](user, today) for tag in prompt.tags)


def depth_of_day(user: User, day: date) -> int:
    """Return how deep the prompt of this date is meant to be: at the user's depth, or one or two lighter."""
    share = (user.id + day.toordinal()) * _GOLDEN % 1
    lighter = 0 if share < AT_DEPTH else 1 if share < AT_DEPTH_OR_ONE_LIGHTER else 2
    return max(DEPTH_AT_START, min(user.depth, user.ceiling) - lighter)


def choose(
    prompts: Mapping[str, Prompt],
    user: User,
    today: Today,
    shown: Mapping[str, datetime],
    *,
    wanted: int,
    deepest: int = DEEPEST,
    seed: int,
) -> Prompt | None:
    """Return the prompt to put next, by the rule above, or None if `prompts` has no fresh one that can come now.

    `prompts` are by their ids, and `shown` says when this user was last asked each. The prompt is of the depth
    `wanted` if possible, and no deeper than `deepest`. The same `seed` and facts give the same prompt.
    """
    last = _latest(prompts, shown)
    year_ago = today.now - NO_REPEAT
    fresh = [
        prompt
        for prompt in _possible(prompts, user, today, last, deepest)
        if shown.get(prompt.id, _NEVER) <= year_ago and suits(prompt, user, today)
    ]
    if not fresh:
        return None
    if first := _by_hand(fresh, shown):
        return first
    fresh = [prompt for prompt in fresh if last is None or prompt.theme != last.theme] or fresh
    level = min({prompt.depth for prompt in fresh}, key=lambda depth: (abs(depth - wanted), depth))
    return _longest_away([prompt for prompt in fresh if prompt.depth == level], prompts, shown, last, seed)


def oldest(
    prompts: Mapping[str, Prompt],
    user: User,
    today: Today,
    shown: Mapping[str, datetime],
    *,
    deepest: int = DEEPEST,
    rested: timedelta = timedelta(),
) -> Prompt | None:
    """Return the prompt that was asked the longest ago, for when nothing fresh is left; None if none may be asked.

    Its theme differs from the last one's if possible. With `rested` (the user only wants a change) its theme has to
    differ, and it must not have been asked within that time.
    """
    last = _latest(prompts, shown)
    found = [
        prompt
        for prompt in _possible(prompts, user, today, last, deepest)
        if today.now - shown.get(prompt.id, _NEVER) >= rested and suits(prompt, user, today)
    ]
    other = [prompt for prompt in found if last is None or prompt.theme != last.theme]
    if not other and not rested:
        other = found
    return min(other, key=lambda prompt: (shown.get(prompt.id, _NEVER), prompt.id), default=None)


def may_mute(prompts: Sequence[Prompt], user: User) -> bool:
    """Return whether the prompts that `user` hasn't muted include one of depth 1 that anybody can be asked."""
    return any(prompt.depth == 1 and prompt.role is Role.TELLER and not is_muted(prompt, user) for prompt in prompts)


def _possible(
    prompts: Mapping[str, Prompt], user: User, today: Today, last: Prompt | None, deepest: int
) -> Iterable[Prompt]:
    """Yield the prompts up to the depth `deepest` that may be asked, without deep ones if the last one was deep."""
    deepest = min(deepest, user.depth, user.ceiling)  # so that `may_ask` isn't called for all that are too deep
    if last and last.depth >= DEEP:
        deepest = min(deepest, DEEP - 1)
    light = [prompt for prompt in prompts.values() if prompt.depth <= deepest]
    return (prompt for prompt in light if may_ask(prompt, user, paired=today.paired))


def _latest(prompts: Mapping[str, Prompt], shown: Mapping[str, datetime]) -> Prompt | None:
    latest = max((prompt_id for prompt_id in shown if prompt_id in prompts), key=lambda each: shown[each], default="")
    return prompts.get(latest)


def _by_hand(fresh: Sequence[Prompt], shown: Mapping[str, datetime]) -> Prompt | None:
    """Return the next of FIRST that is in `fresh`, while the user has been asked fewer prompts than FIRST has."""
    if len(shown) >= len(FIRST):
        return None
    by_id = {prompt.id: prompt for prompt in fresh}
    return next((by_id[each] for each in FIRST if each in by_id), None)


def _longest_away(
    found: Sequence[Prompt],
    prompts: Mapping[str, Prompt],
    shown: Mapping[str, datetime],
    last: Prompt | None,
    seed: int,
) -> Prompt:
    """Return one of `found`, of the theme that was asked the longest ago; among equals it is random.

    It has another format than the `last` one if that theme has any.
    """
    chance = Random(seed)
    last_asked = {prompt.theme: _NEVER for prompt in found}
    for prompt_id, at in shown.items():
        theme = prompts[prompt_id].theme if prompt_id in prompts else ""
        if theme in last_asked:
            last_asked[theme] = max(last_asked[theme], at)
    longest = min(last_asked.values())
    theme = chance.choice(sorted(theme for theme, at in last_asked.items() if at == longest))
    found = sorted((prompt for prompt in found if prompt.theme == theme), key=lambda prompt: prompt.id)
    return chance.choice([prompt for prompt in found if last is None or prompt.format is not last.format] or found)
