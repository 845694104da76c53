"""Checks a rehearsed life against the rule that chooses prompts, with its own reading of that rule."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random

from bot.domain.content import Prompt, Role, Sensitivity, Tag
from bot.domain.model import DEEPEST, User
from bot.domain.prompts import FIRST
from bot.library import Library
from bot.library.rehearsal import Rehearsal, RehearsedDay

FIRST_DAY = date(2026, 1, 5)
YEAR = timedelta(days=365)
WINDOW = 60
NORTH, SOUTH = frozenset({11, 12, 1, 2}), frozenset({5, 6, 7, 8})


def somebody(library: Library, seed: int) -> Rehearsal:
    """Return a person with tastes of their own: how deep, what is left out, with whom, and where."""
    chance = Random(seed)
    ceiling = chance.randint(1, DEEPEST)
    refuses = chance.randint(2, DEEPEST + 1)
    themes = [theme.id for theme in library.themes]
    user = User(
        chance.randrange(1, 1 << 33),
        "en",
        datetime.combine(FIRST_DAY, datetime.min.time(), UTC),
        ceiling=ceiling,
        muted_themes=frozenset(chance.sample(themes, chance.choice((0, 0, 1, 3)))),
        muted_sensitivities=frozenset(chance.sample(list(Sensitivity), chance.choice((0, 0, 1, 2)))),
        callbacks=chance.choice((None, False, True)),
    )
    return Rehearsal(
        library,
        user,
        paired=chance.random() < 0.5,
        weekend=chance.choice((frozenset({5, 6}), frozenset({4, 5}), frozenset({6}))),
        dark_months=chance.choice((NORTH, SOUTH, frozenset())),
        takes=lambda depth: depth < refuses,
    )


@dataclass
class Examiner:
    """Looks at one life day by day, and collects what is against the rule."""

    library: Library
    life: Rehearsal
    wrong: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    put_at: dict[str, date] = field(default_factory=dict)
    theme_at: dict[str, date] = field(default_factory=dict)
    last: Prompt | None = None
    last_open: date = date.min
    last_callback: date = date.min
    mixed: list[tuple[int, int]] = field(default_factory=list)
    """The user's depth and the prompt's, for the latest days on which every depth had fresh prompts."""

    def __post_init__(self) -> None:
        user = self.life.user
        self.theirs = [
            prompt
            for prompt in self.library.prompts.values()
            if prompt.theme not in user.muted_themes
            and not prompt.sensitivities & user.muted_sensitivities
            and (self.life.paired or prompt.role is Role.TELLER)
        ]
        self.their_ids = {prompt.id for prompt in self.theirs}

    def examine(self, days: int) -> None:
        for put in self.life.days(FIRST_DAY, days):
            kind = self._examined(put)
            self.counts[kind] = self.counts.get(kind, 0) + 1

    def _examined(self, put: RehearsedDay) -> str:
        day, prompt = put.today.date, put.found.prompt
        fresh = [each for each in self.theirs if self._is_new(each, day) and self._may_come(each, put)]
        if prompt is None:
            self._check(not fresh, put, "no prompt although there is a fresh one")
            return self._without_prompt(put)
        self._check(self._may_come(prompt, put), put, "must not come")
        is_new = self._is_new(prompt, day)
        self._check(is_new or not fresh, put, "a repeat within a year although there is a fresh one")
        if is_new:
            self._check_order(put, prompt, fresh)
        self.put_at[prompt.id] = self.theme_at[prompt.theme] = day
        self.last = prompt
        return "fresh" if is_new else "old"

    def _without_prompt(self, put: RehearsedDay) -> str:
        day = put.today.date
        self.mixed.clear()
        if put.found.callback_line_id is None:
            self._check((day - self.last_open).days >= 3, put, "two open days within three")
            self.last_open = day
            return "open"
        self._check(put.user.callbacks is True, put, "a Callback that isn't wanted")
        self._check((day - self.last_callback).days >= 6, put, "two Callbacks within six days")
        self.last_callback = day
        return "callback"

    def _check_order(self, put: RehearsedDay, prompt: Prompt, fresh: list[Prompt]) -> None:
        """Check the hand-picked ones, the theme and, where there is a choice, the mixture of depths."""
        if prompt.id in FIRST and len(self.put_at) < len(FIRST):
            return
        beside = {each.theme for each in fresh if each.depth == prompt.depth}
        away = {theme: self.theme_at.get(theme, date.min) for theme in beside}
        self._check(away.get(prompt.theme) == min(away.values(), default=None), put, "another theme was longer away")
        elsewhere = {each.theme for each in fresh}
        is_same = self.last is not None and self.last.theme == prompt.theme
        self._check(not is_same or len(elsewhere) == 1, put, "the theme of the day before")
        depth = put.user.depth
        wanted = range(max(1, depth - 2), depth + 1)
        is_free_choice = depth < 4 and all(sum(each.depth == level for each in fresh) > 1 for level in wanted)
        if not is_free_choice or (self.mixed and self.mixed[-1][0] != depth):
            self.mixed.clear()
        if is_free_choice:
            self.mixed.append((depth, prompt.depth))
            self._check_mixture(put)

    def _check_mixture(self, put: RehearsedDay) -> None:
        if len(self.mixed) < WINDOW:
            return
        self.counts["windows"] = self.counts.get("windows", 0) + 1
        depth = put.user.depth
        lighter = [depth - each for _, each in self.mixed[-WINDOW:]]
        shares = {1: (100,), 2: (60, 40), 3: (60, 30, 10)}[depth]
        for notches, share in enumerate(shares):
            found = lighter.count(notches) * 100 / WINDOW
            self._check(abs(found - share) <= 10, put, f"{found:.0f} % are {notches} lighter")

    def _is_new(self, prompt: Prompt, day: date) -> bool:
        return prompt.id not in self.put_at or day - self.put_at[prompt.id] >= YEAR

    def _may_come(self, prompt: Prompt, put: RehearsedDay) -> bool:
        user, day = put.user, put.today.date
        accepted = user.depth == 1 or (self.life.takes(user.depth) and user.depth <= user.ceiling)
        if prompt.depth > user.depth or not accepted:
            return False
        if prompt.depth >= 4 and self.last and self.last.depth >= 4:
            return False
        return prompt.id in self.their_ids and all(_fits(prompt, day, self.life))

    def _check(self, holds: bool, put: RehearsedDay, sentence: str) -> None:
        if not holds:
            name = put.found.prompt.id if put.found.prompt else "nothing"
            self.wrong.append(f"user {put.user.id}, {put.today.date}, {name}: {sentence}")


def _fits(prompt: Prompt, day: date, life: Rehearsal) -> Iterator[bool]:
    is_free = day.weekday() in life.weekend
    since = (day - FIRST_DAY).days
    if prompt.theme == "work":
        yield not is_free or Tag.FREE_DAY in prompt.tags
    if Tag.NOT_MONDAY in prompt.tags:
        yield day.isoweekday() != 1
    if Tag.NOT_FREE_DAY in prompt.tags:
        yield not is_free
    if Tag.FREE_DAY in prompt.tags:
        yield is_free
    if Tag.NOT_JANUARY in prompt.tags:
        yield day.month != 1
    if Tag.DARK_MONTHS in prompt.tags:
        yield day.month in life.dark_months
    if Tag.HOLIDAYS in prompt.tags:
        yield f"{day:%m%d}" >= "1220" or f"{day:%m%d}" <= "0106"
    if Tag.NOT_FIRST_WEEK in prompt.tags:
        yield since >= 7


def examined(library: Library, seed: int, days: int) -> Examiner:
    examiner = Examiner(library, somebody(library, seed))
    examiner.examine(days)
    return examiner
