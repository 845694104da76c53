"""What waits for a decision: found again after the message that asked about it is gone."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Final

from bot.domain.results import NothingHere, NotPaired, Outdated, Result, SharingEnded
from bot.domain.results.answering import AlreadyAnswered
from bot.domain.results.undecided import Decided, StillUndecided
from bot.domain.undecided import Undecided, Waits
from bot.services.visit import Visit

AskAgain = Callable[[Visit, int], Awaitable[Result]]
"""Asks again about the thing with this id, or says that there is none any more."""


class Deciding:
    """The use cases of the neutral line, and of the button that leads to it."""

    def __init__(self, ask_again: Mapping[Waits, AskAgain]) -> None:
        self.ask_again: Final = ask_again

    async def show(self, visit: Visit, waits: Waits, subject_id: int) -> Result:
        """Ask again in place of the neutral line."""
        result = await self.ask_again[waits](visit, subject_id)
        if isinstance(result, SharingEnded | NotPaired):
            return replace(result, beside=False)
        return Decided() if isinstance(result, Outdated | NothingHere | AlreadyAnswered) else result

    async def find(self, visit: Visit) -> Result:
        """Show the neutral line about the latest undecided thing."""
        found = await _latest(visit)
        return StillUndecided(found.waits, found.id) if found else Outdated()

    async def mention(self, visit: Visit, result: Result) -> Result:
        """Return this result so that its screen has a button to what is undecided, if anything is."""
        return replace(result, undecided=True) if await _latest(visit) else result


async def _latest(visit: Visit) -> Undecided | None:
    """Return what was asked about last. The preview of an unchanged Line doesn't count: it can be had at any time."""
    asked = await visit.rows.traces.undecided(visit.user.id)
    previews = [found.id for found in asked if found.waits is Waits.SHARE]
    reworded = await visit.rows.reflections.reworded(visit.user.id, previews) if previews else set()
    return next((found for found in asked if found.waits is not Waits.SHARE or found.id in reworded), None)
