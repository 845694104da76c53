"""Pairing: two users become a Pair after each has said yes, and either can end it alone.

Every step is one transaction with a conditional change, so that there is always either a complete Pair or none.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from bot.domain.invitations import Secret, find_link, looks_like_code, read_secret, read_typed
from bot.domain.model import Dialog, Draft, DraftReason, Invite, Pair, User, Waiting
from bot.domain.notices import Notice, NoticeKind, free_at
from bot.domain.pairing import (
    CROWD,
    INVITE_VALID_FOR,
    LOCKED_FOR,
    NAME_LIMIT,
    clean_name,
    formatted_code,
    is_locked_out,
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
    Invited,
    InviteOpen,
    InviteSending,
    InviteTakenBack,
    NameOrLine,
    NoSuchInvite,
    NothingCame,
    NotPaired,
    Outdated,
    Paired,
    PairNameWanted,
    Ready,
    ReplyOrLine,
    Result,
    SetAside,
    SharingEnded,
    TooManyTries,
    UnpairLeft,
    UnpairWanted,
    receiving,
    responses,
    ritual,
    sharing,
)
from bot.domain.typed import LINE_LIMIT
from bot.domain.undecided import OF_TWO
from bot.services.lines import PATIENCE
from bot.services.menu import renew_menus
from bot.services.traces import hide_decided, stop_asking
from bot.services.visit import NoticeHandlers, Visit
from bot.storage.store import Rows

_NAME_AWAITED_FOR: Final = timedelta(minutes=10)
"""For how long the next text is taken as the name. What comes later may be a line, and the partner sees the name."""

OnUnpaired = Callable[[Rows, Pair, datetime], Awaitable[None]]
"""Cancels whatever is pending between a Pair, in the transaction that ends it and before its row is removed."""


async def explain_no_pair(rows: Rows, user: User, *, beside: bool = False) -> Result:
    """Return what to say to a user without a partner: that the Pair has ended, or how to begin one.

    The former is said once. `beside` means that the tapped message may contain words and stays on the screen.
    """
    return SharingEnded() if await rows.pairs.tell_ended(user.id) else NotPaired(beside=beside)


_BETWEEN_TWO: Final = frozenset(
    kind
    for kind in Result.__subclasses__()
    if kind.__module__ in {receiving.__name__, responses.__name__, ritual.__name__, sharing.__name__}
)
"""Results that only a user in a Pair is shown."""


async def recheck(rows: Rows, user: User | None, result: Result) -> Result:
    """Return what to say in place of `result` when the answer to a tap is late, as the Pair may have ended since."""
    if user is None or type(result) not in _BETWEEN_TWO or await rows.pairs.active(user.id):
        return result
    return await explain_no_pair(rows, user, beside=True)


class Pairing:
    """Use cases around Invites and Pairs."""

    def __init__(self, *on_unpaired: OnUnpaired) -> None:
        self._on_unpaired = on_unpaired
        self.typed: Final = {
            Waiting.PAIR_NAME: self.named,
            Waiting.PAIR_NAME_CHOICE: self.typed_at_name,
            Waiting.CODE: self.code_typed,
        }
        self.notice_handlers: NoticeHandlers = {NoticeKind.GUEST: self.tell_maker, NoticeKind.PAIRED: self.tell_guest}

    # The user who asks
    async def pair(self, visit: Visit, *, here: bool = False) -> Result:
        """Show where this user is with pairing: the Invite to pass on, made if necessary, or the step before that."""
        if pair := await visit.rows.pairs.active(visit.user.id):
            return AlreadyPaired(pair.id)
        ended = await visit.rows.pairs.tell_ended(visit.user.id)
        invite = await visit.rows.invites.of(visit.user.id, visit.now)
        if invite and invite.accepted_at:
            return GuestAnswered(invite.id, stale=_card(invite))
        if await visit.rows.users.name(visit.user.id) is None:
            await _await_name_choice(visit)
            return PairNameWanted(ended=ended)
        stale = _card(invite)
        if invite is None:
            stale = _card(await visit.rows.invites.drop(visit.user.id))  # one that has expired
            invite = await visit.rows.invites.make(visit.user.id, visit.now + INVITE_VALID_FOR)
        return InviteOpen(invite.id, invite.expires_at, ended=ended, here=here, stale=stale)

    async def pair_said(self, visit: Visit, words: str) -> Result:
        """Handle the text after /pair: somebody else's code, or anything else, which is unclear."""
        return await self.join(visit, words) if read_secret(words) else ArgumentUnclear("pair")

    async def confirm_name(self, visit: Visit, first_name: str) -> Result:
        """Take over the user's first name from Telegram, unless they have set a name since."""
        if moved_on := await self._moved_on(visit):
            return moved_on
        if await visit.rows.users.name(visit.user.id) is not None:
            return await self._show_own(visit)
        name = clean_name(first_name)
        if not name:
            return await self._await_name(visit, 0)
        return await self._take_name(visit, name)

    async def _take_name(self, visit: Visit, name: str) -> Result:
        await visit.rows.dialogs.forget(visit.user.id, only=(Waiting.PAIR_NAME_CHOICE,))
        await visit.rows.users.set_name(visit.user.id, name)
        return await self.pair(visit, here=True)

    async def typed_at_name(self, visit: Visit, awaited: Dialog, words: str, message_id: int) -> Result | None:
        """Set aside a text typed while a name is offered, and ask what it is. None for an Invite's link or code."""
        if find_link(words) or looks_like_code(words):
            return None
        if awaited.subject_id and (invited := await self.recognize(visit, words, message_id)):
            return invited  # a guest's code can read like a word; a name isn't tried, as each try that is wrong counts
        await _await_name_choice(visit, awaited.subject_id)
        draft = await self._set_aside(visit, words, message_id)
        if len(words) > LINE_LIMIT:
            return SetAside(draft.id, DraftReason.TOO_LONG)
        if awaited.subject_id:
            return ReplyOrLine(draft.id)
        return NameOrLine(draft.id) if _may_be_name(words) else SetAside(draft.id, draft.reason)

    async def meant_as_name(self, visit: Visit, draft_id: int) -> Result:
        """Use as the name the text that was typed while one was offered."""
        if moved_on := await self._moved_on(visit):
            return moved_on
        draft = await visit.rows.drafts.find(visit.user.id, draft_id)
        if draft is None:
            return Outdated()
        await visit.rows.drafts.drop(draft)
        await hide_decided(visit, draft.message_id)
        return await self._take_name(visit, clean_name(draft.text))

    async def want_name(self, visit: Visit, invite_id: int) -> Result:
        """Ask for another name, to show to the guest of the user's own Invite or to the maker of `invite_id`."""
        if moved_on := await self._moved_on(visit):
            return moved_on
        if invite_id:
            invite = await visit.rows.invites.find_as_guest(visit.user.id, invite_id, visit.now)
            if invite is None or invite.accepted_at:
                return InvitationAccepted(invite.id) if invite else NothingCame()
        elif await visit.rows.users.name(visit.user.id) is not None:
            own = await visit.rows.invites.of(visit.user.id, visit.now)
            if own is None or own.accepted_at:
                return await self._show_own(visit)
        return await self._await_name(visit, invite_id)

    async def _await_name(self, visit: Visit, invite_id: int) -> Result:
        """Take the next text as the name."""
        awaited = Dialog(Waiting.PAIR_NAME, invite_id, visit.now + _NAME_AWAITED_FOR)
        await visit.rows.dialogs.await_(visit.user.id, awaited)
        return PairNameWanted(invite_id, typed=True)

    async def named(self, visit: Visit, dialog: Dialog, words: str, _message_id: int) -> Result | None:
        if moved_on := await self._moved_on(visit):
            return moved_on
        name = clean_name(words)
        if not name or len(words) > NAME_LIMIT:
            again = Dialog(Waiting.PAIR_NAME, dialog.subject_id, visit.now + _NAME_AWAITED_FOR)
            await visit.rows.dialogs.await_(visit.user.id, again)
            return PairNameWanted(dialog.subject_id, typed=True, unclear=len(words) > NAME_LIMIT)
        await visit.rows.users.set_name(visit.user.id, name)
        if dialog.subject_id == 0:
            return await self.pair(visit)
        invite = await visit.rows.invites.find_as_guest(visit.user.id, dialog.subject_id, visit.now)
        return await _for_guest(visit, invite) if invite else NothingCame()

    async def renew(self, visit: Visit, invite_id: int) -> Result:
        """Make a new link and code; those of this Invite lead nowhere from now on."""
        if moved_on := await self._moved_on(visit):
            return moved_on
        if (dropped := await self._drop_unanswered(visit, invite_id)) is None:
            return await self._show_own(visit)
        return replace(await self.pair(visit, here=True), stale=_card(dropped))

    async def sending(self, visit: Visit, invite_id: int) -> Result:
        """Offer sentences to send the Invite's link with."""
        if moved_on := await self._moved_on(visit):
            return moved_on
        invite = await visit.rows.invites.find_own(visit.user.id, invite_id, visit.now)
        return InviteSending(invite.id) if invite and not invite.accepted_at else await self._show_own(visit)

    async def take_back(self, visit: Visit, invite_id: int) -> Result:
        """Take the Invite back: its link and code lead nowhere from now on."""
        if moved_on := await self._moved_on(visit):
            return moved_on
        if (dropped := await self._drop_unanswered(visit, invite_id)) is None:
            return await self._show_own(visit)
        return InviteTakenBack(stale=_card(dropped))

    async def confirm(self, visit: Visit, invite_id: int) -> Result:
        """Take the maker's yes to the guest, which makes the two a Pair."""
        await visit.rows.pairs.lock_changes()
        if moved_on := await self._moved_on(visit):
            return moved_on
        invite = await visit.rows.invites.find_own(visit.user.id, invite_id, visit.now)
        if invite and (invite.guest_id is None or invite.accepted_at is None):
            return InviteOpen(invite.id, invite.expires_at, here=False, nobody_waits=True, stale=_card(invite))
        if invite is None or invite.guest_id is None or not await visit.rows.invites.use(invite):
            return NothingCame()
        await visit.rows.notices.cancel(NoticeKind.GUEST, invite.id, visit.now)
        pair = await visit.rows.pairs.make(visit.user.id, invite.guest_id, visit.now)
        if pair is None:
            return NothingCame()
        for dropped in await visit.rows.invites.drop_all_of(pair.a, pair.b):
            await visit.rows.notices.cancel(NoticeKind.GUEST, dropped, visit.now)
        await self._notify(visit.rows, pair.b, NoticeKind.PAIRED, pair.id, visit.now)
        return Paired(pair.id, stale=_card(invite))

    async def refuse(self, visit: Visit, invite_id: int) -> Result:
        """Take the maker's no to the guest. Nobody is told, and the guest can't find out either."""
        await visit.rows.pairs.lock_changes()  # the guest may be taking the yes back at this instant
        if moved_on := await self._moved_on(visit):
            return moved_on
        invite = await visit.rows.invites.find_own(visit.user.id, invite_id, visit.now)
        if invite is None:
            return NothingCame()
        if invite.accepted_at is None:
            return InviteOpen(invite.id, invite.expires_at, here=False, nobody_waits=True, stale=_card(invite))
        await visit.rows.invites.refuse(invite)
        await visit.rows.notices.cancel(NoticeKind.GUEST, invite.id, visit.now)
        return GuestRefused(stale=_card(invite))

    async def _drop_unanswered(self, visit: Visit, invite_id: int) -> Invite | None:
        """Close this Invite if it is the user's current one and nobody has said yes to it. None if it isn't closed."""
        invite = await visit.rows.invites.find_own(visit.user.id, invite_id, visit.now)
        if invite is None or invite.accepted_at:
            return None
        return invite if await visit.rows.invites.close(invite) else None

    async def _drop_own(self, visit: Visit) -> None:
        if dropped := await visit.rows.invites.drop(visit.user.id):
            await visit.rows.notices.cancel(NoticeKind.GUEST, dropped.id, visit.now)

    # What an old button leads to

    async def _moved_on(self, visit: Visit) -> Result | None:
        """Return what to say if an old pairing button is tapped by a user who has a partner, or whose partner has left.

        None if neither is the case.
        """
        if pair := await visit.rows.pairs.active(visit.user.id):
            return AlreadyPaired(pair.id)
        return SharingEnded() if await visit.rows.pairs.tell_ended(visit.user.id) else None

    async def _show_own(self, visit: Visit) -> Result:
        """Show the user's own current Invite, if there is one."""
        invite = await visit.rows.invites.of(visit.user.id, visit.now)
        if invite is None:
            return InviteTakenBack()
        if invite.accepted_at:
            return GuestAnswered(invite.id, stale=_card(invite))
        return InviteOpen(invite.id, invite.expires_at, here=False, stale=_card(invite))

    # The user who is asked

    async def open(self, visit: Visit, secret: Secret) -> Result:
        """Open a link or a code. If it leads nowhere, the answer is the same whatever the reason."""
        if pair := await visit.rows.pairs.active(visit.user.id):
            return AlreadyPaired(pair.id)
        if await self._is_locked_out(visit):
            return TooManyTries()
        ended = await visit.rows.pairs.tell_ended(visit.user.id)
        invite = await self._claim(visit, secret)
        return await _for_guest(visit, invite, ended=ended) if invite else NoSuchInvite(ended)

    async def join(self, visit: Visit, typed: str) -> Result:
        """Handle a text sent with or after /join. If it leads nowhere, we take the next text as another try."""
        if not typed:
            await _await_code(visit)
            return CodeWanted()
        result = await self.open(visit, read_secret(typed) or Secret(code=typed))
        if isinstance(result, NoSuchInvite):
            await _await_code(visit)
        return result

    async def code_typed(self, visit: Visit, _awaited: Dialog, words: str, message_id: int) -> Result | None:
        """Handle a text sent while we wait for a code. If it doesn't look like one, ask whether it is a Line."""
        if read_secret(words) or looks_like_code(words) or " " not in words:
            return await self.join(visit, words)
        await _await_code(visit)
        return await self._code_or_line(visit, words, message_id)

    async def recognize(self, visit: Visit, words: str, message_id: int) -> Result | None:
        """Handle an unexpected text that may be a code. None if it should be taken as a Line.

        We accept only a code that opens something right away, and ask about any other text that looks like one. We ask
        the same whether the user is in a Pair, was in one or never was: sending a Line must not reveal that the Pair
        has ended.
        """
        secret = read_typed(words)
        if secret and secret.link:
            return await self.open(visit, secret)
        if (
            secret
            and not await visit.rows.pairs.looks_active_to(visit.user.id)
            and not await self._is_locked_out(visit)
        ):
            invite = await self._claim(visit, secret)
            if invite:
                return await _for_guest(visit, invite)
        return await self._code_or_line(visit, words, message_id) if looks_like_code(words) else None

    async def _code_or_line(self, visit: Visit, words: str, message_id: int) -> Result:
        draft = await self._set_aside(visit, words, message_id)
        return SetAside(draft.id, DraftReason.TOO_LONG) if len(words) > LINE_LIMIT else CodeOrLine(draft.id)

    async def _set_aside(self, visit: Visit, words: str, message_id: int) -> Draft:
        """Set aside a text that may have been meant as a Line: then it answers the open question, if there is one."""
        ask = await visit.rows.asks.latest(visit.user.id)
        ask_id = ask.id if ask and ask.undecided else None
        draft = Draft(0, visit.user.id, DraftReason.UNASKED, words, message_id, ask_id)
        return await visit.rows.drafts.set_aside(draft, visit.now)

    async def asked_as(self, visit: Visit, draft: Draft) -> Result | None:
        """Ask again whether a Draft is a name or a code. None if it can't be either any more."""
        if draft.reason is not DraftReason.UNASKED:
            return None
        if looks_like_code(draft.text):
            return CodeOrLine(draft.id, again=True)
        awaited = await visit.rows.dialogs.find(visit.user.id, visit.now)
        offers_name = awaited is not None and awaited.waiting is Waiting.PAIR_NAME_CHOICE and not awaited.subject_id
        return NameOrLine(draft.id) if offers_name and _may_be_name(draft.text) else None

    async def meant_as_code(self, visit: Visit, draft_id: int) -> Result:
        """Handle a Draft that was meant as a code: try it, and wait for another one if it leads nowhere."""
        draft = await visit.rows.drafts.find(visit.user.id, draft_id)
        if draft is None:
            return Outdated()
        await visit.rows.drafts.drop(draft)
        await hide_decided(visit, draft.message_id)
        result = await self.join(visit, draft.text)
        await visit.rows.dialogs.tried(visit.user.id, draft.message_id)
        return result

    async def invited(self, rows: Rows, secret: Secret, now: datetime) -> Invite | None:
        """Return the Invite whose link was followed by somebody who hasn't consented to anything yet. Stores nothing.

        A code could be guessed, so it opens nothing until we know the guest.
        """
        return await rows.invites.with_link(secret.link, now) if secret.link else None

    async def show(self, visit: Visit, invite_id: int, *, more: bool = False) -> Result:
        """Show the invitation again, in short or at length."""
        if moved_on := await self._moved_on(visit):
            return moved_on
        invite = await visit.rows.invites.find_as_guest(visit.user.id, invite_id, visit.now)
        return await _for_guest(visit, invite, more=more) if invite else NothingCame()

    async def promise(self, visit: Visit, invite_id: int, first_name: str, *, receives_only: bool = False) -> User:
        """Note the yes of a guest who is still at the start; we pass it on when the start is done."""
        await _answered(visit)
        if await visit.rows.users.name(visit.user.id) is None and (name := clean_name(first_name)):
            await visit.rows.users.set_name(visit.user.id, name)
        only = receives_only or visit.user.receives_only
        return await visit.rows.users.change(visit.user, yes_to=invite_id, receives_only=only)

    async def claim_at_start(self, visit: Visit, secret: Secret) -> Invite | None:
        """Claim the Invite that a user who is still at the start has come with."""
        return None if await self._is_locked_out(visit) else await self._claim(visit, secret)

    async def after_start(self, visit: Visit, ready: Ready) -> Result:
        """Pass on the yes that this user said during the start, or show the Invite that they haven't answered."""
        first_at = visit.user.next_ask_at
        if visit.user.yes_to:
            user = await visit.rows.users.change(visit.user, yes_to=None)
            accepted = await self.accept(visit.as_user(user), visit.user.yes_to, "")
            return replace(accepted, first_at=first_at) if isinstance(accepted, InvitationAccepted) else ready
        if await visit.rows.asks.latest(visit.user.id):
            return ready
        # An earlier version showed the Invite only now, and asked nothing before.
        invite = await visit.rows.invites.latest_as_guest(visit.user.id, visit.now)
        return Invitation(invite.id, first_at=first_at) if invite else ready

    async def accept(self, visit: Visit, invite_id: int, first_name: str) -> Result:
        """Take the guest's yes, which the maker then has to confirm.

        We don't announce a yes that is repeated after it was taken back. Otherwise the guest could nudge the maker by
        alternating between yes and no.
        """
        if moved_on := await self._moved_on(visit):
            return moved_on
        await _answered(visit)
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
        """Take the guest's no to an invitation that they haven't accepted. Nobody is told."""
        await _answered(visit)
        if moved_on := await self._moved_on(visit):
            return moved_on
        invite = await visit.rows.invites.find_as_guest(visit.user.id, invite_id, visit.now)
        return InvitationAccepted(invite.id) if invite and invite.accepted_at else InvitationDeclined()

    async def take_yes_back(self, visit: Visit, invite_id: int) -> Result:
        """Take the guest's yes back. Nobody is told, and the answer is the same whatever had become of the yes."""
        await visit.rows.pairs.lock_changes()  # the user who asked may be confirming, which needs the same rows
        if moved_on := await self._moved_on(visit):
            return moved_on
        invite = await visit.rows.invites.find_as_guest(visit.user.id, invite_id, visit.now)
        if invite and await visit.rows.invites.unaccept(invite, visit.user.id):
            await visit.rows.notices.cancel(NoticeKind.GUEST, invite.id, visit.now)
        return InvitationLeft()

    async def _is_locked_out(self, visit: Visit) -> bool:
        wrong = await visit.rows.invites.wrong_since(visit.user.id, visit.now - 2 * LOCKED_FOR)
        crowded = await visit.rows.invites.all_wrong_since(visit.now - LOCKED_FOR, CROWD) >= CROWD
        return is_locked_out(wrong, visit.now, crowded=crowded)

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
        """End the Pair at once, without telling the partner. Unopened Reflections are cancelled in both directions."""
        await visit.rows.pairs.lock_changes()
        pair = await visit.rows.pairs.find(visit.user.id, pair_id)
        if pair is None:
            return await self._moved_on(visit) or NotPaired()
        await self._end(visit.rows, pair, visit.user, visit.now)
        await stop_asking(visit, OF_TWO)
        return SharingEnded()

    async def keep_pair(self, visit: Visit) -> Result:
        if await visit.rows.pairs.active(visit.user.id):
            return UnpairLeft()
        return await explain_no_pair(visit.rows, visit.user)

    async def leave(self, visit: Visit) -> None:
        """End the Pair and Invite of a user who leaves for good, and forget them as a guest.

        The makers of Invites that they had opened see what they saw before that.
        """
        await self.drop_invites(visit)
        if pair := await visit.rows.pairs.active(visit.user.id):
            await self._end(visit.rows, pair, visit.user, visit.now)

    async def drop_invites(self, visit: Visit) -> None:
        """Close the Invite of this user, and forget them as a guest of others."""
        await visit.rows.pairs.lock_changes()
        await self._drop_own(visit)
        for invite_id in await visit.rows.invites.forget_guest(visit.user.id):
            await visit.rows.notices.cancel(NoticeKind.GUEST, invite_id, visit.now)

    async def _end(self, rows: Rows, pair: Pair, leaver: User, now: datetime) -> None:
        for cancel in self._on_unpaired:
            await cancel(rows, pair, now)
        await rows.notices.cancel(NoticeKind.PAIRED, pair.id, now)
        await rows.pairs.end(pair, leaver.id)

    # What we say later

    async def tell_maker(self, visit: Visit, notice: Notice) -> Result | None:
        """Tell the user that somebody said yes to their Invite; only the user knows if it is the person they meant."""
        invite = await visit.rows.invites.find_own(visit.user.id, notice.subject_id, visit.now)
        return GuestAnswered(invite.id, stale=_card(invite)) if invite and invite.accepted_at else None

    async def tell_guest(self, visit: Visit, notice: Notice) -> Result | None:
        pair = await visit.rows.pairs.find(visit.user.id, notice.subject_id)
        if pair is None:
            return None
        await renew_menus(visit.rows, [visit.user.id], visit.now)
        return Paired(pair.id)

    async def _notify(self, rows: Rows, user_id: int, kind: NoticeKind, subject_id: int, now: datetime) -> None:
        user = await rows.users.find(user_id)
        due_at = free_at(user, now, asked_for=True) if user else now
        await rows.notices.add([(user_id, kind, subject_id, due_at)], now)

    # Names, links and codes, read when they are shown

    async def read_own_invite(self, visit: Visit, result: InviteOpen | InviteSending) -> Mapping[str, str]:
        invite = await visit.rows.invites.own(visit.user.id, result.invite_id)
        secrets = await visit.rows.invites.secrets(invite) if invite else None
        name = await visit.rows.users.name(visit.user.id)
        return {"link": secrets.link, "code": formatted_code(secrets.code), "me": name or ""} if secrets else {}

    async def read_typed_name(self, visit: Visit, result: NameOrLine) -> Mapping[str, str]:
        draft = await visit.rows.drafts.find(visit.user.id, result.draft_id)
        return {"name": clean_name(draft.text)} if draft else {}

    async def read_typed_code(self, visit: Visit, result: CodeOrLine) -> Mapping[str, str]:
        draft = await visit.rows.drafts.find(visit.user.id, result.draft_id) if result.again else None
        return {"draft": draft.text} if draft else {}

    async def read_invited(self, visit: Visit, result: Invited) -> Mapping[str, str]:
        invite = await visit.rows.invites.unused(result.invite_id, visit.now)
        if invite is None:
            return {}
        return {"name": await visit.rows.users.name(invite.user_id) or ""}

    async def read_invitation(self, visit: Visit, result: Invitation | InvitationAccepted) -> Mapping[str, str]:
        invite = await visit.rows.invites.as_guest(visit.user.id, result.invite_id)
        name = await visit.rows.users.name(invite.user_id) if invite else None
        me = await visit.rows.users.name(visit.user.id)
        return {"name": name or "", **({"me": me} if me else {})} if invite else {}

    async def read_guest(self, visit: Visit, result: GuestAnswered) -> Mapping[str, str]:
        invite = await visit.rows.invites.own(visit.user.id, result.invite_id)
        guest_id = invite.guest_id if invite and invite.accepted_at else None
        return {"name": await visit.rows.users.name(guest_id) or ""} if guest_id else {}

    async def read_partner(self, visit: Visit, result: Paired | AlreadyPaired | UnpairWanted) -> Mapping[str, str]:
        pair = await visit.rows.pairs.find(visit.user.id, result.pair_id)
        # A partner who has removed their name is still a partner: it must be possible to end the Pair without a name.
        return {"name": await visit.rows.users.name(pair.partner_of(visit.user.id)) or ""} if pair else {}


