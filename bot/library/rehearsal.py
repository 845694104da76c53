"""Simulates what a user would be asked over some time, by the bot's own rule.

It touches nobody's rows; it is for writers of prompts, and for tests of the rule.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta

from bot.domain.callbacks import LOOK_BACK, NOT_AGAIN, OLD_ENOUGH, Answered, Found, when_used_up
from bot.domain.model import Ask, AskState, User
from bot.domain.pace import deeper, not_taken
from bot.domain.prompts import Today, choose, depth_of_day
from bot.library import Library

_NOON = time(12, tzinfo=UTC)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class RehearsedDay:
    """What is asked on one date, and who is asked."""

    today: Today
    user: User
    wanted: int
    """The depth that the date calls for."""
    found: Found
    is_fresh: bool
    """Whether it is a prompt that wasn't asked within the last year."""


@dataclass
class Rehearsal:
    """A user who answers every day, and accepts a deeper depth when it is offered if `takes` says so."""

    library: Library
    user: User
    paired: bool = False
    weekend: frozenset[int] = frozenset({5, 6})
    dark_months: frozenset[int] = frozenset()
    takes: Callable[[int], bool] = lambda _: True
    shown: dict[str, datetime] = field(default_factory=dict)
    _recent: list[Ask] = field(default_factory=list)
    _lines: dict[int, tuple[str, datetime]] = field(default_factory=dict)
    """The prompt and the moment of each Line, by id."""
    _brought_back: dict[int, datetime] = field(default_factory=dict)

    def days(self, first: date, count: int) -> Iterator[RehearsedDay]:
        for number in range(count):
            yield self._day(first + number * _DAY)

    def _day(self, day: date) -> RehearsedDay:
        now = datetime.combine(day, _NOON)
        today = Today(now, day, self.paired, self.weekend, self.dark_months)
        user, seed = self.user, day.toordinal() * 1_000_003 + self.user.id
        wanted = depth_of_day(user, day)
        prompt = choose(self.library.prompts, user, today, self.shown, wanted=wanted, seed=seed)
        found = Found(prompt) if prompt else self._used_up(today, seed)
        self._note(found, day, now)
        self._answer(found)
        return RehearsedDay(today, user, wanted, found, is_fresh=prompt is not None)

    def _used_up(self, today: Today, seed: int) -> Found:
        self._recent = [ask for ask in self._recent if ask.day >= today.date - LOOK_BACK]
        answers = [
            Answered(line_id, prompt_id)
            for line_id, (prompt_id, kept_at) in self._lines.items()
            if kept_at <= today.now - OLD_ENOUGH
            and (line_id not in self._brought_back or self._brought_back[line_id] <= today.now - NOT_AGAIN)
        ]
        return when_used_up(
            self.library.prompts, self.user, today, self.shown, recent=self._recent, answers=answers, seed=seed
        )

    def _note(self, found: Found, day: date, now: datetime) -> None:
        number = day.toordinal()
        prompt_id = found.prompt.id if found.prompt else None
        line_id = found.callback_line_id
        self._recent.append(
            Ask(number, self.user.id, day, AskState.ANSWERED, now, prompt_id, now, callback_line_id=line_id)
        )
        if prompt_id:
            self.shown[prompt_id] = now
            self._lines[number] = (prompt_id, now)
        if line_id:
            self._brought_back[line_id] = now

    def _answer(self, found: Found) -> None:
        """Count an answer at the user's depth, and take or leave the next depth when it is offered."""
        if found.prompt and found.prompt.depth == self.user.depth:
            self.user = replace(self.user, comfortable=self.user.comfortable + 1)
        if (depth := deeper(self.user)) is None:
            return
        offered = replace(self.user, offered_depth=depth, refused_depth=not_taken(self.user))
        if self.takes(depth):
            taken = replace(offered, depth=depth, offered_depth=None, comfortable=0)
            offered = replace(taken, refused_depth=not_taken(taken))
        self.user = offered
