"""A turn: one update from one user, from its effect in one transaction to its answer."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

import structlog
from telegram import Message, Update
from telegram import User as Person

from bot.clock import Clock
from bot.domain.model import Step, User
from bot.domain.results import Deleted, Erased, Outdated, Result, Silence
from bot.i18n import negotiate
from bot.services.menu import differs, renew
from bot.services.pace import Pace
from bot.services.pairing import recheck
from bot.services.profile import Profile
from bot.services.visit import Visit
from bot.storage.store import Rows, Store
from bot.tg import location_keyboard
from bot.tg.actions import NotOurs
from bot.tg.answers import Answers, first_name_of
from bot.tg.repeats import Repeats
from bot.tg.written import argument_of, written

log = structlog.stdlib.get_logger(__name__)


@dataclass(slots=True)
class Turn:
    """What a handler gets: the facts of the update, and the transaction in which it has its effect."""

    update: Update
    rows: Rows
    user_id: int
    user: User | None
    language: str
    now: datetime

    @property
    def message(self) -> Message:
        """The message that the user sent. Raises LookupError for a tap."""
        if (message := self.update.effective_message) is None:
            raise LookupError("no message")
        return message

    @property
    def text(self) -> str:
        return self.message.text or ""

    @property
    def written(self) -> str:
        """All the words of the message, and the links behind them."""
        return written(self.update.effective_message)

    @property
    def argument(self) -> str:
        """What follows the command."""
        return argument_of(self.text)

    @property
    def first_name(self) -> str:
        """The first name that Telegram shows for this user."""
        return first_name_of(self.update)

    @property
    def is_ready(self) -> bool:
        """Whether the user has completed the start."""
        return self.user is not None and self.user.step is Step.READY

    @property
    def visit(self) -> Visit:
        """The visit of this turn's user. Raises NotOurs if they haven't agreed yet."""
        if self.user is None:
            raise NotOurs
        return Visit(self.rows, self.user, self.now)


Handler = Callable[[Turn], Awaitable[Result]]


async def _effect(turn: Turn, known: User | None, handler: Handler, repeats: Repeats) -> Result:
    """Run the handler and record its result. `known` is the user as found before it ran."""
    try:
        result = await handler(turn)
    except NotOurs:
        result = Outdated()
    if repeats.are(turn.user_id, turn.update, result, turn.now):
        result = Silence()
    after = await turn.rows.users.find(turn.user_id)
    if after:
        result = await location_keyboard.noted(turn.rows, after, turn.update.message, result, turn.now)
    if known and after and differs(turn.rows, known, after):
        await renew(turn.rows, [after.id], turn.now)
    user_id = turn.user_id if after else None
    await turn.rows.updates.mark(turn.update.update_id, result, turn.now, user_id=user_id)
    return result


@dataclass(frozen=True, slots=True)
class _Taken:
    """The result of an update, and how to answer it."""

    result: Result
    user: User | None
    language: str
    before: int = 0
    """How many times the answer may already have been sent."""


class UpdateProcessor:
    """Processes updates: first the effect, then the answer. An update that has had its effect is only answered."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        answers: Answers,
        profile: Profile,
        pace: Pace,
        due: Callable[[datetime], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._answers = answers
        self._profile = profile
        self._pace = pace
        self._due = due
        self._answered: set[int] = set()
        self._repeats = Repeats()

    async def process(self, update: Update, handler: Handler, *, wakes: bool = True) -> None:
        """Run `handler` and answer with its result.

        `wakes` means that the update shows not only that the user is there, but that they want a daily question again.
        """
        person = update.effective_user
        if person is None or await self._answers.under_way(update.update_id):
            return
        now = self._clock.now()
        async with self._store.writing(person.id) as rows:
            answered = await self._note(rows)
            seen = await rows.updates.find(update.update_id)
            if seen and seen.answered:
                return
            if seen:
                taken = await self._again(rows, update, person, seen.result)
            else:
                taken = await self._anew(rows, update, person, handler, now, wakes=wakes)
        self._answered -= answered
        self._repeats.said(person.id, update, taken.result, now)
        if rows.due_at:
            self._due(rows.due_at)
        await self._leave_no_trace(person.id, taken.result)
        if await self._answers.give(update, taken.user, taken.language, taken.result, now, before=taken.before):
            self._answered.add(update.update_id)

    async def _again(self, rows: Rows, update: Update, person: Person, result: Result) -> _Taken:
        """Take an update that has already had its effect, but whose answer may not have arrived."""
        user = await rows.users.find(person.id)
        result = await recheck(rows, user, result)
        before = await rows.updates.count_attempt(update.update_id)
        return _Taken(result, await rows.users.find(person.id), negotiate(person.language_code), before=before)

    async def _anew(
        self, rows: Rows, update: Update, person: Person, handler: Handler, now: datetime, *, wakes: bool
    ) -> _Taken:
        known = await rows.users.find(person.id)
        user = await self._note_user(Visit(rows, known, now), update, person, wakes=wakes) if known else None
        language = user.language if user else negotiate(person.language_code)  # also for the last word after an erase
        turn = Turn(update, rows, person.id, user, language, now)
        result = await _effect(turn, known, handler, self._repeats)
        return _Taken(result, await rows.users.find(person.id), language)

    async def _note_user(self, visit: Visit, update: Update, person: Person, *, wakes: bool) -> User:
        """Record, before the effect, what the update says about its user: their language, and that they are there."""
        user = await self._profile.speaks(visit, negotiate(person.language_code), person.language_code)
        if update.my_chat_member:
            return user
        if user.blocked_at:  # somebody who writes to us has not blocked us
            await self._profile.unblocked(visit.rows, user, visit.now)
            user = await visit.rows.users.find(user.id) or user
        return await self._pace.note_activity(visit.as_user(user), wakes=wakes)

    async def _leave_no_trace(self, user_id: int, result: Result) -> None:
        """Clear deleted data from the database's log, so that the answer can say that nothing is left."""
        if isinstance(result, Erased | Deleted):
            await self._store.remove_asides(user_id=user_id if isinstance(result, Erased) else None)
            await self._store.sweep()

    async def flush(self) -> None:
        """Record which answers and cards are known to have been sent, which otherwise waits for the next turn."""
        if self._answered:
            async with self._store.writing() as rows:
                answered = await self._note(rows)
            self._answered -= answered

    async def _note(self, rows: Rows) -> frozenset[int]:
        """Record them in this transaction. Returns the answers recorded, to be forgotten once it is committed."""
        answered = frozenset(self._answered)
        await rows.updates.mark_answered(sorted(answered))
        await self._answers.note_cards(rows)
        return answered
