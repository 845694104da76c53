"""Handlers of the start, step by step. Users can leave it at any point and continue where they left off."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import time
from typing import TypeVarTuple

from bot.domain.hours import hour_alone, parse_hour, shows_clock
from bot.domain.invitations import Secret, find_link, looks_like_code, read_secret, read_typed
from bot.domain.model import Ask, Step, Waiting
from bot.domain.moments import looks_like_time
from bot.domain.results import (
    Asked,
    Came,
    ClockWanted,
    ConsentWanted,
    Declined,
    FirstAskPlanned,
    ForwardedText,
    HourWanted,
    Invited,
    Outdated,
    Ready,
    Result,
    Silence,
    TextOnly,
)
from bot.domain.results.arrivals import ArrivalOffered
from bot.domain.typed import LINE_LIMIT
from bot.services.profile import Profile
from bot.services.start import next_step
from bot.services.use_cases import UseCases
from bot.services.visit import Visit
from bot.services.zones import zones_meant
from bot.tg.turn import Turn

Ts = TypeVarTuple("Ts")


class StartHandlers:
    """Handlers of the start."""

    def __init__(self, use: UseCases) -> None:
        self._start = use.start
        self._pairing = use.pairing
        self._lines = use.lines
        self._zones = use.zones
        self._profile = Profile()

    async def start(self, turn: Turn) -> Result:
        if turn.user:
            await turn.rows.dialogs.forget(turn.user_id)
            await self._profile.unblocked(turn.rows, turn.user, turn.now)
        return await self.next(turn, again=True)

    async def consent(self, turn: Turn, invited_by: str) -> Result:
        """Take the consent of somebody who may have come with an unanswered Invite."""
        result = await self._start.consent(turn.rows, turn.user, turn.user_id, turn.language, turn.now)
        secret = read_secret(invited_by)
        return await self.invited(turn, secret) if secret else result

    async def join(self, turn: Turn, invited_by: str) -> Result:
        """Take the consent together with a yes to an Invite."""
        result = await self._start.consent(turn.rows, turn.user, turn.user_id, turn.language, turn.now)
        is_guest = await self._claim_and_promise(turn, invited_by)
        return result if is_guest else await self.invited(turn, read_secret(invited_by))

    async def receive(self, turn: Turn, invited_by: str) -> Result:
        """Take the consent together with a yes to an Invite, from somebody who wants no questions of their own."""
        secret = read_secret(invited_by)
        if turn.user or not await self._invited(turn, secret):
            return await self.join(turn, invited_by)
        user = await turn.rows.users.add(turn.user_id, turn.language, turn.now)
        person = turn.update.effective_user
        tag = person.language_code if person else None
        await self._profile.follow_language(Visit(turn.rows, user, turn.now), turn.language, tag)
        await self._claim_and_promise(turn, invited_by, receives_only=True)
        return await self.next(turn)

    async def _claim_and_promise(self, turn: Turn, invited_by: str, *, receives_only: bool = False) -> bool:
        """Claim the Invite for this user during the start, and note their yes. False if it leads nowhere."""
        user, secret = await turn.rows.users.find(turn.user_id), read_secret(invited_by)
        if user is None or secret is None or user.step is Step.READY:
            return False
        visit = Visit(turn.rows, user, turn.now)
        if (invite := await self._pairing.claim_at_start(visit, secret)) is None:
            return False
        await self._pairing.promise(visit, invite.id, turn.first_name, receives_only=receives_only)
        return True

    async def invited(self, turn: Turn, secret: Secret | None) -> Result:
        """Take a link or code from somebody who is still at the start, and first of all say who asks.

        Until they consent, we store nothing of it; it travels in the buttons.
        """
        user = await turn.rows.users.find(turn.user_id)
        if user is None:
            return await self._invited(turn, secret) or ConsentWanted()
        visit = Visit(turn.rows, user, turn.now)
        if user.step is Step.READY:
            return await self._pairing.open(visit, secret) if secret else await self.next(turn, again=True)
        if secret and (invite := await self._pairing.claim_at_start(visit, secret)):
            return await self._pairing.show(visit, invite.id)
        result = await self.next(turn)
        return replace(result, invite=Came.NOWHERE) if isinstance(result, Asked | HourWanted | ClockWanted) else result

    async def _invited(self, turn: Turn, secret: Secret | None, *, more: bool = False) -> Result | None:
        invite = await self._pairing.invited(turn.rows, secret, turn.now) if secret else None
        if invite is None:
            return None
        return Invited(invite.id, more=more)

    async def invited_more(self, turn: Turn, invited_by: str) -> Result:
        if turn.user:
            return await self.invited(turn, read_secret(invited_by))
        return await self._invited(turn, read_secret(invited_by), more=True) or ConsentWanted()

    async def invited_yes(self, turn: Turn, invited_by: str) -> Result:
        """Ask for the consent, after a yes to an Invite."""
        if turn.user:
            return await self.invited(turn, read_secret(invited_by))
        return ConsentWanted(invited=await self._invited(turn, read_secret(invited_by)) is not None)

    async def greeting(self, turn: Turn, invited_by: str) -> Result:
        """Go back from the screen that says what is stored, to the consent that it was opened from."""
        return await (self.next(turn, again=True) if turn.user else self.invited_yes(turn, invited_by))

    async def invitation(self, turn: Turn, invited_by: str) -> Result:
        """Go back from the screen that says what pairing means."""
        if turn.user is None and (invited := await self._invited(turn, read_secret(invited_by))):
            return invited
        return await self.next(turn, again=True)

    async def decline(self, turn: Turn) -> Result:
        return Declined() if turn.user is None else await self.next(turn, again=True)

    async def hour(self, turn: Turn, at: time | None) -> Result:
        """Take the tapped hour; None means another one, to be typed."""
        if turn.user is None or turn.user.step is not Step.HOUR:
            return await self._already(turn)
        return await self._start.set_hour(turn.visit, at) if at else await self._start.hour(turn.visit, typed=True)

    async def hour_first(self, turn: Turn) -> Result:
        """Leave the first question open, and go on to the hour."""
        return await self._start.hour_first(turn.visit) if turn.user else ConsentWanted()

    def from_the_clock_on(
        self, use_case: Callable[[Visit, *Ts], Awaitable[Result]]
    ) -> Callable[[Turn, *Ts], Awaitable[Result]]:
        """Wrap a use case around the zone so that during the start it works only once question and hour are done."""

        async def handle(turn: Turn, *values: *Ts) -> Result:
            is_early = turn.user is None or turn.user.step in {Step.CONSENT, Step.HOUR}
            return await self.next(turn) if is_early else await use_case(turn.visit, *values)

        return handle

    def only_at_the_clock(
        self, use_case: Callable[[Visit, *Ts], Awaitable[Result]]
    ) -> Callable[[Turn, *Ts], Awaitable[Result]]:
        """Wrap a use case around the zone so that it works only during the start, and not with old buttons later."""

        async def handle(turn: Turn, *values: *Ts) -> Result:
            if turn.user is None or turn.user.step is not Step.ZONE:
                return await self._already(turn)
            return await use_case(turn.visit, *values)

        return handle

    async def wait(self, turn: Turn) -> Result:
        if turn.user is None or turn.user.next_ask_at is None:
            return await self._already(turn)
        return FirstAskPlanned(turn.user.next_ask_at)

    async def typed(self, turn: Turn) -> Result:
        """Take a message sent before the start is done, as an answer to what is on the screen."""
        if find_link(turn.written):
            return await self.invited(turn, read_typed(turn.written))
        if turn.user is None or turn.user.step is Step.CONSENT:
            return ConsentWanted(typed=True)
        dialog = await turn.rows.dialogs.find(turn.user_id, turn.now)
        ask = await turn.rows.asks.latest(turn.user_id)
        if ask is None and await turn.rows.arrivals.waits(turn.user_id):
            return ArrivalOffered()
        if (dialog and dialog.waiting.wants_words) or await self._answers(turn, ask):
            return await self._line(turn)
        if turn.user.step is Step.ZONE:
            return await self._typed_place(turn)
        return await self._typed_hour(turn, ask, dialog.waiting if dialog else None)

    async def edited(self, turn: Turn) -> Result:
        """Take an edited text: a Line's, a Draft's, or one that we still wait for."""
        if turn.user is None:
            return ConsentWanted() if read_typed(turn.written) else Silence()
        message_id = turn.message.message_id
        draft = await turn.rows.drafts.from_message(turn.user_id, message_id)
        if draft and turn.user.step is Step.HOUR and shows_clock(turn.text):
            return await self._start.hour_or_line(turn.visit, turn.text, message_id)
        if draft or await turn.rows.lines.from_message(turn.user_id, message_id):
            return await self._lines.edited(turn.visit, turn.text, message_id)
        return await self.typed(turn) if await self._lines.still_awaits(turn.visit, message_id) else Silence()

    async def _answers(self, turn: Turn, ask: Ask | None) -> bool:
        """Return whether a message replies to the first question, which makes it the answer."""
        replied = turn.message.reply_to
        shown = await turn.rows.asks.shown_by(turn.user_id, replied) if replied else None
        return ask is not None and shown is not None and shown.id == ask.id

    async def _line(self, turn: Turn) -> Result:
        if turn.message.is_forwarded:
            return ForwardedText()
        if not turn.message.text:
            return TextOnly()
        return await self._lines.receive(turn.visit, turn.text, turn.message.message_id, reply_to=turn.message.reply_to)

    async def _typed_hour(self, turn: Turn, ask: Ask | None, awaited: Waiting | None) -> Result:
        """Take a text while the first question is open, or we have asked for the hour, or both."""
        is_open = ask is not None and ask.undecided
        if not is_open or awaited is Waiting.HOUR:
            return await self._typed_at_hour(turn, wants_line=is_open or awaited is None)
        if awaited is None and shows_clock(turn.text) and not turn.message.is_forwarded:
            return await self._start.hour_or_line(turn.visit, turn.text, turn.message.message_id)
        return await self._line(turn)

    async def _typed_at_hour(self, turn: Turn, *, wants_line: bool) -> Result:
        """Take a text after we have asked for the hour: it is one only if it is nothing but a time.

        Whatever else could be one, we ask about. A text without a time is a Line, or may be another one; but after "At
        what time?" (not `wants_line`) we ask about that too.
        """
        if at := hour_alone(turn.text):
            return await self._start.set_hour(turn.visit, at)
        is_clock = shows_clock(turn.text)
        if not is_clock and looks_like_code(turn.text):
            return await self.invited(turn, read_typed(turn.text))
        if wants_line and turn.text and not is_clock and not _tells_a_time(turn.text):
            await turn.rows.dialogs.forget(turn.user_id)
            return await self._line(turn)
        if turn.text and not is_clock and not turn.message.is_forwarded and len(turn.text) <= LINE_LIMIT:
            return await self._start.hour_or_line(turn.visit, turn.text, turn.message.message_id)
        result = await self._start.hour(turn.visit, typed=True, unclear=True)
        await turn.rows.dialogs.tried(turn.user_id, turn.message.message_id)
        return result

    async def _typed_place(self, turn: Turn) -> Result:
        if looks_like_code(turn.text) and not zones_meant(turn.text, turn.now, turn.language):
            return await self.invited(turn, read_typed(turn.text))
        result = await self._zones.place_said(turn.visit, turn.text)
        await turn.rows.dialogs.tried(turn.user_id, turn.message.message_id)
        return result

    async def _already(self, turn: Turn) -> Result:
        """Answer a button of a step that is already done: show the next step, or say that the button is outdated."""
        step = await self.next(turn)
        return Outdated() if isinstance(step, Ready) else step

    async def next(self, turn: Turn, *, again: bool = False) -> Result:
        """Return the next step of the start, or that everything is done."""
        return await next_step(turn.rows, await turn.rows.users.find(turn.user_id), turn.now, again=again)


def _tells_a_time(text: str) -> bool:
    """Return whether there is an hour in a text, or it is short and has a number: "Dinner at 8 pm", "at 25"."""
    return parse_hour(text) is not None or (looks_like_time(text) and any(map(str.isdigit, text)))
