"""The sharer's side of Responses: seeing what the receiver chose to send, and saying how it landed."""

from collections.abc import Mapping

from bot.domain.model import DEPTH_AT_START
from bot.domain.notices import Notice, NoticeKind, free_at
from bot.domain.results import NothingHere, Result
from bot.domain.results.responses import LandedBadly, LandedWell, LandedWorry, ResponseReceived
from bot.domain.sharing import QUESTIONS, Response
from bot.services.names import name_of
from bot.services.pairing import explain_no_pair
from bot.services.visit import NoticeHandlers, Visit


class Responses:
    """The sharer's use cases once there is a Response."""

    def __init__(self) -> None:
        self.notice_handlers: NoticeHandlers = {NoticeKind.RESPONSE: self.tell_sharer}

    async def tell_sharer(self, visit: Visit, notice: Notice) -> Result | None:
        """Show the sharer the Response; put it off while the bot may not write to them.

        Returns None once the Pair has ended, even if one user answered in the same instant as the other one left.
        """
        response = await visit.rows.responses.theirs(visit.user.id, notice.subject_id)
        reflection = await visit.rows.reflections.mine(visit.user.id, response.reflection_id) if response else None
        if response is None or reflection is None or not await visit.rows.pairs.find(visit.user.id, reflection.pair_id):
            return None
        free = free_at(visit.user, visit.now)
        if free > visit.now:
            await visit.rows.notices.suspend(notice, free)
            return None
        await visit.rows.reflections.tell_answered(reflection.id)
        return ResponseReceived(response.id, response.reflection_id, response.answer)

    async def landed(self, visit: Visit, response_id: int, *, well: bool) -> Result:
        """Record, privately, whether the Response landed well. If not, the questions get one step lighter, once.

        The first answer stands: to a different one later, we reply as to the first.
        """
        pair = await visit.rows.pairs.active(visit.user.id)
        if pair is None:  # the usual answer, as any other would reveal whether the partner has erased it
            return await explain_no_pair(visit.rows, visit.user, beside=True)
        response = await visit.rows.responses.theirs(visit.user.id, response_id)
        found = await visit.rows.reflections.mine(visit.user.id, response.reflection_id) if response else None
        if response is None or found is None or found.pair_id != pair.id:
            return NothingHere()
        said = await visit.rows.responses.landed(response, well=well)
        stays = await self._leads_on(visit, response)
        if well if said else response.landed:
            return LandedWell(stays=stays)
        lighter = said and visit.user.depth > DEPTH_AT_START
        if lighter:
            await visit.rows.users.change(visit.user, depth=visit.user.depth - 1, comfortable=0)
        return LandedBadly(lighter=lighter, stays=stays)

    async def _leads_on(self, visit: Visit, response: Response) -> bool:
        """Return whether the Response's message has buttons besides those for how it landed."""
        if response.answer in QUESTIONS:
            return True
        return await visit.rows.expectations.find(visit.user.id, response.reflection_id) is not None

    async def worry(self, _visit: Visit) -> Result:
        """Show where to turn, only on request: a clumsy Response is no reason to suggest leaving somebody."""
        return LandedWorry()

    async def read(self, visit: Visit, result: ResponseReceived) -> Mapping[str, str]:
        response = await visit.rows.responses.theirs(visit.user.id, result.response_id)
        reflection = await visit.rows.reflections.mine(visit.user.id, result.reflection_id)
        if response is None or reflection is None or not await visit.rows.pairs.find(visit.user.id, reflection.pair_id):
            return {}
        follow_up = await visit.rows.follow_ups.to(response.id)
        expected = await visit.rows.expectations.find(visit.user.id, reflection.id)
        return {
            "name": await name_of(visit.rows, response.user_id),
            "words": (await visit.rows.reflections.words_of(visit.user.id, [reflection.id])).get(reflection.id, ""),
            "answer": await visit.rows.responses.words(response) or "",
            "expected": "yes" if expected and expected[1] is None else "",
            "follow_up": "yes" if follow_up and follow_up.said_yes_at else "",
        }
