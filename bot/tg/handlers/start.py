"""The start, step by step. Users can leave it at any point and continue where they left off."""

from dataclasses import replace
from datetime import time, timedelta
from typing import Final

from bot.domain.hours import parse_hour
from bot.domain.invitations import Secret, find_link, looks_like_code, read_secret, read_typed
from bot.domain.model import Dialog, Step, Waiting
from bot.domain.results import (
    Came,
    CityWanted,
    ClockWanted,
    ConsentWanted,
    Declined,
    FirstAskPlanned,
    HourWanted,
    Outdated,
    PlaceSought,
    PlaceWanted,
    Ready,
    Result,
    Silence,
)
from bot.domain.times import zones_with_clock
from bot.services.lines import PATIENCE
from bot.services.pairing import Pairing
from bot.services.profile import Profile, next_step
from bot.services.visit import Visit
from bot.services.zones import zones_meant
from bot.tg.turn import Turn

_LONGEST_PLACE: Final = 80


class StartHandlers:
    """Handlers of the start."""

    def __init__(self, profile: Profile, pairing: Pairing) -> None:
        self._profile = profile
        self._pairing = pairing

    async def start(self, turn: Turn) -> Result:
        if turn.user:
            await turn.rows.dialogs.forget(turn.user_id)
            await self._profile.unblocked(turn.rows, turn.user, turn.now)
        return next_step(await turn.rows.users.find(turn.user_id), turn.now, again=True)

    async def consent(self, turn: Turn, invited_by: str) -> Result:
        result = await self._profile.consent(turn.rows, turn.user, turn.user_id, turn.language, turn.now)
        user, secret = await turn.rows.users.find(turn.user_id), read_secret(invited_by)
        if user is None or secret is None:
            return result
        if user.step is Step.READY:
            return await self._pairing.open(Visit(turn.rows, user, turn.now), secret)
        return await self.invited(turn, secret)

    async def invited(self, turn: Turn, secret: Secret | None) -> Result:
        """Take a link or code from somebody still at the start: ask the next question, and say that the Invite waits.

        Until they agree, nothing of it is stored; it travels in the button they agree with.
        """
        user = await turn.rows.users.find(turn.user_id)
        result = next_step(user, turn.now, again=True)
        if user is None or not isinstance(result, HourWanted | ClockWanted):
            return result
        waits = secret and await self._pairing.come_along(Visit(turn.rows, user, turn.now), secret)
        return replace(result, invite=Came.WAITS if waits else Came.NOWHERE)

    async def greeting(self, turn: Turn, _invited_by: str) -> Result:
        """Go back from the screen that says what is stored."""
        return next_step(turn.user, turn.now, again=True)

    async def decline(self, turn: Turn) -> Result:
        return Declined() if turn.user is None else next_step(turn.user, turn.now, again=True)

    async def hour(self, turn: Turn, at: time | None) -> Result:
        """Take the hour that was tapped; None means another one, to be typed."""
        if turn.user is None:
            return ConsentWanted()
        if turn.user.step is not Step.HOUR:
            return self._already(turn)
        return HourWanted(typed=True) if at is None else await self._profile.set_hour(turn.visit, at)

    async def clock(self, turn: Turn, offset: int) -> Result:
        if turn.user is None or turn.user.step is not Step.ZONE:
            return self._already(turn)
        zones = zones_with_clock(turn.now, timedelta(minutes=offset))
        return CityWanted(tuple(zones)) if zones else ClockWanted()

    async def clocks(self, turn: Turn) -> Result:
        return ClockWanted() if turn.user and turn.user.step is Step.ZONE else self._already(turn)

    async def place(self, turn: Turn) -> Result:
        return PlaceWanted() if turn.user and turn.user.step is Step.ZONE else self._already(turn)

    async def zone(self, turn: Turn, zone: str) -> Result:
        if turn.user is None or turn.user.step is not Step.ZONE:
            return self._already(turn)
        await turn.rows.dialogs.forget(turn.user_id)
        result = await self._profile.set_zone(turn.visit, zone)
        if isinstance(result, Ready):
            return await self._pairing.after_start(turn.visit, result)
        return result

    async def wait(self, turn: Turn) -> Result:
        if turn.user is None or turn.user.next_ask_at is None:
            return self._already(turn)
        return FirstAskPlanned(turn.user.next_ask_at)

    async def typed(self, turn: Turn) -> Result:
        """Take a text sent before the start is complete: it answers the question on the screen."""
        step = turn.user.step if turn.user else Step.CONSENT
        if find_link(turn.written):
            return await self.invited(turn, read_typed(turn.written))
        if step is Step.HOUR:
            return await self._typed_hour(turn)
        if step is Step.ZONE:
            return await self._typed_place(turn)
        return ConsentWanted()

    async def edited(self, turn: Turn) -> Result:
        """Take an edited text while what it was read as is still awaited; also a code in somebody's first message."""
        if turn.user is None:
            return ConsentWanted() if read_typed(turn.written) else Silence()
        dialog = await turn.rows.dialogs.find(turn.user_id, turn.now)
        if dialog is None or dialog.message_id != turn.message.message_id:
            return Silence()
        return await self.typed(turn)

    async def _tried(self, turn: Turn, waiting: Waiting) -> None:
        """Remember this message as the last one that was read as an answer to this."""
        message_id = turn.message.message_id
        await turn.rows.dialogs.await_(turn.user_id, Dialog(waiting, 0, turn.now + PATIENCE, message_id))

    async def _typed_hour(self, turn: Turn) -> Result:
        if turn.user and (at := parse_hour(turn.text)):
            await turn.rows.dialogs.forget(turn.user_id)
            return await self._profile.set_hour(turn.visit, at)
        await self._tried(turn, Waiting.HOUR)
        if looks_like_code(turn.text):
            return await self.invited(turn, read_typed(turn.text))
        return HourWanted(typed=True, unclear=True)

    async def _typed_place(self, turn: Turn) -> Result:
        await self._tried(turn, Waiting.ZONE)
        if zones := zones_meant(turn.text, turn.now, turn.language):
            return CityWanted(zones, called=True)
        if looks_like_code(turn.text):
            return await self.invited(turn, read_typed(turn.text))
        return PlaceSought() if len(turn.text) <= _LONGEST_PLACE else ClockWanted(unclear=True)

    def _already(self, turn: Turn) -> Result:
        """Answer a button of a step that is already done: show the next step, or say that the button is outdated."""
        step = next_step(turn.user, turn.now)
        return Outdated() if isinstance(step, Ready) else step
