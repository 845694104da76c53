"""Pairing: two people let each other in, each by a word of their own, and either ends it alone.

Every step is one transaction with a conditional change, so that at any moment there is a whole Pair or none.
"""

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from datetime import datetime
from typing import Any, Final

from bot.domain.invitations import Secret, looks_like_code, read_secret, read_typed
from bot.domain.model import Dialog, Draft, DraftReason, Invite, Notice, NoticeKind, Pair, User, Waiting
from bot.domain.notices import free_at
from bot.domain.pairing import (
    CROWD,
    DOOR_SHUT,
    INVITE_VALID_FOR,
    NAME_LIMIT,
    clean_name,
    door_is_shut,
    shown_code,
)
from bot.domain.results import (
    AlreadyPaired,
    ArgumentUnclear,
    CodeOrLine,
    CodeWanted,
    GuestAnswered,
    GuestRefused,
    Invitation,
    InvitationAccepted,
    InvitationDeclined,
    InvitationLeft,
    InviteOpen,
    InviteTakenBack,
    NoSuchInvite,
    NothingCame,
    NotPaired,
    Outdated,
    Paired,
    PairNameWanted,
    Ready,
    Result,
    SharingEnded,
    TooManyTries,
    UnpairLeft,
    UnpairWanted,
    receiving,
    ritual,
    sharing,
)
from bot.services.lines import PATIENCE
from bot.services.menu import renew
from bot.services.visit import Visit
from bot.storage.store import Rows

OnUnpaired = Callable[[Rows, Pair, datetime], Awaitable[None]]
"""Cancels what a Pair has in flight, in the transaction that ends it and before its row goes."""


Reader = Callable[[Visit, Any], Coroutine[Any, Any, Mapping[str, str]]]


async def explain_no_pair(rows: Rows, user: User, *, beside: bool = False) -> Result:
    """What to say to one without a partner who reaches for sharing: once that it has ended, else how to begin.

    `beside` says that what was tapped may hold words, and stays.
    """
    return SharingEnded() if await rows.pairs.tell_ended(user.id) else NotPaired(beside=beside)


_BETWEEN_TWO: Final = frozenset(
    kind
    for kind in Result.__subclasses__()
    if kind.__module__ in {receiving.__name__, ritual.__name__, sharing.__name__}
)
"""What is only said to somebody in a Pair."""


async def recheck(rows: Rows, user: User | None, result: Result) -> Result:
    """What to say in place of `result` where the answer to a tap is late: the Pair may have ended since."""
    if user is None or type(result) not in _BETWEEN_TWO or await rows.pairs.active(user.id):
        return result
    return await explain_no_pair(rows, user, beside=True)