def _card(invite: Invite | None) -> tuple[int, ...]:
    """Return the message that offers an Invite, if it is known: its buttons lead nowhere once the Invite is taken."""
    return (invite.card_id,) if invite and invite.card_id else ()


async def _await_name_choice(visit: Visit, invite_id: int = 0) -> None:
    await visit.rows.dialogs.await_(visit.user.id, Dialog(Waiting.PAIR_NAME_CHOICE, invite_id, visit.now + PATIENCE))


async def _answered(visit: Visit) -> None:
    """Take what is typed from now on as usual, because an invitation was answered."""
    await visit.rows.dialogs.forget(visit.user.id, only=(Waiting.PAIR_NAME_CHOICE,))


async def _await_code(visit: Visit) -> None:
    await visit.rows.dialogs.await_(visit.user.id, Dialog(Waiting.CODE, 0, visit.now + PATIENCE))


def _may_be_name(words: str) -> bool:
    return len(words) <= NAME_LIMIT and bool(clean_name(words))


async def _for_guest(visit: Visit, invite: Invite, *, ended: bool = False, more: bool = False) -> Result:
    """Return what a guest with a link or code sees: the invitation, or that their yes is on its way.

    What they type below the invitation isn't taken as a Line, unless we wait for something else already.
    """
    if invite.accepted_at:
        return InvitationAccepted(invite.id)
    if await visit.rows.dialogs.find(visit.user.id, visit.now) is None:
        await _await_name_choice(visit, invite.id)
    return Invitation(invite.id, ended=ended, more=more)
