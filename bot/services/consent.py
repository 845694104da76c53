"""Consent to the policy: withdrawing it, and asking again, after that or when the policy has a new version.

Without it nothing of a user is processed but an export or an erase: nothing that they send is taken, no Ask and no
Notice is sent to them, and nothing of theirs goes to their partner. What is stored stays as it is. The partner isn't
told: to them it is as if what wasn't opened had been taken back.
"""

from typing import Final

from bot.domain.model import POLICY_VERSION
from bot.domain.notices import Notice, NoticeKind
from bot.domain.results import Result
from bot.domain.results.privacy import ConsentAgain, ConsentWithdrawn, WithdrawWanted
from bot.services.pairing import Pairing
from bot.services.planning import replan
from bot.services.ritual import Rituals
from bot.services.sharing import Sharing
from bot.services.start import next_step
from bot.services.visit import Speakers, Visit

_ON_THE_WAY: Final = (NoticeKind.RESPONSE_DUE, NoticeKind.FOLLOW_UP_DUE)
"""What its user has said yes to, and could still undo."""


class Consents:
    """Use cases of users who withdraw their consent, or are asked for it again."""

    def __init__(self, pairing: Pairing, sharing: Sharing, rituals: Rituals) -> None:
        self._pairing = pairing
        self._sharing = sharing
        self._rituals = rituals
        self.speakers: Speakers = {NoticeKind.CONSENT: self.tell}

    async def ask_withdraw(self, _: Visit) -> Result:
        """Ask before anything is withdrawn."""
        return WithdrawWanted()

    async def withdraw(self, visit: Visit) -> Result:
        """Stop all processing of this user's data. Nothing is removed but what was still to go out to somebody."""
        if not visit.user.has_agreed:
            return await self.ask_again(visit)
        rows, user_id = visit.rows, visit.user.id
        await rows.dialogs.forget(user_id)
        await self._rituals.take_all_out(visit)
        await self._sharing.withdraw_all(visit)
        await self._pairing.drop_invites(visit)
        await rows.notices.cancel_of(user_id, _ON_THE_WAY, visit.now)
        await replan(visit, consented_at=None, consent_version=None)
        return ConsentWithdrawn()

    async def ask_again(self, visit: Visit) -> Result:
        return ConsentAgain(withdrawn=visit.user.consented_at is None)

    async def tell(self, visit: Visit, _: Notice) -> Result | None:
        """Ask about a new version of the policy, if that is still necessary."""
        return None if visit.user.has_agreed or visit.user.consented_at is None else await self.ask_again(visit)

    async def agree(self, visit: Visit) -> Result:
        """Take their consent to the present policy. They go on where they were."""
        if visit.user.has_agreed:
            return await next_step(visit.rows, visit.user, visit.now, again=True)
        user = await replan(visit, consented_at=visit.now, consent_version=POLICY_VERSION)
        await visit.rows.notices.resume(user.id, visit.now)
        return await next_step(visit.rows, user, visit.now, again=True)
