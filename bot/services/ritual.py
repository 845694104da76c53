"""The Ritual: a weekly moment at which both partners receive what the other one has put in.

What a user puts in is a Reflection that isn't sent on its own; the Ritual's Notice sends it at the moment. Neither user
learns whether the other has put in something that didn't go out.
"""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Final

from bot.domain.content import Prompt, Wish
from bot.domain.model import Dialog, Line, Pair, Rhythm, Waiting
from bot.domain.notices import Notice, NoticeKind
from bot.domain.prompts import may_ask
from bot.domain.results import Outdated, Result
from bot.domain.results.base import OfReflection
from bot.domain.results.lines import LineGone
from bot.domain.results.ritual import (
    RitualAsked,
    RitualDayWanted,
    RitualDeclined,
    RitualEnded,
    RitualEndWanted,
    RitualHourWanted,
    RitualLines,
    RitualLineWanted,
    RitualMorning,
    RitualNone,
    RitualNothing,
    RitualPreview,
    RitualProposed,
    RitualPutIn,
    RitualShown,
    RitualTermsWanted,
    RitualTooLate,
)
from bot.domain.ritual import (
    HOURS,
    LOOKS_BACK,
    Ritual,
    RitualMember,
    Terms,
    asks_at,
    fits,
    going_out,
    is_open,
    question_for,
)
from bot.domain.sharing import Reflection, State, minutes_of_cool_off
from bot.domain.times import local_date, next_weekly
from bot.domain.typed import LINE_LIMIT
from bot.domain.undecided import Waits
from bot.library import Library
from bot.services.lines import PATIENCE, Typed, set_aside_too_long
from bot.services.names import name_of, read_partner_name
from bot.services.pairing import explain_no_pair
from bot.services.sharing import Sharing
from bot.services.undecided import AskAgain
from bot.services.visit import NoticeHandlers, Visit
from bot.storage.ids import timeless_id
from bot.storage.store import Rows

_LISTED: Final = 8
_WEEKDAYS: Final = range(7)
ANSWERS: Final = "question"
"""A Dialog's detail if the awaited line answers the same question."""
NOTICED: Final = "noticed"
"""A Dialog's detail if the awaited line is to be about something that the partner did or carried."""
_AFTER: Final = timedelta(seconds=2)
"""How much later than the message that the Ritual is agreed an invitation for the same day comes."""


