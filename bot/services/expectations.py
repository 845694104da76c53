"""What a sharer expects before a line goes out, and what then came. Off until they have said yes to it once."""

from collections.abc import Mapping

from bot.domain.expectations import ENOUGH, Reception, tally
from bot.domain.results import NothingHere, Result
from bot.domain.results.expectations import (
    ExpectationNoted,
    ExpectationOffered,
    ExpectationsOff,
    ExpectationWanted,
    OutcomeNoted,
    OutcomeWanted,
    TallyShown,
)
from bot.domain.sharing import Reflection
from bot.services.sharing import Sharing
from bot.services.visit import Visit


class Expectations:
    """The sharer's use cases. Nothing that the receiver can observe depends on these rows."""

    def __init__(self, sharing: Sharing) -> None:
        self._sharing = sharing

    async def offer(self, visit: Visit, reflection_id: int) -> Result:
        """Ask for the Expectation; somebody who has never said yes to that gets an explanation first."""
        if await visit.rows.expectations.any_of(visit.user.id):
            return await self.ask(visit, reflection_id)
        found = await self._unanswered(visit, reflection_id)
        return ExpectationOffered(found.id) if isinstance(found, Reflection) else found

    async def ask(self, visit: Visit, reflection_id: int) -> Result:
        found = await self._unanswered(visit, reflection_id)
        return ExpectationWanted(found.id) if isinstance(found, Reflection) else found

    async def expect(self, visit: Visit, expected: Reception, reflection_id: int) -> Result:
        found = await self._unanswered(visit, reflection_id)
        if not isinstance(found, Reflection):
            return found
        await visit.rows.expectations.expect(visit.user.id, found.id, expected)
        return ExpectationNoted()

    async def _unanswered(self, visit: Visit, reflection_id: int) -> Reflection | Result:
        """Return the Reflection, or its Response to be shown again: once that is there, nothing is left to expect."""
        found = await self._sharing.mine(visit, reflection_id)
        if isinstance(found, Reflection) and await visit.rows.responses.to(found.id):
            return await self._sharing.shown(visit.rows, found, visit.now)
        return found

    async def stop(self, visit: Visit) -> Result:
        """Stop asking for Expectations, and delete those noted so far."""
        await visit.rows.expectations.drop_all(visit.user.id)
        return ExpectationsOff()

    async def ask_outcome(self, visit: Visit, reflection_id: int) -> Result:
        found = await visit.rows.expectations.find(visit.user.id, reflection_id)
        return OutcomeWanted(reflection_id) if found else NothingHere()

    async def note(self, visit: Visit, came: Reception, reflection_id: int) -> Result:
        """Note the Outcome. When there are enough, say once how often the worst was expected and how often it came."""
        if await visit.rows.expectations.find(visit.user.id, reflection_id) is None:
            return NothingHere()
        first = await visit.rows.expectations.note(visit.user.id, reflection_id, came)
        return OutcomeNoted(told=first and len(await visit.rows.expectations.noted(visit.user.id)) == ENOUGH)

    async def show(self, _visit: Visit) -> Result:
        """Show the Tally on request."""
        return TallyShown()

    async def read_tally(self, visit: Visit, _: Result) -> Mapping[str, str]:
        found = tally(await visit.rows.expectations.noted(visit.user.id))
        if found.lines < ENOUGH:
            return {}
        return {"lines": str(found.lines), "feared": str(found.feared), "came": str(found.came)}
