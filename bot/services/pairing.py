"""Pairing: two people let each other in, each by a word of their own, and either ends it alone.

Every step is one transaction with a conditional change, so that at any moment there is a whole Pair or none.
"""

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from datetime import datetime
from typing import Any, Final

from bot.domain.invitations import Secret, looks_like_code, read_secret, read_typed
from bot.domain.model import Dialog, Draft, DraftReason, Invite, Notice, NoticeKind, Pair, User, Waiting
from bot.domain.pairing import (
    CROWD,
    DOOR_SHUT,
    INVITE_HOLDS,
    NAME_LIMIT,
    clean_name,
    door_is_shut,
    shown_code,
)
from bot.domain.results import (
    AlreadyPaired,
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
from bot.domain.times import after_quiet
from bot.services.lines import PATIENCE
from bot.services.menu import renew
from bot.storage.store import Rows

OnUnpaired = Callable[[Rows, Pair, datetime], Awaitable[None]]
"""Cancels what a Pair has in flight, in the transaction that ends it and before its row goes."""


Reader = Callable[[Rows, User, Any], Coroutine[Any, Any, Mapping[str, str]]]


async def nobody(rows: Rows, user: User, *, beside: bool = False) -> Result:
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


async def still_so(rows: Rows, user: User | None, result: Result) -> Result:
    """What to say in place of `result` where the answer to a tap is late: the Pair may have ended since."""
    if user is None or type(result) not in _BETWEEN_TWO or await rows.pairs.active(user.id):
        return result
    return await nobody(rows, user, beside=True)


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

    async def pair(self, rows: Rows, user: User, now: datetime, *, here: bool = False) -> Result:
        """Where this user is with pairing: the Invite to pass on, made if need be, or what has to be said first."""
        if pair := await rows.pairs.active(user.id):
            return AlreadyPaired(pair.id)
        ended = await rows.pairs.tell_ended(user.id)
        invite = await rows.invites.of(user.id, now)
        if invite and invite.accepted_at:
            return GuestAnswered(invite.id)
        if await rows.users.name(user.id) is None:
            return PairNameWanted(ended=ended)
        if invite is None:
            invite = await rows.invites.make(user.id, now + INVITE_HOLDS)
        return InviteOpen(invite.id, invite.expires_at, ended=ended, here=here)

    async def confirm_name(self, rows: Rows, user: User, first_name: str, now: datetime) -> Result:
        """The name that Telegram shows is the one to show here. One that was set since stays."""
        if gone_on := await self._gone_on(rows, user):
            return gone_on
        if await rows.users.name(user.id) is not None:
            return await self._own_now(rows, user, now)
        name = clean_name(first_name)
        if not name:
            return await self._await_name(rows, user, 0, now)
        await rows.users.set_name(user.id, name)
        return await self.pair(rows, user, now, here=True)

    async def want_name(self, rows: Rows, user: User, invite_id: int, now: datetime) -> Result:
        """Another name: for the guest of one's own Invite, or for the one who made `invite_id`."""
        if gone_on := await self._gone_on(rows, user):
            return gone_on
        if invite_id:
            invite = await rows.invites.find_as_guest(user.id, invite_id, now)
            if invite is None or invite.accepted_at:
                return InvitationAccepted(invite.id) if invite else NothingCame()
        elif await rows.users.name(user.id) is not None:
            own = await rows.invites.of(user.id, now)
            if own is None or own.accepted_at:
                return await self._own_now(rows, user, now)
        return await self._await_name(rows, user, invite_id, now)

    async def _await_name(self, rows: Rows, user: User, invite_id: int, now: datetime) -> Result:
        """The next text is the name."""
        await rows.dialogs.await_(user.id, Dialog(Waiting.PAIR_NAME, invite_id, now + PATIENCE))
        return PairNameWanted(invite_id, typed=True)

    async def named(
        self, rows: Rows, user: User, dialog: Dialog, words: str, _message_id: int, now: datetime
    ) -> Result | None:
        if gone_on := await self._gone_on(rows, user):
            return gone_on
        name = clean_name(words)
        if not name or len(words) > NAME_LIMIT:
            await rows.dialogs.await_(user.id, Dialog(Waiting.PAIR_NAME, dialog.subject_id, now + PATIENCE))
            return PairNameWanted(dialog.subject_id, typed=True, unclear=len(words) > NAME_LIMIT)
        await rows.users.set_name(user.id, name)
        if dialog.subject_id == 0:
            return await self.pair(rows, user, now)
        invite = await rows.invites.find_as_guest(user.id, dialog.subject_id, now)
        return _standing(invite) if invite else NothingCame()

    async def renew(self, rows: Rows, user: User, invite_id: int, now: datetime) -> Result:
        """Another link and code; those of this Invite lead nowhere from now on."""
        if gone_on := await self._gone_on(rows, user):
            return gone_on
        if not await self._drop_unanswered(rows, user, invite_id, now):
            return await self._own_now(rows, user, now)
        return await self.pair(rows, user, now, here=True)

    async def take_back(self, rows: Rows, user: User, invite_id: int, now: datetime) -> Result:
        """The link and code of this Invite lead nowhere from now on."""
        if gone_on := await self._gone_on(rows, user):
            return gone_on
        if not await self._drop_unanswered(rows, user, invite_id, now):
            return await self._own_now(rows, user, now)
        return InviteTakenBack()

    async def confirm(self, rows: Rows, user: User, invite_id: int, now: datetime) -> Result:
        """The one who asked says yes to who came: only now they are a Pair."""
        await rows.pairs.alone()
        if gone_on := await self._gone_on(rows, user):
            return gone_on
        invite = await rows.invites.find_own(user.id, invite_id, now)
        if invite and (invite.guest_id is None or invite.accepted_at is None):
            return InviteOpen(invite.id, invite.expires_at, here=False, nobody_waits=True)
        if invite is None or invite.guest_id is None or not await rows.invites.use(invite):
            return NothingCame()
        await rows.notices.cancel(NoticeKind.GUEST, invite.id, now)
        pair = await rows.pairs.make(user.id, invite.guest_id, now)
        if pair is None:
            return NothingCame()
        for dropped in await rows.invites.drop_all_of(pair.a, pair.b):
            await rows.notices.cancel(NoticeKind.GUEST, dropped, now)
        await self._notify(rows, pair.b, NoticeKind.PAIRED, pair.id, now)
        return Paired(pair.id)

    async def refuse(self, rows: Rows, user: User, invite_id: int, now: datetime) -> Result:
        """The one who asked doesn't want who came. Nobody is told, and the guest can't find out either."""
        await rows.pairs.alone()  # the guest may take the yes back at this instant
        if gone_on := await self._gone_on(rows, user):
            return gone_on
        invite = await rows.invites.find_own(user.id, invite_id, now)
        if invite is None:
            return NothingCame()
        if invite.accepted_at is None:
            return InviteOpen(invite.id, invite.expires_at, here=False, nobody_waits=True)
        await rows.invites.refuse(invite)
        await rows.notices.cancel(NoticeKind.GUEST, invite.id, now)
        return GuestRefused()

    async def _drop_unanswered(self, rows: Rows, user: User, invite_id: int, now: datetime) -> bool:
        """Close this Invite, if it is the user's own of now and nobody has said yes to it."""
        invite = await rows.invites.find_own(user.id, invite_id, now)
        if invite is None or invite.accepted_at:
            return False
        return await rows.invites.close(invite)

    async def _drop_own(self, rows: Rows, user: User, now: datetime) -> None:
        if invite_id := await rows.invites.drop(user.id):
            await rows.notices.cancel(NoticeKind.GUEST, invite_id, now)

    # What an old button finds

    async def _gone_on(self, rows: Rows, user: User) -> Result | None:
        """What is so for somebody who taps an old button of pairing: they are paired, or were until the other one left.

        None where they are neither.
        """
        if pair := await rows.pairs.active(user.id):
            return AlreadyPaired(pair.id)
        return SharingEnded() if await rows.pairs.tell_ended(user.id) else None

    async def _own_now(self, rows: Rows, user: User, now: datetime) -> Result:
        """The user's own Invite as it is now. None is made."""
        invite = await rows.invites.of(user.id, now)
        if invite is None:
            return InviteTakenBack()
        if invite.accepted_at:
            return GuestAnswered(invite.id)
        return InviteOpen(invite.id, invite.expires_at, here=False)

    # The one who is asked

    async def open(self, rows: Rows, user: User, secret: Secret, now: datetime) -> Result:
        """A link was followed, or a code given with /join. What leads nowhere gets one answer, whatever the reason."""
        if pair := await rows.pairs.active(user.id):
            return AlreadyPaired(pair.id)
        if await self._is_shut(rows, user, now):
            return TooManyTries()
        ended = await rows.pairs.tell_ended(user.id)
        invite = await self._claim(rows, user, secret, now)
        return _standing(invite, ended=ended) if invite else NoSuchInvite(ended)

    async def join(self, rows: Rows, user: User, typed: str, now: datetime) -> Result:
        """What was given with /join, or sent after it. Where it leads nowhere, the next text is another try."""
        if not typed:
            await _await_code(rows, user, now)
            return CodeWanted()
        result = await self.open(rows, user, read_secret(typed) or Secret(code=typed), now)
        if isinstance(result, NoSuchInvite):
            await _await_code(rows, user, now)
        return result

    async def code_typed(
        self, rows: Rows, user: User, _awaited: Dialog, words: str, message_id: int, now: datetime
    ) -> Result | None:
        """What is sent where a code is awaited is no Line, unless its writer says so."""
        if read_secret(words) or looks_like_code(words) or " " not in words:
            return await self.join(rows, user, words, now)
        await _await_code(rows, user, now)
        return await self._code_or_line(rows, user, words, message_id, now)

    async def recognize(self, rows: Rows, user: User, words: str, message_id: int, now: datetime) -> Result | None:
        """A text that nobody waited for may be a code. None where it is to be taken as a Line.

        Only a code that opens something is taken at its word. What else looks like one is asked about, the same
        whether there is a Pair, there was one, or there never was: a Line is no reason to hear of an end.
        """
        secret = read_typed(words)
        if secret and secret.link:
            return await self.open(rows, user, secret, now)
        if secret and not await rows.pairs.seems_active(user.id) and not await self._is_shut(rows, user, now):
            invite = await self._claim(rows, user, secret, now)
            if invite:
                return _standing(invite)
        return await self._code_or_line(rows, user, words, message_id, now) if looks_like_code(words) else None

    async def _code_or_line(self, rows: Rows, user: User, words: str, message_id: int, now: datetime) -> Result:
        ask = await rows.asks.latest(user.id)
        ask_id = ask.id if ask and ask.undecided else None
        draft = Draft(0, user.id, DraftReason.UNASKED, words, message_id, ask_id)
        return CodeOrLine((await rows.drafts.set_aside(draft, now)).id)

    async def meant_as_code(self, rows: Rows, user: User, draft_id: int, now: datetime) -> Result:
        """The text that looked like a code was meant as one: it is let go, and the right one awaited."""
        draft = await rows.drafts.find(user.id, draft_id)
        if draft is None:
            return Outdated()
        await rows.drafts.drop(draft)
        result = await self.join(rows, user, draft.text, now)
        await rows.dialogs.tried(user.id, draft.message_id)
        return result

    async def come_along(self, rows: Rows, user: User, secret: Secret, now: datetime) -> bool:
        """Somebody who is still at the start came with an Invite: it is theirs, and shown when the start is done."""
        return not await self._is_shut(rows, user, now) and await self._claim(rows, user, secret, now) is not None

    async def after_start(self, rows: Rows, user: User, ready: Ready, now: datetime) -> Result:
        """The start is done: the Invite that this user came with is shown now."""
        invite = await rows.invites.latest_as_guest(user.id, now)
        return Invitation(invite.id, first_at=ready.first_at) if invite else ready

    async def accept(self, rows: Rows, user: User, invite_id: int, first_name: str, now: datetime) -> Result:
        """The guest says yes. Now the one who asks is asked in turn.

        A yes that is said again after it was taken back is not told again: yes and no in turn must be no way to knock.
        """
        if gone_on := await self._gone_on(rows, user):
            return gone_on
        invite = await rows.invites.find_as_guest(user.id, invite_id, now)
        if invite is None:
            return NothingCame()
        if await rows.users.name(user.id) is None:
            name = clean_name(first_name)
            if not name:
                return await self._await_name(rows, user, invite_id, now)
            await rows.users.set_name(user.id, name)
        accepted = await rows.invites.accept(invite, user.id, now)
        if (
            accepted
            and not invite.refused
            and not await rows.notices.was_tried(invite.user_id, NoticeKind.GUEST, invite.id)
        ):
            await self._notify(rows, invite.user_id, NoticeKind.GUEST, invite.id, now)
        return InvitationAccepted(invite.id)

    async def decline(self, rows: Rows, user: User, invite_id: int, now: datetime) -> Result:
        """The guest says no to an invitation that they haven't answered yet. Nobody is told."""
        if gone_on := await self._gone_on(rows, user):
            return gone_on
        invite = await rows.invites.find_as_guest(user.id, invite_id, now)
        return InvitationAccepted(invite.id) if invite and invite.accepted_at else InvitationDeclined()

    async def take_yes_back(self, rows: Rows, user: User, invite_id: int, now: datetime) -> Result:
        """The guest takes their yes back. Nobody is told, and the answer is the same whatever became of the yes."""
        await rows.pairs.alone()  # the one who asked may say yes at this instant, and wants the same rows
        if gone_on := await self._gone_on(rows, user):
            return gone_on
        invite = await rows.invites.find_as_guest(user.id, invite_id, now)
        if invite and await rows.invites.unaccept(invite, user.id):
            await rows.notices.cancel(NoticeKind.GUEST, invite.id, now)
        return InvitationLeft()

    async def _is_shut(self, rows: Rows, user: User, now: datetime) -> bool:
        wrong = await rows.invites.wrong_since(user.id, now - 2 * DOOR_SHUT)
        crowded = await rows.invites.all_wrong_since(now - DOOR_SHUT, CROWD) >= CROWD
        return door_is_shut(wrong, now, crowded=crowded)

    async def _claim(self, rows: Rows, user: User, secret: Secret, now: datetime) -> Invite | None:
        invite = await rows.invites.claim(user.id, link=secret.link, code=secret.code, now=now)
        if invite is None:
            await rows.invites.wrong(user.id, now)
        return invite

    # The end

    async def ask_unpair(self, rows: Rows, user: User) -> Result:
        if pair := await rows.pairs.active(user.id):
            return UnpairWanted(pair.id)
        return await nobody(rows, user)

    async def unpair(self, rows: Rows, user: User, pair_id: int, now: datetime) -> Result:
        """End it, at once and without a word to the other. What isn't opened yet is cancelled in both directions."""
        await rows.pairs.alone()
        pair = await rows.pairs.find(user.id, pair_id)
        if pair is None:
            return await self._gone_on(rows, user) or NotPaired()
        await self._end(rows, pair, user, now)
        return SharingEnded()

    async def keep_pair(self, rows: Rows, user: User) -> Result:
        return UnpairLeft() if await rows.pairs.active(user.id) else await nobody(rows, user)

    async def leave(self, rows: Rows, user: User, now: datetime) -> None:
        """This user goes for good: their Pair and Invite end, and whom they came to sees what was before they came."""
        await rows.pairs.alone()
        await self._drop_own(rows, user, now)
        for invite_id in await rows.invites.forget_guest(user.id):
            await rows.notices.cancel(NoticeKind.GUEST, invite_id, now)
        if pair := await rows.pairs.active(user.id):
            await self._end(rows, pair, user, now)

    async def _end(self, rows: Rows, pair: Pair, leaver: User, now: datetime) -> None:
        for cancel in self._on_unpaired:
            await cancel(rows, pair, now)
        await rows.notices.cancel(NoticeKind.PAIRED, pair.id, now)
        await rows.pairs.end(pair, leaver.id)

    # What is said later

    async def tell_maker(self, rows: Rows, user: User, notice: Notice, now: datetime) -> Result | None:
        """Somebody said yes to the user's Invite; it is for the user to say whether it is the one they meant."""
        invite = await rows.invites.find_own(user.id, notice.subject_id, now)
        return GuestAnswered(invite.id) if invite and invite.accepted_at else None

    async def tell_guest(self, rows: Rows, user: User, notice: Notice, now: datetime) -> Result | None:
        pair = await rows.pairs.find(user.id, notice.subject_id)
        if pair is None:
            return None
        await renew(rows, [user.id], now)
        return Paired(pair.id)

    async def _notify(self, rows: Rows, user_id: int, kind: NoticeKind, subject_id: int, now: datetime) -> None:
        user = await rows.users.find(user_id)
        quiet = user.quiet if user else None
        due_at = after_quiet(now, user.zone, quiet) if user and user.zone and quiet else now
        await rows.notices.add([(user_id, kind, subject_id, due_at)], now)

    # Names, links and codes, read when they are shown

    async def _read_own_invite(self, rows: Rows, user: User, result: InviteOpen) -> Mapping[str, str]:
        invite = await rows.invites.own(user.id, result.invite_id)
        secrets = await rows.invites.secrets(invite) if invite else None
        name = await rows.users.name(user.id)
        return {"link": secrets.link, "code": shown_code(secrets.code), "me": name or ""} if secrets else {}

    async def _read_invitation(
        self, rows: Rows, user: User, result: Invitation | InvitationAccepted
    ) -> Mapping[str, str]:
        invite = await rows.invites.as_guest(user.id, result.invite_id)
        name = await rows.users.name(invite.user_id) if invite else None
        me = await rows.users.name(user.id)
        return {"name": name or "", **({"me": me} if me else {})} if invite else {}

    async def _read_guest(self, rows: Rows, user: User, result: GuestAnswered) -> Mapping[str, str]:
        invite = await rows.invites.own(user.id, result.invite_id)
        guest_id = invite.guest_id if invite and invite.accepted_at else None
        return {"name": await rows.users.name(guest_id) or ""} if guest_id else {}

    async def _read_partner(
        self, rows: Rows, user: User, result: Paired | AlreadyPaired | UnpairWanted
    ) -> Mapping[str, str]:
        pair = await rows.pairs.find(user.id, result.pair_id)
        # A partner who has removed their name is a partner: without a name the pair must still be there to be ended.
        return {"name": await rows.users.name(pair.partner_of(user.id)) or ""} if pair else {}


async def _await_code(rows: Rows, user: User, now: datetime) -> None:
    await rows.dialogs.await_(user.id, Dialog(Waiting.CODE, 0, now + PATIENCE))


def _standing(invite: Invite, *, ended: bool = False) -> Result:
    """What a guest sees who comes with a link or code: the invitation, or that their yes is on its way."""
    return InvitationAccepted(invite.id) if invite.accepted_at else Invitation(invite.id, ended=ended)
