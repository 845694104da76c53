"""What a user gets when no fresh prompt is left: one of their own Lines again, or a day without a question.

Repeating old prompts every day would turn a small question into a form. So, in this order:

- **a Callback**, if the user wants them and has a Line for one: at most one within six days, so that it stays a
  pleasant surprise;
- **a day without a question** ("Today's line?"), at most one within three days: more would look as if the bot had
  given up;
- otherwise the prompt that was asked the longest ago (`prompts.oldest`).

A Callback only uses a Line that answers a prompt the user could still be asked, so no subject they have left out and no
depth they have refused comes back this way. Answers to deep prompts aren't brought back at all: nobody should be
confronted with their worst evening again unasked.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Final

from bot.domain.content import Prompt
from bot.domain.model import Ask, User
from bot.domain.prompts import DEEP, Today, may_ask, oldest

CALLBACK_EVERY: Final = 6
"""Days from one Callback to the next, at least."""
OPEN_DAY_EVERY: Final = 3
"""Days from one day without a question to the next, at least."""
LOOK_BACK: Final = timedelta(days=max(CALLBACK_EVERY, OPEN_DAY_EVERY) - 1)
"""How far back we have to look for the latest Callback or day without a question."""
OPEN_DAYS: Final = timedelta(days=60)
"""How far back open days count for the sentence that the next one begins with."""
OLD_ENOUGH: Final = timedelta(days=60)
"""How old a Line has to be before it is brought back: "still so?" after a week would feel like a check-up."""
NOT_AGAIN: Final = timedelta(days=365)
"""How long it takes until a Line that was brought back can be brought back again."""


@dataclass(frozen=True, slots=True)
class Answered:
    """One of the user's Lines that is old enough to be brought back, and the prompt that it answers."""

    line_id: int
    prompt_id: str


@dataclass(frozen=True, slots=True)
class Found:
    """What the user is asked: a prompt, a Callback to a Line, or neither on a day without a question."""

    prompt: Prompt | None = None
    callback_line_id: int | None = None
    used_up: bool = False
    """Whether there is no prompt because all were asked recently, rather than because the user left them all out."""


def when_used_up(
    prompts: Mapping[str, Prompt],
    user: User,
    today: Today,
    shown: Mapping[str, datetime],
    *,
    recent: Sequence[Ask],
    answers: Collection[Answered],
    seed: int,
) -> Found:
    """Return what comes instead of a fresh prompt.

    `recent` are the Asks of the dates since LOOK_BACK before today, without today's own; `answers` are the Lines that
    could be brought back.
    """
    if user.callbacks and callback_is_due(recent, today.date):
        line_id = choose_callback(answers, prompts, user, paired=today.paired, seed=seed)
        if line_id is not None:
            return Found(callback_line_id=line_id, used_up=True)
    prompt = oldest(prompts, user, today, shown)
    if prompt and open_day_is_due(recent, today.date):
        return Found(used_up=True)
    return Found(prompt)


def callback_is_due(recent: Sequence[Ask], day: date) -> bool:
    """Return whether a Callback can come on `day`."""
    return not any(ask.callback_line_id and (day - ask.day).days < CALLBACK_EVERY for ask in recent)


def open_day_is_due(recent: Sequence[Ask], day: date) -> bool:
    """Return whether `day` can go without a question."""
    return not any(ask.is_open_day and (day - ask.day).days < OPEN_DAY_EVERY for ask in recent)


def open_day_opens_with(days: Sequence[date], variants: int) -> int:
    """Return with which of so many sentences the last of these open days begins: never that of the one before.

    `days` are a user's open days of the last weeks in their order. Each has its own turn, so that what came long ago
    hardly changes the outcome, and the same day always begins the same way.
    """
    chosen = -1
    for day in days:
        turn = Random(day.toordinal()).randrange(variants)
        chosen = (turn + 1) % variants if turn == chosen else turn
    return chosen


def choose_callback(
    answers: Collection[Answered], prompts: Mapping[str, Prompt], user: User, *, paired: bool, seed: int
) -> int | None:
    """Return the id of the Line to bring back, or None if there is none. The same `seed` gives the same Line."""
    possible = sorted(
        answer.line_id
        for answer in answers
        if (prompt := prompts.get(answer.prompt_id)) and prompt.depth < DEEP and may_ask(prompt, user, paired=paired)
    )
    return Random(seed).choice(possible) if possible else None
