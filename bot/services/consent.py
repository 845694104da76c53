"""Consent to the policy: withdrawing it, and asking for it again, also when the policy has a new version.

Without consent we only export or erase a user's data. We keep nothing that they send, send them no Ask and no Notice,
and pass on nothing of theirs to their partner. Stored data stays as it is. We don't tell the partner: to them it looks
as if the user had taken back everything unopened.
"""

from bot.domain.model import POLICY_VERSION
from bot.domain.notices import Notice, NoticeKind
from bot.domain.results import Result
from bot.domain.results.privacy import ConsentAgain, ConsentWithdrawn, WithdrawWanted
from bot.domain.undecided import OF_TWO
from bot.services.answering import Answering
from bot.services.follow_ups import FollowUps
from bot.services.pairing import Pairing
from bot.services.planning import replan
from bot.services.ritual import Rituals
from bot.services.sharing import Sharing
from bot.services.start import next_step
from bot.services.traces import stop_asking
from bot.services.visit import NoticeHandlers, Visit


class Consents:
    """The use cases of users who withdraw their consent, or whom we ask for it again."""

    def __init__(
        self, pairing: Pairing, sharing: Sharing, rituals: Rituals, answering: Answering, follow_ups: FollowUps
    ) -> None:
        self._pairing = pairing
        self._sharing = sharing
        self._rituals = rituals
        self._answering = answering
        self._follow_ups = follow_ups
        self.notice_handlers: NoticeHandlers = {NoticeKind.CONSENT: self.tell}

    async def ask_withdraw(self, _: Visit) -> Result:
        """Ask whether to withdraw the consent, before anything happens."""
        return WithdrawWanted()

    async def withdraw(self, visit: Visit) -> Result:
        """Stop all processing of this user's data. We only remove what was still to go out to somebody."""
        if not visit.user.has_agreed:
            return await self.ask_again(visit)
        await visit.rows.dialogs.forget(visit.user.id)
        await self._rituals.take_all_out(visit)
        await self._sharing.withdraw_all(visit)
        await self._pairing.drop_invites(visit)
        await self._answering.undo_all(visit)
        await self._follow_ups.undo_all(visit)
        await stop_asking(visit, OF_TWO)
        await replan(visit, consented_at=None, consent_version=None)
        return ConsentWithdrawn()

    async def ask_again(self, visit: Visit) -> Result:
        return ConsentAgain(withdrawn=visit.user.consented_at is None)

    async def tell(self, visit: Visit, _: Notice) -> Result | None:
        """Ask about a new version of the policy, if that is still necessary."""
        return None if visit.user.has_agreed or visit.user.consented_at is None else await self.ask_again(visit)

    async def agree(self, visit: Visit) -> Result:
        """Record consent to the current policy. The user goes on where they were."""
        if visit.user.has_agreed:
            return await next_step(visit.rows, visit.user, visit.now, again=True)
        user = await replan(visit, consented_at=visit.now, consent_version=POLICY_VERSION)
        await visit.rows.notices.resume(user.id, visit.now)
        return await next_step(visit.rows, user, visit.now, again=True)
