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

    def mentioned(self, use_case: Callable[[Visit], Awaitable[Result]]) -> Callable[[Visit], Awaitable[Result]]:
        """Return this use case so that its screen has a button to what is undecided, if anything is."""

        async def with_mention(visit: Visit) -> Result:
            result = await use_case(visit)
            return replace(result, undecided=True) if await _latest(visit) else result

        return with_mention


async def _latest(visit: Visit) -> Undecided | None:
    """Return what was asked about last. A mere preview doesn't count: its Line can be shared at any time."""
    found = await visit.rows.traces.undecided(visit.user.id)
    return next((each for each in found if each.waits is not Waits.SHARE), None)
