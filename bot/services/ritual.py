"""The Ritual: one moment a week at which what the two have put in goes to the other, both at once.

What is put in is a Reflection that goes nowhere by itself; the Ritual's Notice takes it out at the moment. Nobody
learns from it whether the other has put something in that didn't go out.
"""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any, Final

from bot.domain.content import Wish
from bot.domain.model import Dialog, Line, Notice, NoticeKind, Pair, Rhythm, User, Waiting
from bot.domain.results import Outdated, Result
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
from bot.domain.ritual import HOURS, LOOKS_BACK, Ritual, Seat, Terms, asks_at, fits, going_out, is_open
from bot.domain.sharing import Reflection, State, minutes_of_cool_off
from bot.domain.times import local_date, next_weekly
from bot.domain.typed import LINE_LIMIT
from bot.services.lines import PATIENCE, Typed
from bot.services.names import name_of
from bot.services.pairing import nobody
from bot.services.sharing import Sharing
from bot.storage.ids import timeless_id
from bot.storage.store import Rows

_LISTED: Final = 8
_WEEKDAYS: Final = range(7)
_AFTER: Final = timedelta(seconds=2)
"""An invitation on the same morning follows the word that the Ritual is agreed."""


class Rituals:
    """Use cases around the Ritual. `rows` is the transaction they happen in."""

    def __init__(self, sharing: Sharing) -> None:
        self._sharing = sharing
        self.typed: Final[Mapping[Waiting, Typed]] = {Waiting.RITUAL_LINE: self._typed_line}
        self.readers: Final[dict[type[Result], Any]] = {
            **dict.fromkeys((RitualNone, RitualProposed, RitualAsked, RitualMorning), self._read_name),
            **dict.fromkeys((RitualPreview, RitualTermsWanted, RitualPutIn), self._read_item),
            RitualShown: self._read_shown,
            RitualLines: self._read_lines,
        }

    # Agreeing on it

    async def show(self, rows: Rows, user: User, now: datetime, *, here: bool = False) -> Result:
        """Where these two are with it."""
        pair = await self._pair(rows, user)
        if not isinstance(pair, Pair):
            return pair
        ritual = await rows.rituals.of_pair(pair.id, now)
        if ritual is None:
            return RitualNone(here=here)
        if ritual.agreed:
            return await self._shown(rows, user, ritual, now)
        if ritual.proposer_id == user.id:
            return RitualProposed(ritual.id, ritual.after(now))
        return RitualAsked(ritual.id, ritual.after(now))

    async def days(self, rows: Rows, user: User, now: datetime) -> Result:
        shown = await self.show(rows, user, now)
        return RitualDayWanted() if isinstance(shown, RitualNone) else shown

    async def hours(self, rows: Rows, user: User, weekday: int, now: datetime) -> Result:
        shown = await self.show(rows, user, now)
        return RitualHourWanted(weekday) if isinstance(shown, RitualNone) and weekday in _WEEKDAYS else shown

    async def propose(self, rows: Rows, user: User, weekday: int, hour: int, now: datetime) -> Result:
        """Ask the partner for this weekday and full hour by the proposer's clock, which becomes the pair's."""
        pair = await self._pair(rows, user)
        if not isinstance(pair, Pair):
            return pair
        if weekday not in _WEEKDAYS or hour not in HOURS:
            return RitualDayWanted()
        at, zone = time(hour), user.zone or "UTC"
        first = next_weekly(now, weekday, at, zone).at
        ritual = Ritual(timeless_id(), pair.id, user.id, weekday, at, zone, now, first)
        # Taking it back and proposing anew must be no way to knock: what was asked in this week is not asked again.
        knocks = await rows.rituals.taken_back(pair.id, user.id, now)
        if await rows.rituals.propose(ritual, now) and not knocks:
            await rows.notices.add([(pair.partner_of(user.id), NoticeKind.RITUAL_ASKED, ritual.id, now)], now)
        return await self.show(rows, user, now)

    async def agree(self, rows: Rows, user: User, ritual_id: int, now: datetime) -> Result:
        """The other one wants it too: it begins."""
        pair, ritual = await self._held(rows, user, ritual_id, now)
        if pair is None or ritual is None or ritual.agreed or ritual.proposer_id == user.id:
            return await self.show(rows, user, now)
        first = ritual.after(now)
        seats = await rows.rituals.agree(ritual, pair, first, now)
        await rows.notices.cancel(NoticeKind.RITUAL_ASKED, ritual.id, now)
        told = (ritual.proposer_id, NoticeKind.RITUAL_AGREED, ritual.id, now)
        moment = (ritual.proposer_id, NoticeKind.RITUAL_MOMENT, ritual.id, first)
        await rows.notices.add([told, moment], now)
        await self._plan_mornings(rows, seats, first, now)
        return RitualShown(ritual.id, first, new=True, open=is_open(now, first, _zone(user)))

    async def decline(self, rows: Rows, user: User, ritual_id: int, now: datetime) -> Result:
        """No, or not now. The proposal stays as it is, so that the one who asked can't tell.

        A no to a proposal that was taken back is answered alike, also where another one has been made since.
        """
        pair = await self._pair(rows, user)
        if not isinstance(pair, Pair):
            return pair
        ritual = await rows.rituals.of_pair(pair.id, now)
        if ritual and (ritual.agreed or ritual.proposer_id == user.id):
            return await self.show(rows, user, now)
        if ritual and ritual.id == ritual_id:
            await rows.notices.cancel(NoticeKind.RITUAL_ASKED, ritual.id, now)
        return RitualDeclined()

    async def ask_end(self, rows: Rows, user: User, ritual_id: int, now: datetime) -> Result:
        _, ritual = await self._held(rows, user, ritual_id, now)
        return RitualEndWanted(ritual.id) if ritual and ritual.agreed else await self.show(rows, user, now)

    async def take_back(self, rows: Rows, user: User, ritual_id: int, now: datetime) -> Result:
        """Take a proposal back, without a word to the other one. One that was agreed to meanwhile goes on."""
        _, ritual = await self._held(rows, user, ritual_id, now)
        if ritual is None or ritual.agreed or ritual.proposer_id != user.id:
            return await self.show(rows, user, now)
        await self._end(rows, ritual, now)
        return RitualEnded()

    async def end(self, rows: Rows, user: User, ritual_id: int, now: datetime) -> Result:
        """End it: alone, at once, without a word to the other one."""
        pair, ritual = await self._held(rows, user, ritual_id, now)
        if pair is None or ritual is None or not ritual.agreed:
            return await self.show(rows, user, now)
        await self._end(rows, ritual, now)
        await self._sharing.lapse(rows, list(await rows.rituals.drafts(pair.id)))
        return RitualEnded()

    async def on_unpaired(self, rows: Rows, pair: Pair, now: datetime) -> None:
        """It ends with its Pair. What was put in is cancelled with all that isn't opened."""
        if ritual := await rows.rituals.of_pair(pair.id, now):
            await self._end(rows, ritual, now)

    async def _end(self, rows: Rows, ritual: Ritual, now: datetime) -> None:
        await rows.rituals.hold(ritual.id)
        unheard = await rows.notices.cancel(NoticeKind.RITUAL_ASKED, ritual.id, now)
        if not (ritual.agreed or unheard):
            return await rows.rituals.take_back(ritual)
        for kind in (NoticeKind.RITUAL_AGREED, NoticeKind.RITUAL_MOMENT):
            await rows.notices.cancel(kind, ritual.id, now)
        seats = [seat.id for seat in await rows.rituals.seats(ritual.id)]
        await rows.notices.cancel_all(NoticeKind.RITUAL_MORNING, seats, now)
        return await rows.rituals.drop(ritual)

    # Putting something in

    async def morning(self, rows: Rows, user: User, now: datetime) -> Result:
        """Back to what can be put in."""
        await rows.dialogs.forget(user.id, only=(Waiting.RITUAL_LINE,))
        found = await self._open(rows, user, now)
        return RitualMorning(found[1].next_at, here=True) if isinstance(found, tuple) else found

    async def lines(self, rows: Rows, user: User, moment: datetime, now: datetime) -> Result:
        """The lines of the week, to choose one for this moment."""
        found = await self._open(rows, user, now, moment)
        if not isinstance(found, tuple):
            return found
        since = local_date(now - LOOKS_BACK, _zone(user))
        lines = await rows.lines.page(user.id, None, _LISTED)
        return RitualLines(tuple((line.id, line.day) for line in lines if line.day > since), found[1].next_at)

    async def choose(self, rows: Rows, user: User, line_id: int, moment: datetime, now: datetime) -> Result:
        """Put in this Line: first a preview of exactly what the partner would see."""
        found = await self._open(rows, user, now, moment)
        if not isinstance(found, tuple):
            return found
        line = await rows.lines.find(user.id, line_id)
        return LineGone() if line is None else await self._preview(rows, user, line, now, here=True)

    async def write(self, rows: Rows, user: User, moment: datetime, now: datetime) -> Result:
        """The next text is kept as a Line, and previewed."""
        found = await self._open(rows, user, now, moment)
        if not isinstance(found, tuple):
            return found
        seat, _ = found
        await rows.dialogs.await_(user.id, Dialog(Waiting.RITUAL_LINE, seat.id, now + PATIENCE))
        return RitualLineWanted()

    async def _typed_line(
        self, rows: Rows, user: User, dialog: Dialog, words: str, message_id: int, now: datetime
    ) -> Result | None:
        found = await self._open(rows, user, now)
        if not isinstance(found, tuple):
            return None  # the moment has passed: it is a Line like any other
        if len(words) > LINE_LIMIT:
            await rows.dialogs.await_(user.id, Dialog(Waiting.RITUAL_LINE, dialog.subject_id, now + PATIENCE))
            return RitualLineWanted(too_long=True)
        line = Line(timeless_id(), user.id, local_date(now, _zone(user)), None, message_id)
        await rows.lines.keep(line, words, prompt_id=None, now=now)
        return await self._preview(rows, user, line, now)

    async def _preview(self, rows: Rows, user: User, line: Line, now: datetime, *, here: bool = False) -> Result:
        found = await self._open(rows, user, now)
        pair = await rows.pairs.active(user.id)
        if not isinstance(found, tuple) or pair is None:
            return found if isinstance(found, Result) else Outdated()
        drafts = await rows.rituals.drafts(pair.id)
        for about in (one for one, owner in drafts.items() if owner == user.id and one != found[0].reflection_id):
            await self._drop(rows, user, about)  # previewed before, and not put in
        reflection = await self._sharing.draft(rows, user, pair, line, now, ritual=True)
        if not fits(now, found[1].next_at, reflection.depth):
            await rows.reflections.drop_draft(reflection)
            return RitualTooLate(found[1].next_at, minutes_of_cool_off(reflection.depth))
        return RitualPreview(reflection.id, here=here)

    async def wish(self, rows: Rows, user: User, reflection_id: int, wish: Wish, now: datetime) -> Result:
        """How it shall be received."""
        reflection = await self._draft(rows, user, reflection_id)
        if reflection is None:
            return await self._gone_on(rows, user, reflection_id, now)
        found = await self._open(rows, user, now)
        if not isinstance(found, tuple):
            return found
        await self._sharing.set_wish(rows, reflection, wish)
        return RitualTermsWanted(reflection.id, found[1].next_at)

    async def put_in(self, rows: Rows, user: User, reflection_id: int, terms: Terms, now: datetime) -> Result:
        """It goes out at the moment, under these terms. What was in before gives way."""
        reflection = await self._draft(rows, user, reflection_id)
        if reflection is None:
            return await self._gone_on(rows, user, reflection_id, now)
        found = await self._open(rows, user, now)
        if not isinstance(found, tuple):
            return found
        seat, ritual = found
        if not fits(now, ritual.next_at, reflection.depth):
            return RitualTooLate(ritual.next_at, minutes_of_cool_off(reflection.depth))
        if seat.reflection_id and seat.reflection_id != reflection.id:
            await self._drop(rows, user, seat.reflection_id)
        await rows.rituals.put_in(seat, reflection.id, terms)
        return RitualPutIn(reflection.id, terms, ritual.next_at)

    async def take_out(self, rows: Rows, user: User, reflection_id: int, now: datetime) -> Result:
        """Not this one, or nothing after all; until the moment that leaves no trace."""
        if await self._draft(rows, user, reflection_id) is None:
            return await self._gone_on(rows, user, reflection_id, now)
        found = await self._open(rows, user, now)
        if not isinstance(found, tuple):
            return found
        seat, ritual = found
        if seat.reflection_id == reflection_id:
            await rows.rituals.put_in(seat, None, None)
        await self._drop(rows, user, reflection_id)
        shown = await self._shown(rows, user, ritual, now)
        return shown if shown.reflection_id else RitualNothing()  # what else is in goes out, and must not be hidden

    async def nothing(self, rows: Rows, user: User, moment: datetime, now: datetime) -> Result:
        """Nothing this time."""
        found = await self._open(rows, user, now, moment)
        if not isinstance(found, tuple):
            return found
        seat, _ = found
        await rows.dialogs.forget(user.id, only=(Waiting.RITUAL_LINE,))
        if seat.reflection_id:
            await rows.rituals.put_in(seat, None, None)
            await self._drop(rows, user, seat.reflection_id)
        return RitualNothing()

    # When its time comes

    async def ask(self, rows: Rows, user: User, notice: Notice, now: datetime) -> Result | None:
        """The partner's proposal."""
        _, ritual = await self._held(rows, user, notice.subject_id, now)
        open_ = ritual and not ritual.agreed and ritual.proposer_id != user.id
        return RitualAsked(ritual.id, ritual.after(now)) if ritual and open_ else None

    async def tell_agreed(self, rows: Rows, user: User, notice: Notice, now: datetime) -> Result | None:
        _, ritual = await self._held(rows, user, notice.subject_id, now)
        if ritual is None or not ritual.agreed:
            return None
        return RitualShown(ritual.id, ritual.next_at, new=True, open=is_open(now, ritual.next_at, _zone(user)))

    async def invite(self, rows: Rows, user: User, notice: Notice, now: datetime) -> Result | None:
        """That morning: each may put something in. Somebody whom the bot leaves in peace is not asked.

        Who has moved since it was planned is asked in the morning of where they are now.
        """
        seat = await rows.rituals.seat_of(user.id)
        ritual = await rows.rituals.hold(seat.ritual_id) if seat and seat.id == notice.subject_id else None
        if ritual is None or user.rhythm is Rhythm.QUIET or ritual.next_at <= now:
            return None
        if (morning := asks_at(ritual.next_at, _zone(user))) > now:
            await rows.notices.put_off(notice, morning)
            return None
        return RitualMorning(ritual.next_at)

    async def meet(self, rows: Rows, _user: User, notice: Notice, now: datetime) -> Result | None:
        """The moment: what goes out goes out now, the rest stays private, and the next moment is planned."""
        ritual = await rows.rituals.hold(notice.subject_id)
        if ritual is None or not ritual.agreed:
            return None
        if ritual.next_at > now:
            await rows.notices.put_off(notice, ritual.next_at)
            return None
        await self._deliver(rows, ritual, now)
        following = ritual.after(now)
        await rows.rituals.move_on(ritual, following)
        await rows.notices.put_off(notice, following)
        await self._plan_mornings(rows, await rows.rituals.seats(ritual.id), following, now)
        return None

    async def _deliver(self, rows: Rows, ritual: Ritual, now: datetime) -> None:
        drafts = await rows.rituals.drafts(ritual.pair_id)
        seats = [seat for seat in await rows.rituals.seats(ritual.id) if seat.reflection_id in drafts]
        put_in = {seat.user_id: seat.terms for seat in seats if seat.terms}
        out = going_out(put_in, await rows.rituals.sharing_at(ritual.pair_id, ritual.next_at))
        found = [await rows.reflections.mine(s.user_id, s.reflection_id or 0) for s in seats if s.user_id in out]
        going = [reflection for reflection in found if reflection]
        await self._sharing.deliver_together(rows, going, ritual.next_at, now)
        await self._sharing.lapse(rows, list(drafts.keys() - {reflection.id for reflection in going}))

    async def _plan_mornings(self, rows: Rows, seats: list[Seat], moment: datetime, now: datetime) -> None:
        await rows.notices.cancel_all(NoticeKind.RITUAL_MORNING, [seat.id for seat in seats], now)
        planned = []
        for seat in seats:
            user = await rows.users.find(seat.user_id)
            if user:
                due_at = max(asks_at(moment, _zone(user)), now + _AFTER)
                planned.append((seat.user_id, NoticeKind.RITUAL_MORNING, seat.id, due_at))
        await rows.notices.add(planned, now)

    async def next_moment(self, rows: Rows, pair_id: int, now: datetime) -> datetime | None:
        """When the Ritual of this Pair is next, where one is agreed."""
        ritual = await rows.rituals.of_pair(pair_id, now)
        return ritual.next_at if ritual and ritual.agreed and ritual.next_at > now else None

    # Words for screens

    async def _read_name(self, rows: Rows, user: User, _: Result) -> Mapping[str, str]:
        pair = await rows.pairs.active(user.id)
        return {"name": await name_of(rows, pair.partner_of(user.id))} if pair else {}

    async def _read_shown(self, rows: Rows, user: User, result: RitualShown) -> Mapping[str, str]:
        item = await self._read_item(rows, user, result) if result.reflection_id else {}
        return {**await self._read_name(rows, user, result), **item}

    async def _read_item(self, rows: Rows, user: User, result: Any) -> Mapping[str, str]:
        reflection = await rows.reflections.mine(user.id, result.reflection_id)
        words = await rows.reflections.words(reflection) if reflection else None
        if reflection is None or words is None:
            return {}
        names = {"name": await name_of(rows, reflection.partner_id), "own": await name_of(rows, user.id)}
        return {**names, "words": words, **self._sharing.how(reflection)}

    async def _read_lines(self, rows: Rows, user: User, result: RitualLines) -> Mapping[str, str]:
        words = await rows.lines.words_of(user.id, [line_id for line_id, _ in result.lines])
        return {str(line_id): text for line_id, text in words.items()}

    # Inside

    async def _pair(self, rows: Rows, user: User) -> Pair | Result:
        if pair := await rows.pairs.active(user.id):
            return pair
        return await nobody(rows, user)

    async def _held(self, rows: Rows, user: User, ritual_id: int, now: datetime) -> tuple[Pair | None, Ritual | None]:
        """The user's own Pair and, where it is its Ritual, this one; held until the end of the transaction."""
        pair = await rows.pairs.active(user.id)
        if pair is None:
            return None, None
        ritual = await rows.rituals.hold(ritual_id)
        return pair, ritual if ritual and ritual.pair_id == pair.id and ritual.holds(now) else None

    async def _open(
        self, rows: Rows, user: User, now: datetime, moment: datetime | None = None
    ) -> tuple[Seat, Ritual] | Result:
        """The user's seat at a Ritual that takes something now, held; or what to say instead.

        `moment` is the one that a button is about: under an older one it is said how things stand now.
        """
        pair = await self._pair(rows, user)
        if not isinstance(pair, Pair):
            return pair
        seat = await rows.rituals.seat_of(user.id)
        ritual = await rows.rituals.hold(seat.ritual_id) if seat else None
        if seat is None or ritual is None:
            return RitualTooLate()
        if not is_open(now, ritual.next_at, _zone(user)):
            return RitualTooLate(ritual.after(now))
        if moment and moment != ritual.next_at:
            return await self._shown(rows, user, ritual, now)
        return seat, ritual

    async def _shown(self, rows: Rows, user: User, ritual: Ritual, now: datetime) -> RitualShown:
        seat = await rows.rituals.seat_of(user.id)
        moment = ritual.next_at if ritual.next_at > now else ritual.after(now)
        put_in = seat.reflection_id if seat and ritual.next_at > now else None
        alive = await self._draft(rows, user, put_in) if put_in else None  # its Line may have been deleted
        open_ = is_open(now, moment, _zone(user))
        return RitualShown(ritual.id, moment, open=open_, reflection_id=alive.id if alive else 0)

    async def _gone_on(self, rows: Rows, user: User, reflection_id: int, now: datetime) -> Result:
        """What is so of something that can't be put in or taken out any more: it went out at its moment, or didn't."""
        open_ = await self._open(rows, user, now)
        if await rows.pairs.active(user.id):
            found = await self._sharing.mine(rows, user, reflection_id)
            if isinstance(found, Reflection) and found.ritual and found.due_at:
                return await self._sharing.shown(rows, found, now, here=False)
        return await self._shown(rows, user, open_[1], now) if isinstance(open_, tuple) else open_

    async def _draft(self, rows: Rows, user: User, reflection_id: int) -> Reflection | None:
        found = await rows.reflections.mine(user.id, reflection_id)
        return found if found and found.ritual and found.state is State.DRAFTED else None

    async def _drop(self, rows: Rows, user: User, reflection_id: int) -> None:
        if found := await self._draft(rows, user, reflection_id):
            await rows.reflections.drop_draft(found)


def _zone(user: User) -> str:
    return user.zone or "UTC"