class Rituals:
    """Use cases around the Ritual."""

    def __init__(self, sharing: Sharing, library: Library) -> None:
        self._sharing = sharing
        self._prompts = tuple(library.prompts.values())
        self.ask_again: Final[dict[Waits, AskAgain]] = {Waits.RITUAL: self.preview}
        self.typed: Final[Mapping[Waiting, Typed]] = {Waiting.RITUAL_LINE: self._typed_line}
        self.notice_handlers: NoticeHandlers = {
            NoticeKind.RITUAL_ASKED: self.ask,
            NoticeKind.RITUAL_AGREED: self.tell_agreed,
            NoticeKind.RITUAL_MORNING: self.invite,
            NoticeKind.RITUAL_MOMENT: self.deliver_moment,
        }

    # Agreeing on it

    async def show(self, visit: Visit, *, here: bool = False) -> Result:
        """Show the state of the Pair's Ritual."""
        pair = await self._pair(visit)
        if not isinstance(pair, Pair):
            return pair
        ritual = await visit.rows.rituals.of_pair(pair.id, visit.now)
        if ritual is None:
            return RitualNone(here=here)
        if ritual.agreed:
            return await self._shown(visit, ritual)
        if ritual.proposer_id == visit.user.id:
            return RitualProposed(ritual.id, ritual.after(visit.now), ritual.same_question)
        return RitualAsked(ritual.id, ritual.after(visit.now), ritual.same_question)

    async def days(self, visit: Visit, same_question: bool = False) -> Result:  # a button's value
        shown = await self.show(visit)
        return RitualDayWanted(same_question) if isinstance(shown, RitualNone) else shown

    async def hours(self, visit: Visit, weekday: int, same_question: bool = False) -> Result:  # a button's value
        shown = await self.show(visit)
        is_next = isinstance(shown, RitualNone) and weekday in _WEEKDAYS
        return RitualHourWanted(weekday, same_question) if is_next else shown

    async def propose(self, visit: Visit, weekday: int, hour: int, same_question: bool = False) -> Result:  # likewise
        """Propose this weekday and full hour to the partner, by the proposer's clock, which becomes the Pair's.

        With `same_question` the proposal includes the same question for both.
        """
        pair = await self._pair(visit)
        if not isinstance(pair, Pair):
            return pair
        if weekday not in _WEEKDAYS or hour not in HOURS:
            return RitualDayWanted(same_question)
        at, zone = time(hour), visit.zone
        first = next_weekly(visit.now, weekday, at, zone).at
        ritual = Ritual(
            timeless_id(), pair.id, visit.user.id, weekday, at, zone, visit.now, first, same_question=same_question
        )
        # Otherwise taking it back and proposing again would nudge the partner, so within a week we don't ask again.
        asked_lately = await visit.rows.rituals.taken_back(pair.id, visit.user.id, visit.now)
        if await visit.rows.rituals.propose(ritual, visit.now) and not asked_lately:
            await visit.rows.notices.add(
                [(pair.partner_of(visit.user.id), NoticeKind.RITUAL_ASKED, ritual.id, visit.now)], visit.now
            )
        return await self.show(visit)

    async def agree(self, visit: Visit, ritual_id: int, *, same_question: bool = False) -> Result:
        """Take the partner's yes, which starts the Ritual. The same question comes only if both have chosen it."""
        pair, ritual = await self._lock_own(visit, ritual_id)
        if pair is None or ritual is None or ritual.agreed or ritual.proposer_id == visit.user.id:
            return await self.show(visit)
        first = ritual.after(visit.now)
        both = same_question and ritual.same_question
        members = await visit.rows.rituals.agree(ritual, pair, first, visit.now, same_question=both)
        await visit.rows.notices.cancel(NoticeKind.RITUAL_ASKED, ritual.id, visit.now)
        agreed = (ritual.proposer_id, NoticeKind.RITUAL_AGREED, ritual.id, visit.now)
        moment = (ritual.proposer_id, NoticeKind.RITUAL_MOMENT, ritual.id, first)
        await visit.rows.notices.add([agreed, moment], visit.now)
        await self._plan_mornings(visit.rows, members, first, visit.now)
        open_ = is_open(visit.now, first, visit.zone)
        return RitualShown(ritual.id, first, new=True, open=open_, same_question=both)

    async def decline(self, visit: Visit, ritual_id: int) -> Result:
        """Take the partner's no. The proposal stays as it is, so that its proposer can't tell.

        A no to a proposal that was taken back gets the same answer, even if there is another one by now.
        """
        pair = await self._pair(visit)
        if not isinstance(pair, Pair):
            return pair
        ritual = await visit.rows.rituals.of_pair(pair.id, visit.now)
        if ritual and (ritual.agreed or ritual.proposer_id == visit.user.id):
            return await self.show(visit)
        if ritual and ritual.id == ritual_id:
            await visit.rows.notices.cancel(NoticeKind.RITUAL_ASKED, ritual.id, visit.now)
        return RitualDeclined()

    async def ask_end(self, visit: Visit, ritual_id: int) -> Result:
        _, ritual = await self._lock_own(visit, ritual_id)
        return RitualEndWanted(ritual.id) if ritual and ritual.agreed else await self.show(visit)

    async def take_back(self, visit: Visit, ritual_id: int) -> Result:
        """Take a proposal back without telling the partner. If they have agreed to it meanwhile, the Ritual stays."""
        _, ritual = await self._lock_own(visit, ritual_id)
        if ritual is None or ritual.agreed or ritual.proposer_id != visit.user.id:
            return await self.show(visit)
        await self._end(visit.rows, ritual, visit.now)
        return RitualEnded()

    async def end(self, visit: Visit, ritual_id: int) -> Result:
        """End the Ritual at once. Either user can do so alone, and the partner isn't told."""
        pair, ritual = await self._lock_own(visit, ritual_id)
        if pair is None or ritual is None or not ritual.agreed:
            return await self.show(visit)
        await self._end(visit.rows, ritual, visit.now)
        await visit.rows.reflections.lapse(list(await visit.rows.rituals.drafts(pair.id)))
        return RitualEnded()

    async def on_unpaired(self, rows: Rows, pair: Pair, now: datetime) -> None:
        """End the Ritual with its Pair. What was put in is cancelled, like all unopened Reflections."""
        if ritual := await rows.rituals.of_pair(pair.id, now):
            await self._end(rows, ritual, now)

    async def _end(self, rows: Rows, ritual: Ritual, now: datetime) -> None:
        await rows.rituals.lock(ritual.id)
        unheard = await rows.notices.cancel(NoticeKind.RITUAL_ASKED, ritual.id, now)
        if not (ritual.agreed or unheard):
            return await rows.rituals.take_back(ritual)
        for kind in (NoticeKind.RITUAL_AGREED, NoticeKind.RITUAL_MOMENT):
            await rows.notices.cancel(kind, ritual.id, now)
        members = [member.id for member in await rows.rituals.members(ritual.id)]
        await rows.notices.cancel_all(NoticeKind.RITUAL_MORNING, members, now)
        return await rows.rituals.drop(ritual)

    # Putting something in

    async def morning(self, visit: Visit) -> Result:
        """Go back to the choices of what to put in."""
        await visit.rows.dialogs.forget(visit.user.id, only=(Waiting.RITUAL_LINE,))
        found = await self._open(visit)
        return self._morning(visit, found[1], here=True) if isinstance(found, tuple) else found

    async def lines(self, visit: Visit, moment: datetime) -> Result:
        """Show the lines of the week, to choose one for this moment."""
        found = await self._open(visit, moment)
        if not isinstance(found, tuple):
            return found
        since = local_date(visit.now - LOOKS_BACK, visit.zone)
        lines = await visit.rows.lines.page(visit.user.id, None, _LISTED)
        return RitualLines(tuple((line.id, line.day) for line in lines if line.day > since), found[1].next_at)

    async def choose(self, visit: Visit, moment: datetime, line_id: int) -> Result:
        """Start putting in this Line with a preview of exactly what the partner would see."""
        found = await self._open(visit, moment)
        if not isinstance(found, tuple):
            return found
        line = await visit.rows.lines.find(visit.user.id, line_id)
        return LineGone() if line is None else await self._preview(visit, line, here=True)

    async def write(self, visit: Visit, moment: datetime, *, detail: str = "") -> Result:
        """Keep the next text as a Line and preview it. `detail` can be ANSWERS or NOTICED."""
        found = await self._open(visit, moment)
        if not isinstance(found, tuple):
            return found
        member, ritual = found
        question = self._question(visit, ritual) if detail == ANSWERS else None
        await self._await(visit, member.id, detail)
        return RitualLineWanted(prompt_id=question.id if question else None, noticed=detail == NOTICED)

    async def _await(self, visit: Visit, member_id: int, detail: str) -> None:
        dialog = Dialog(Waiting.RITUAL_LINE, member_id, visit.now + PATIENCE, detail=detail)
        await visit.rows.dialogs.await_(visit.user.id, dialog)

    def _question(self, visit: Visit, ritual: Ritual) -> Prompt | None:
        """Return the question of the next moment, if the Pair agreed on one and this user can be asked it."""
        question = question_for(self._prompts, ritual) if ritual.same_question else None
        return question if question and may_ask(question, visit.user, paired=True) else None

    def _morning(self, visit: Visit, ritual: Ritual, *, here: bool = False) -> RitualMorning:
        question = self._question(visit, ritual)
        return RitualMorning(ritual.next_at, here, question.id if question else None)

    async def _typed_line(self, visit: Visit, dialog: Dialog, words: str, message_id: int) -> Result | None:
        found = await self._open(visit)
        if not isinstance(found, tuple):
            return None  # the moment has passed: it is a Line like any other
        question = self._question(visit, found[1]) if dialog.detail == ANSWERS else None
        prompt_id = question.id if question else None
        if len(words) > LINE_LIMIT:
            await self._await(visit, dialog.subject_id, dialog.detail)
            draft_id = await set_aside_too_long(visit, words, message_id)
            return RitualLineWanted(too_long=True, prompt_id=prompt_id, draft_id=draft_id)
        day, noticed = local_date(visit.now, visit.zone), dialog.detail == NOTICED
        line = Line(timeless_id(), visit.user.id, day, None, message_id, prompt_id, noticed=noticed)
        await visit.rows.lines.keep(line, words, prompt_id=prompt_id, now=visit.now)
        return await self._preview(visit, line)

    async def _preview(self, visit: Visit, line: Line, *, here: bool = False) -> Result:
        found = await self._open(visit)
        pair = await visit.rows.pairs.active(visit.user.id)
        if not isinstance(found, tuple) or pair is None:
            return found if isinstance(found, Result) else Outdated()
        drafts = await visit.rows.rituals.drafts(pair.id)
        for draft_id, owner in drafts.items():
            if owner == visit.user.id and draft_id != found[0].reflection_id:
                await self._drop(visit, draft_id)  # previewed before, and not put in
        reflection = await self._sharing.draft(visit, pair, line, ritual=True)
        if not fits(visit.now, found[1].next_at, reflection.depth):
            await visit.rows.reflections.drop_draft(reflection)
            return RitualTooLate(found[1].next_at, minutes_of_cool_off(reflection.depth))
        return RitualPreview(reflection.id, here=here)

    async def preview(self, visit: Visit, reflection_id: int) -> Result:
        """Preview again what was about to be put in."""
        found = await self._item(visit, reflection_id)
        return RitualPreview(reflection_id, here=True) if isinstance(found, tuple) else found

    async def set_question(self, visit: Visit, with_it: bool, reflection_id: int) -> Result:  # a button's value
        """Send the question along with the words, or leave it off."""
        reflection = await self._draft(visit, reflection_id)
        if reflection is None:
            return await self._what_became_of(visit, reflection_id)
        await self._sharing.put_question(visit, reflection, with_it=with_it)
        return RitualPreview(reflection.id, here=True)

    async def wish(self, visit: Visit, wish: Wish, reflection_id: int) -> Result:
        """Set the Wish."""
        found = await self._item(visit, reflection_id)
        if not isinstance(found, tuple):
            return found
        reflection, _, ritual = found
        await self._sharing.set_wish(visit.rows, reflection, wish)
        return RitualTermsWanted(reflection.id, ritual.next_at)

    async def confirm(self, visit: Visit, terms: Terms, reflection_id: int) -> Result:
        """Take the second yes to words that sound alarming."""
        return await self.put_in(visit, terms, reflection_id, is_sure=True)

    async def put_in(self, visit: Visit, terms: Terms, reflection_id: int, *, is_sure: bool = False) -> Result:
        """Put in the Reflection: it goes out at the moment, under these terms, and replaces what was in before."""
        found = await self._item(visit, reflection_id)
        if not isinstance(found, tuple):
            return found
        reflection, member, ritual = found
        if not fits(visit.now, ritual.next_at, reflection.depth):
            return RitualTooLate(ritual.next_at, minutes_of_cool_off(reflection.depth))
        is_in = member.reflection_id == reflection.id
        if not (is_sure or is_in) and await self._sharing.wants_second_yes(visit.rows, reflection):
            return RitualPutIn(reflection.id, terms, ritual.next_at)
        if member.reflection_id and not is_in:
            await self._drop(visit, member.reflection_id)
        await visit.rows.rituals.put_in(member, reflection.id, terms)
        return RitualPutIn(reflection.id, terms, ritual.next_at)

    async def take_out(self, visit: Visit, reflection_id: int) -> Result:
        """Take out the Reflection, to put in another one or nothing; before the moment that leaves no trace."""
        found = await self._item(visit, reflection_id)
        if not isinstance(found, tuple):
            return found
        _, member, ritual = found
        if member.reflection_id == reflection_id:
            await visit.rows.rituals.put_in(member, None, None)
        await self._drop(visit, reflection_id)
        shown = await self._shown(visit, ritual)
        return shown if shown.reflection_id else RitualNothing()  # show another Reflection that is put in: it goes out

    async def take_all_out(self, visit: Visit) -> None:
        """Take out whatever this user has put in or begun to put in, even right before the moment."""
        member = await visit.rows.rituals.member_of(visit.user.id)
        if member and member.reflection_id:
            await visit.rows.rituals.put_in(member, None, None)
        pair = await visit.rows.pairs.active(visit.user.id)
        drafts = await visit.rows.rituals.drafts(pair.id) if pair else {}
        await visit.rows.reflections.lapse([draft_id for draft_id, owner in drafts.items() if owner == visit.user.id])

    async def nothing(self, visit: Visit, moment: datetime) -> Result:
        """Put in nothing this time."""
        found = await self._open(visit, moment)
        if not isinstance(found, tuple):
            return found
        member, _ = found
        await visit.rows.dialogs.forget(visit.user.id, only=(Waiting.RITUAL_LINE,))
        if member.reflection_id:
            await visit.rows.rituals.put_in(member, None, None)
            await self._drop(visit, member.reflection_id)
        return RitualNothing()

    # When its time comes

    async def ask(self, visit: Visit, notice: Notice) -> Result | None:
        """Tell the user about the partner's proposal."""
        _, ritual = await self._lock_own(visit, notice.subject_id)
        open_ = ritual and not ritual.agreed and ritual.proposer_id != visit.user.id
        return RitualAsked(ritual.id, ritual.after(visit.now), ritual.same_question) if ritual and open_ else None

    async def tell_agreed(self, visit: Visit, notice: Notice) -> Result | None:
        _, ritual = await self._lock_own(visit, notice.subject_id)
        if ritual is None or not ritual.agreed:
            return None
        open_ = is_open(visit.now, ritual.next_at, visit.zone)
        return RitualShown(ritual.id, ritual.next_at, new=True, open=open_, same_question=ritual.same_question)

    async def invite(self, visit: Visit, notice: Notice) -> Result | None:
        """Invite the user, on that morning, to put something in, unless their rhythm is quiet.

        If they have moved to another zone since this was planned, the morning is the one of their new zone.
        """
        member = await visit.rows.rituals.member_of(visit.user.id)
        ritual = await visit.rows.rituals.lock(member.ritual_id) if member and member.id == notice.subject_id else None
        if ritual is None or visit.user.rhythm is Rhythm.QUIET or ritual.next_at <= visit.now:
            return None
        if (asked := asks_at(ritual.next_at, visit.zone)) > visit.now:
            await visit.rows.notices.put_off(notice, asked)
            return None
        morning = self._morning(visit, ritual)
        if morning.prompt_id:
            await visit.rows.asks.remember_shown(visit.user.id, morning.prompt_id, visit.now)
        return morning

    async def deliver_moment(self, visit: Visit, notice: Notice) -> Result | None:
        """Handle the Ritual's moment: send what goes out, keep the rest private, and plan the next moment."""
        ritual = await visit.rows.rituals.lock(notice.subject_id)
        if ritual is None or not ritual.agreed:
            return None
        if ritual.next_at > visit.now:
            await visit.rows.notices.put_off(notice, ritual.next_at)
            return None
        await self._deliver(visit.rows, ritual, visit.now)
        following = ritual.after(visit.now)
        await visit.rows.rituals.move_on(ritual, following)
        await visit.rows.notices.put_off(notice, following)
        await self._plan_mornings(visit.rows, await visit.rows.rituals.members(ritual.id), following, visit.now)
        return None

    async def _deliver(self, rows: Rows, ritual: Ritual, now: datetime) -> None:
        drafts = await rows.rituals.drafts(ritual.pair_id)
        members = [member for member in await rows.rituals.members(ritual.id) if member.reflection_id in drafts]
        put_in = {member.user_id: member.terms for member in members if member.terms}
        out = going_out(put_in, await rows.rituals.sharing_at(ritual.pair_id, ritual.next_at))
        chosen = [member for member in members if member.user_id in out]
        found = [await rows.reflections.mine(member.user_id, member.reflection_id or 0) for member in chosen]
        going = [reflection for reflection in found if reflection]
        await self._sharing.deliver_together(rows, going, ritual.next_at, now)
        await rows.reflections.lapse(list(drafts.keys() - {reflection.id for reflection in going}))

    async def _plan_mornings(self, rows: Rows, members: list[RitualMember], moment: datetime, now: datetime) -> None:
        await rows.notices.cancel_all(NoticeKind.RITUAL_MORNING, [member.id for member in members], now)
        planned = []
        for member in members:
            user = await rows.users.find(member.user_id)
            if user:
                due_at = max(asks_at(moment, user.zone or "UTC"), now + _AFTER)
                planned.append((member.user_id, NoticeKind.RITUAL_MORNING, member.id, due_at))
        await rows.notices.add(planned, now)

    # Words for screens

    async def read_shown(self, visit: Visit, result: RitualShown) -> Mapping[str, str]:
        item = await self.read_item(visit, result) if result.reflection_id else {}
        return {**await read_partner_name(visit, result), **item}

    async def read_item(self, visit: Visit, result: OfReflection) -> Mapping[str, str]:
        reflection = await visit.rows.reflections.mine(visit.user.id, result.reflection_id)
        words = await visit.rows.reflections.words(reflection) if reflection else None
        if reflection is None or words is None:
            return {}
        names = {
            "name": await name_of(visit.rows, reflection.partner_id),
            "own": await name_of(visit.rows, visit.user.id),
        }
        return {
            **names,
            "words": words,
            **self._sharing.read_wish(reflection),
            **await self._sharing.read_question(visit, reflection),
        }

    async def read_put_in(self, visit: Visit, result: RitualPutIn) -> Mapping[str, str]:
        """Read the words, and whether they wait for a second yes, which the Result doesn't say."""
        words = await self.read_item(visit, result)
        member = await visit.rows.rituals.member_of(visit.user.id)
        found = await self._draft(visit, result.reflection_id)
        if found is None or member is None or member.reflection_id == found.id:
            return words
        return {**words, "unsure": "yes"} if await self._sharing.wants_second_yes(visit.rows, found) else words

    async def read_lines(self, visit: Visit, result: RitualLines) -> Mapping[str, str]:
        words = await visit.rows.lines.words_of(visit.user.id, [line_id for line_id, _ in result.lines])
        return {str(line_id): text for line_id, text in words.items()}

    # Inside

    async def _pair(self, visit: Visit) -> Pair | Result:
        if pair := await visit.rows.pairs.active(visit.user.id):
            return pair
        return await explain_no_pair(visit.rows, visit.user)

    async def _lock_own(self, visit: Visit, ritual_id: int) -> tuple[Pair | None, Ritual | None]:
        """Return the user's Pair and, if it is that Pair's, this Ritual, locked until the end of the transaction."""
        pair = await visit.rows.pairs.active(visit.user.id)
        if pair is None:
            return None, None
        ritual = await visit.rows.rituals.lock(ritual_id)
        return pair, ritual if ritual and ritual.pair_id == pair.id and ritual.is_current(visit.now) else None

    async def _open(self, visit: Visit, moment: datetime | None = None) -> tuple[RitualMember, Ritual] | Result:
        """Return the user as a member of a Ritual that accepts something now, locked; or what to say instead.

        `moment` is the one that the tapped button is for. If it is an older one, we show the current state.
        """
        pair = await self._pair(visit)
        if not isinstance(pair, Pair):
            return pair
        member = await visit.rows.rituals.member_of(visit.user.id)
        ritual = await visit.rows.rituals.lock(member.ritual_id) if member else None
        if member is None or ritual is None:
            return RitualTooLate()
        if not is_open(visit.now, ritual.next_at, visit.zone):
            return RitualTooLate(ritual.after(visit.now))
        if moment and moment != ritual.next_at:
            return await self._shown(visit, ritual)
        return member, ritual

    async def _shown(self, visit: Visit, ritual: Ritual) -> RitualShown:
        member = await visit.rows.rituals.member_of(visit.user.id)
        moment = ritual.next_at if ritual.next_at > visit.now else ritual.after(visit.now)
        put_in_id = member.reflection_id if member and ritual.next_at > visit.now else None
        put_in = await self._draft(visit, put_in_id) if put_in_id else None  # its Line may have been deleted
        open_ = is_open(visit.now, moment, visit.zone)
        shown_id = put_in.id if put_in else 0
        return RitualShown(ritual.id, moment, open=open_, reflection_id=shown_id, same_question=ritual.same_question)

    async def _what_became_of(self, visit: Visit, reflection_id: int) -> Result:
        """Say what became of a Reflection that can no longer be put in or taken out."""
        open_ = await self._open(visit)
        if await visit.rows.pairs.active(visit.user.id):
            found = await self._sharing.mine(visit, reflection_id)
            if isinstance(found, Reflection) and found.ritual and found.due_at:
                return await self._sharing.shown(visit.rows, found, visit.now, here=False)
        return await self._shown(visit, open_[1]) if isinstance(open_, tuple) else open_

    async def _item(self, visit: Visit, reflection_id: int) -> tuple[Reflection, RitualMember, Ritual] | Result:
        """Return the Reflection that is or will be put in, and what `_open` returns; or what to say instead."""
        reflection = await self._draft(visit, reflection_id)
        if reflection is None:
            return await self._what_became_of(visit, reflection_id)
        found = await self._open(visit)
        return (reflection, *found) if isinstance(found, tuple) else found

    async def _draft(self, visit: Visit, reflection_id: int) -> Reflection | None:
        found = await visit.rows.reflections.mine(visit.user.id, reflection_id)
        return found if found and found.ritual and found.state is State.DRAFTED else None

    async def _drop(self, visit: Visit, reflection_id: int) -> None:
        if found := await self._draft(visit, reflection_id):
            await visit.rows.reflections.drop_draft(found)