class Pairing:
    """Use cases around Invites and Pairs. `rows` is the transaction they happen in."""

    def __init__(self, *on_unpaired: OnUnpaired) -> None:
        self._on_unpaired = on_unpaired
        self.readers: Final[Mapping[type[Result], Reader]] = {
            InviteOpen: self._read_own_invite,
            Invitation: self._read_invitation,
            InvitationAccepted: self._read_invitation,
            GuestAnswered: self._read_guest,
            Paired: self._read_partner,
            AlreadyPaired: self._read_partner,
            UnpairWanted: self._read_partner,
        }
        self.typed: Final = {Waiting.PAIR_NAME: self.named, Waiting.CODE: self.code_typed}

    # The one who asks

    async def pair(self, visit: Visit, *, here: bool = False) -> Result:
        """Where this user is with pairing: the Invite to pass on, made if need be, or what has to be said first."""
        if pair := await visit.rows.pairs.active(visit.user.id):
            return AlreadyPaired(pair.id)
        ended = await visit.rows.pairs.tell_ended(visit.user.id)
        invite = await visit.rows.invites.of(visit.user.id, visit.now)
        if invite and invite.accepted_at:
            return GuestAnswered(invite.id)
        if await visit.rows.users.name(visit.user.id) is None:
            return PairNameWanted(ended=ended)
        if invite is None:
            invite = await visit.rows.invites.make(visit.user.id, visit.now + INVITE_VALID_FOR)
        return InviteOpen(invite.id, invite.expires_at, ended=ended, here=here)

    async def pair_said(self, visit: Visit, words: str) -> Result:
        """What stands behind /pair: somebody else's code, or nothing that could be understood."""
        return await self.join(visit, words) if read_secret(words) else ArgumentUnclear("pair")

    async def confirm_name(self, visit: Visit, first_name: str) -> Result:
        """The name that Telegram shows is the one to show here. One that was set since stays."""
        if gone_on := await self._gone_on(visit):
            return gone_on
        if await visit.rows.users.name(visit.user.id) is not None:
            return await self._own_now(visit)
        name = clean_name(first_name)
        if not name:
            return await self._await_name(visit, 0)
        await visit.rows.users.set_name(visit.user.id, name)
        return await self.pair(visit, here=True)

    async def want_name(self, visit: Visit, invite_id: int) -> Result:
        """Another name: for the guest of one's own Invite, or for the one who made `invite_id`."""
        if gone_on := await self._gone_on(visit):
            return gone_on
        if invite_id:
            invite = await visit.rows.invites.find_as_guest(visit.user.id, invite_id, visit.now)
            if invite is None or invite.accepted_at:
                return InvitationAccepted(invite.id) if invite else NothingCame()
        elif await visit.rows.users.name(visit.user.id) is not None:
            own = await visit.rows.invites.of(visit.user.id, visit.now)
            if own is None or own.accepted_at:
                return await self._own_now(visit)
        return await self._await_name(visit, invite_id)

    async def _await_name(self, visit: Visit, invite_id: int) -> Result:
        """The next text is the name."""
        await visit.rows.dialogs.await_(visit.user.id, Dialog(Waiting.PAIR_NAME, invite_id, visit.now + PATIENCE))
        return PairNameWanted(invite_id, typed=True)

    async def named(self, visit: Visit, dialog: Dialog, words: str, _message_id: int) -> Result | None:
        if gone_on := await self._gone_on(visit):
            return gone_on
        name = clean_name(words)
        if not name or len(words) > NAME_LIMIT:
            await visit.rows.dialogs.await_(
                visit.user.id, Dialog(Waiting.PAIR_NAME, dialog.subject_id, visit.now + PATIENCE)
            )
            return PairNameWanted(dialog.subject_id, typed=True, unclear=len(words) > NAME_LIMIT)
        await visit.rows.users.set_name(visit.user.id, name)
        if dialog.subject_id == 0:
            return await self.pair(visit)
        invite = await visit.rows.invites.find_as_guest(visit.user.id, dialog.subject_id, visit.now)
        return _standing(invite) if invite else NothingCame()

    async def renew(self, visit: Visit, invite_id: int) -> Result:
        """Another link and code; those of this Invite lead nowhere from now on."""
        if gone_on := await self._gone_on(visit):
            return gone_on
        if not await self._drop_unanswered(visit, invite_id):
            return await self._own_now(visit)
        return await self.pair(visit, here=True)

    async def take_back(self, visit: Visit, invite_id: int) -> Result:
        """The link and code of this Invite lead nowhere from now on."""
        if gone_on := await self._gone_on(visit):
            return gone_on
        if not await self._drop_unanswered(visit, invite_id):
            return await self._own_now(visit)
        return InviteTakenBack()

    async def confirm(self, visit: Visit, invite_id: int) -> Result:
        """The one who asked says yes to who came: only now they are a Pair."""
        await visit.rows.pairs.alone()
        if gone_on := await self._gone_on(visit):
            return gone_on
        invite = await visit.rows.invites.find_own(visit.user.id, invite_id, visit.now)
        if invite and (invite.guest_id is None or invite.accepted_at is None):
            return InviteOpen(invite.id, invite.expires_at, here=False, nobody_waits=True)
        if invite is None or invite.guest_id is None or not await visit.rows.invites.use(invite):
            return NothingCame()
        await visit.rows.notices.cancel(NoticeKind.GUEST, invite.id, visit.now)
        pair = await visit.rows.pairs.make(visit.user.id, invite.guest_id, visit.now)
        if pair is None:
            return NothingCame()
        for dropped in await visit.rows.invites.drop_all_of(pair.a, pair.b):
            await visit.rows.notices.cancel(NoticeKind.GUEST, dropped, visit.now)
        await self._notify(visit.rows, pair.b, NoticeKind.PAIRED, pair.id, visit.now)
        return Paired(pair.id)

    async def refuse(self, visit: Visit, invite_id: int) -> Result:
        """The one who asked doesn't want who came. Nobody is told, and the guest can't find out either."""
        await visit.rows.pairs.alone()  # the guest may take the yes back at this instant
        if gone_on := await self._gone_on(visit):
            return gone_on
        invite = await visit.rows.invites.find_own(visit.user.id, invite_id, visit.now)
        if invite is None:
            return NothingCame()
        if invite.accepted_at is None:
            return InviteOpen(invite.id, invite.expires_at, here=False, nobody_waits=True)
        await visit.rows.invites.refuse(invite)
        await visit.rows.notices.cancel(NoticeKind.GUEST, invite.id, visit.now)
        return GuestRefused()

    async def _drop_unanswered(self, visit: Visit, invite_id: int) -> bool:
        """Close this Invite, if it is the user's own of now and nobody has said yes to it."""
        invite = await visit.rows.invites.find_own(visit.user.id, invite_id, visit.now)
        if invite is None or invite.accepted_at:
            return False
        return await visit.rows.invites.close(invite)

    async def _drop_own(self, visit: Visit) -> None:
        if invite_id := await visit.rows.invites.drop(visit.user.id):
            await visit.rows.notices.cancel(NoticeKind.GUEST, invite_id, visit.now)

    # What an old button finds

    async def _gone_on(self, visit: Visit) -> Result | None:
        """What is so for somebody who taps an old button of pairing: they are paired, or were until the other one left.

        None where they are neither.
        """
        if pair := await visit.rows.pairs.active(visit.user.id):
            return AlreadyPaired(pair.id)
        return SharingEnded() if await visit.rows.pairs.tell_ended(visit.user.id) else None

    async def _own_now(self, visit: Visit) -> Result:
        """The user's own Invite as it is now. None is made."""
        invite = await visit.rows.invites.of(visit.user.id, visit.now)
        if invite is None:
            return InviteTakenBack()
        if invite.accepted_at:
            return GuestAnswered(invite.id)
        return InviteOpen(invite.id, invite.expires_at, here=False)

    # The one who is asked

    async def open(self, visit: Visit, secret: Secret) -> Result:
        """A link was followed, or a code given with /join. What leads nowhere gets one answer, whatever the reason."""
        if pair := await visit.rows.pairs.active(visit.user.id):
            return AlreadyPaired(pair.id)
        if await self._is_shut(visit):
            return TooManyTries()
        ended = await visit.rows.pairs.tell_ended(visit.user.id)
        invite = await self._claim(visit, secret)
        return _standing(invite, ended=ended) if invite else NoSuchInvite(ended)

    async def join(self, visit: Visit, typed: str) -> Result:
        """What was given with /join, or sent after it. Where it leads nowhere, the next text is another try."""
        if not typed:
            await _await_code(visit)
            return CodeWanted()
        result = await self.open(visit, read_secret(typed) or Secret(code=typed))
        if isinstance(result, NoSuchInvite):
            await _await_code(visit)
        return result

    async def code_typed(self, visit: Visit, _awaited: Dialog, words: str, message_id: int) -> Result | None:
        """What is sent where a code is awaited is no Line, unless its writer says so."""
        if read_secret(words) or looks_like_code(words) or " " not in words:
            return await self.join(visit, words)
        await _await_code(visit)
        return await self._code_or_line(visit, words, message_id)

    async def recognize(self, visit: Visit, words: str, message_id: int) -> Result | None:
        """A text that nobody waited for may be a code. None where it is to be taken as a Line.

        Only a code that opens something is taken at its word. What else looks like one is asked about, the same
        whether there is a Pair, there was one, or there never was: a Line is no reason to hear of an end.
        """
        secret = read_typed(words)
        if secret and secret.link:
            return await self.open(visit, secret)
        if secret and not await visit.rows.pairs.looks_active_to(visit.user.id) and not await self._is_shut(visit):
            invite = await self._claim(visit, secret)
            if invite:
                return _standing(invite)
        return await self._code_or_line(visit, words, message_id) if looks_like_code(words) else None

    async def _code_or_line(self, visit: Visit, words: str, message_id: int) -> Result:
        ask = await visit.rows.asks.latest(visit.user.id)
        ask_id = ask.id if ask and ask.undecided else None
        draft = Draft(0, visit.user.id, DraftReason.UNASKED, words, message_id, ask_id)
        return CodeOrLine((await visit.rows.drafts.set_aside(draft, visit.now)).id)

    async def meant_as_code(self, visit: Visit, draft_id: int) -> Result:
        """The text that looked like a code was meant as one: it is let go, and the right one awaited."""
        draft = await visit.rows.drafts.find(visit.user.id, draft_id)
        if draft is None:
            return Outdated()
        await visit.rows.drafts.drop(draft)
        result = await self.join(visit, draft.text)
        await visit.rows.dialogs.tried(visit.user.id, draft.message_id)
        return result

    async def come_along(self, visit: Visit, secret: Secret) -> bool:
        """Somebody who is still at the start came with an Invite: it is theirs, and shown when the start is done."""
        return not await self._is_shut(visit) and await self._claim(visit, secret) is not None

    async def after_start(self, visit: Visit, ready: Ready) -> Result:
        """The start is done: the Invite that this user came with is shown now."""
        invite = await visit.rows.invites.latest_as_guest(visit.user.id, visit.now)
        return Invitation(invite.id, first_at=ready.first_at) if invite else ready

    async def accept(self, visit: Visit, invite_id: int, first_name: str) -> Result:
        """The guest says yes. Now the one who asks is asked in turn.

        A yes that is said again after it was taken back is not told again: yes and no in turn must be no way to knock.
        """
        if gone_on := await self._gone_on(visit):
            return gone_on
        invite = await visit.rows.invites.find_as_guest(visit.user.id, invite_id, visit.now)
        if invite is None:
            return NothingCame()
        if await visit.rows.users.name(visit.user.id) is None:
            name = clean_name(first_name)
            if not name:
                return await self._await_name(visit, invite_id)
            await visit.rows.users.set_name(visit.user.id, name)
        accepted = await visit.rows.invites.accept(invite, visit.user.id, visit.now)
        if (
            accepted
            and not invite.refused
            and not await visit.rows.notices.was_tried(invite.user_id, NoticeKind.GUEST, invite.id)
        ):
            await self._notify(visit.rows, invite.user_id, NoticeKind.GUEST, invite.id, visit.now)
        return InvitationAccepted(invite.id)

    async def decline(self, visit: Visit, invite_id: int) -> Result:
        """The guest says no to an invitation that they haven't answered yet. Nobody is told."""
        if gone_on := await self._gone_on(visit):
            return gone_on
        invite = await visit.rows.invites.find_as_guest(visit.user.id, invite_id, visit.now)
        return InvitationAccepted(invite.id) if invite and invite.accepted_at else InvitationDeclined()

    async def take_yes_back(self, visit: Visit, invite_id: int) -> Result:
        """The guest takes their yes back. Nobody is told, and the answer is the same whatever became of the yes."""
        await visit.rows.pairs.alone()  # the one who asked may say yes at this instant, and wants the same rows
        if gone_on := await self._gone_on(visit):
            return gone_on
        invite = await visit.rows.invites.find_as_guest(visit.user.id, invite_id, visit.now)
        if invite and await visit.rows.invites.unaccept(invite, visit.user.id):
            await visit.rows.notices.cancel(NoticeKind.GUEST, invite.id, visit.now)
        return InvitationLeft()

    async def _is_shut(self, visit: Visit) -> bool:
        wrong = await visit.rows.invites.wrong_since(visit.user.id, visit.now - 2 * DOOR_SHUT)
        crowded = await visit.rows.invites.all_wrong_since(visit.now - DOOR_SHUT, CROWD) >= CROWD
        return door_is_shut(wrong, visit.now, crowded=crowded)

    async def _claim(self, visit: Visit, secret: Secret) -> Invite | None:
        invite = await visit.rows.invites.claim(visit.user.id, link=secret.link, code=secret.code, now=visit.now)
        if invite is None:
            await visit.rows.invites.wrong(visit.user.id, visit.now)
        return invite

    # The end

    async def ask_unpair(self, visit: Visit) -> Result:
        if pair := await visit.rows.pairs.active(visit.user.id):
            return UnpairWanted(pair.id)
        return await explain_no_pair(visit.rows, visit.user)

    async def unpair(self, visit: Visit, pair_id: int) -> Result:
        """End it, at once and without a word to the other. What isn't opened yet is cancelled in both directions."""
        await visit.rows.pairs.alone()
        pair = await visit.rows.pairs.find(visit.user.id, pair_id)
        if pair is None:
            return await self._gone_on(visit) or NotPaired()
        await self._end(visit.rows, pair, visit.user, visit.now)
        return SharingEnded()

    async def keep_pair(self, visit: Visit) -> Result:
        return (
            UnpairLeft()
            if await visit.rows.pairs.active(visit.user.id)
            else await explain_no_pair(visit.rows, visit.user)
        )

    async def leave(self, visit: Visit) -> None:
        """This user goes for good: their Pair and Invite end, and whom they came to sees what was before they came."""
        await visit.rows.pairs.alone()
        await self._drop_own(visit)
        for invite_id in await visit.rows.invites.forget_guest(visit.user.id):
            await visit.rows.notices.cancel(NoticeKind.GUEST, invite_id, visit.now)
        if pair := await visit.rows.pairs.active(visit.user.id):
            await self._end(visit.rows, pair, visit.user, visit.now)

    async def _end(self, rows: Rows, pair: Pair, leaver: User, now: datetime) -> None:
        for cancel in self._on_unpaired:
            await cancel(rows, pair, now)
        await rows.notices.cancel(NoticeKind.PAIRED, pair.id, now)
        await rows.pairs.end(pair, leaver.id)

    # What is said later

    async def tell_maker(self, visit: Visit, notice: Notice) -> Result | None:
        """Somebody said yes to the user's Invite; it is for the user to say whether it is the one they meant."""
        invite = await visit.rows.invites.find_own(visit.user.id, notice.subject_id, visit.now)
        return GuestAnswered(invite.id) if invite and invite.accepted_at else None

    async def tell_guest(self, visit: Visit, notice: Notice) -> Result | None:
        pair = await visit.rows.pairs.find(visit.user.id, notice.subject_id)
        if pair is None:
            return None
        await renew(visit.rows, [visit.user.id], visit.now)
        return Paired(pair.id)

    async def _notify(self, rows: Rows, user_id: int, kind: NoticeKind, subject_id: int, now: datetime) -> None:
        user = await rows.users.find(user_id)
        due_at = free_at(user, now, asked_for=True) if user else now
        await rows.notices.add([(user_id, kind, subject_id, due_at)], now)

    # Names, links and codes, read when they are shown

    async def _read_own_invite(self, visit: Visit, result: InviteOpen) -> Mapping[str, str]:
        invite = await visit.rows.invites.own(visit.user.id, result.invite_id)
        secrets = await visit.rows.invites.secrets(invite) if invite else None
        name = await visit.rows.users.name(visit.user.id)
        return {"link": secrets.link, "code": shown_code(secrets.code), "me": name or ""} if secrets else {}

    async def _read_invitation(self, visit: Visit, result: Invitation | InvitationAccepted) -> Mapping[str, str]:
        invite = await visit.rows.invites.as_guest(visit.user.id, result.invite_id)
        name = await visit.rows.users.name(invite.user_id) if invite else None
        me = await visit.rows.users.name(visit.user.id)
        return {"name": name or "", **({"me": me} if me else {})} if invite else {}

    async def _read_guest(self, visit: Visit, result: GuestAnswered) -> Mapping[str, str]:
        invite = await visit.rows.invites.own(visit.user.id, result.invite_id)
        guest_id = invite.guest_id if invite and invite.accepted_at else None
        return {"name": await visit.rows.users.name(guest_id) or ""} if guest_id else {}

    async def _read_partner(self, visit: Visit, result: Paired | AlreadyPaired | UnpairWanted) -> Mapping[str, str]:
        pair = await visit.rows.pairs.find(visit.user.id, result.pair_id)
        # A partner who has removed their name is a partner: without a name the pair must still be there to be ended.
        return {"name": await visit.rows.users.name(pair.partner_of(visit.user.id)) or ""} if pair else {}


async def _await_code(visit: Visit) -> None:
    await visit.rows.dialogs.await_(visit.user.id, Dialog(Waiting.CODE, 0, visit.now + PATIENCE))


def _standing(invite: Invite, *, ended: bool = False) -> Result:
    """What a guest sees who comes with a link or code: the invitation, or that their yes is on its way."""
    return InvitationAccepted(invite.id) if invite.accepted_at else Invitation(invite.id, ended=ended)
