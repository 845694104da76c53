"""A turn: one update of one user takes effect and its answer is stored, in one transaction."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from bot.clock import Clock
from bot.delivery.outbox import Outbox, Ready
from bot.domain.model import Step, User
from bot.domain.results import Outdated, Result, Silence, Sorry
from bot.domain.results.arrivals import ArrivalUnderWay
from bot.i18n import negotiate
from bot.services.arrivals import is_taking_in
from bot.services.menu import changes_menu, renew_menus
from bot.services.pace import Pace
from bot.services.profile import Profile
from bot.services.start import next_step
from bot.services.visit import Visit
from bot.storage.store import Rows, Store
from bot.tg import location_keyboard
from bot.tg.actions import NotOurs
from bot.tg.answers import Answer, Answers, first_name_of
from bot.tg.rendering import Renderer
from bot.tg.repeats import Repeats
from bot.tg.updates import Message, Person, Update
from bot.tg.written import argument_of, written


@dataclass(slots=True)
class Turn:
    """A handler's argument: the facts of the update, and the transaction in which it takes effect."""

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
        """The text after the command."""
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
        """The Visit of this turn's user. Raises NotOurs if they haven't agreed yet."""
        if self.user is None:
            raise NotOurs
        return Visit(self.rows, self.user, self.now)


Handler = Callable[[Turn], Awaitable[Result]]


class Handling(NamedTuple):
    """How an update is handled: by which handler, and under which conditions."""

    handler: Handler
    wakes: bool = True
    """Whether the update shows that its user wants a daily question again, and not only that they are there."""
    always: bool = False
    """Whether it also runs for a user who doesn't agree to the current policy."""


@dataclass(frozen=True, slots=True)
class _Effect:
    """The outcome of an update."""

    result: Result
    user: User | None
    """The user afterwards."""
    language: str


class UpdateProcessor:
    """Processes updates: lets each take effect, and hands on its answer."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        renderer: Renderer,
        answers: Answers,
        outbox: Outbox,
        profile: Profile,
        pace: Pace,
        *,
        owner: int,
    ) -> None:
        """`owner` is this process's id, which must have claimed the updates."""
        self._store = store
        self._clock = clock
        self._renderer = renderer
        self._answers = answers
        self._outbox = outbox
        self._profile = profile
        self._pace = pace
        self._owner = owner
        self._repeats = Repeats()

    async def process(self, update: Update, handling: Handling, arrived: float | None = None) -> None:
        """Let an update take effect, and hand on its answer.

        `arrived` is when it came, on the event loop's clock; None if another process took it. Raises NotClaimed if
        another process has claimed or handled it. After any other exception it has had no effect.
        """
        person = _person(update)
        now = self._clock.now()
        async with self._store.writing(person.id) as rows:
            if update.message:
                rows.lines.prefetch_text(person.id, update.message.message_id)
            behind = await self._begin(rows, update, person, now)
            effect = await self._effect(rows, update, person, handling, now)
            answer = await self._answer(rows, update, person, effect, now, behind)
        self._repeats.said(person.id, update, effect.result, now)
        self._outbox.hand_on(answer, rows.due_at, arrived)

    async def apologize(self, update: Update, code: str) -> None:
        """Give up on an update, and tell its user. Raises NotClaimed."""
        person = _person(update)
        now = self._clock.now()
        async with self._store.writing(person.id) as rows:
            behind = await self._begin(rows, update, person, now)
            effect = _Effect(Sorry(code), None, negotiate(person.language_code))
            answer = await self._answer(rows, update, person, effect, now, behind)
        self._outbox.hand_on(answer, rows.due_at)

    async def _begin(self, rows: Rows, update: Update, person: Person, now: datetime) -> datetime | None:
        """Note that we handle the update. Return when its answer is due if it has to wait behind others.

        It also waits, for others to send it, if we may claim nothing. Raises NotClaimed.
        """
        rows.notices.prefetch_answers(person.id, self._owner)
        await rows.inbox.handle(update.update_id, self._owner, now)
        behind = await rows.notices.behind(person.id, self._owner, now)
        return behind if self._outbox.may_claim else behind or now

    async def _effect(self, rows: Rows, update: Update, person: Person, handling: Handling, now: datetime) -> _Effect:
        """Note what the update shows about its user, and run its handler, unless another one has to answer instead."""
        known = await rows.users.find(person.id)
        user = await self._note_user(Visit(rows, known, now), update, person, wakes=handling.wakes) if known else None
        language = user.language if user else negotiate(person.language_code)  # also for the answer to an erase
        turn = Turn(update, rows, person.id, user, language, now)
        try:
            result = await (await _handler_instead(turn, handling) or handling.handler)(turn)
        except NotOurs:
            result = Outdated()
        if self._repeats.is_one(person.id, update, result, now):
            result = Silence()
        after = await rows.users.find(person.id)
        if after:
            result = await location_keyboard.marked(rows, after, update.message, result, now)
        if known and after and changes_menu(rows, known, after):
            await renew_menus(rows, [after.id], now)
        return _Effect(result, after, after.language if after else language)

    async def _answer(
        self, rows: Rows, update: Update, person: Person, effect: _Effect, now: datetime, behind: datetime | None
    ) -> Ready | None:
        """Add the answer to the outbox. Return it, if there is one."""
        result = effect.result
        if isinstance(result, Silence) and not result.stale and not update.callback_query:
            await rows.inbox.answered([update.update_id])
            return None
        notice = await rows.notices.add_answer(person.id, update.update_id, result, now, self._owner, behind=behind)
        words = await self._renderer.words(rows, effect.user, result, now) if notice else {}
        answer = Answer(notice, update, person.id, effect.user, effect.language, result, now, words)
        return self._answers.ready(answer)

    async def _note_user(self, visit: Visit, update: Update, person: Person, *, wakes: bool) -> User:
        """Before the effect, record what the update shows about its user: their language, and that they are there."""
        if not visit.user.has_agreed:
            return visit.user
        user = await self._profile.follow_language(visit, negotiate(person.language_code), person.language_code)
        if update.my_chat_member:
            return user
        if user.blocked_at:  # somebody who writes to us hasn't blocked us
            await self._profile.unblocked(visit.rows, user, visit.now)
            user = await visit.rows.users.find(user.id) or user
        return await self._pace.note_activity(visit.as_user(user), wakes=wakes)


async def _handler_instead(turn: Turn, handling: Handling) -> Handler | None:
    """Return the handler to run instead, if we must not read what this user has sent."""
    if turn.user is None or handling.always:
        return None
    if not turn.user.has_agreed:
        return _without_consent
    return _while_taking_in if await is_taking_in(turn.visit) else None


async def _without_consent(turn: Turn) -> Result:
    """Answer a user who doesn't agree to the current policy."""
    return await next_step(turn.rows, turn.user, turn.now) if _expects_answer(turn) else Silence()


async def _while_taking_in(turn: Turn) -> Result:
    """Answer a user whose export is being taken in, as their action would interfere with it."""
    return ArrivalUnderWay() if _expects_answer(turn) else Silence()


def _expects_answer(turn: Turn) -> bool:
    return bool(turn.update.message or turn.update.callback_query)


def _person(update: Update) -> Person:
    """Return who acted. Raises LookupError for an update without a person, which we never handle."""
    if (person := update.effective_user) is None:
        raise LookupError("nobody")
    return person
