"""The sharer's side of sharing: preview, Wish, time; changing and taking back. `rewording` handles other words.

The words of a Reflection are a sealed copy of what its sharer saw in the preview. Changing the Line later leaves that
copy as it is. Deleting the Line also deletes every copy, and takes back every unopened Reflection.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final

from bot.domain.content import Wish
from bot.domain.days import read_day
from bot.domain.model import Dialog, Line, Pair, Waiting
from bot.domain.moments import Clock, is_at_ritual, looks_like_time, next_minute, read_moment
from bot.domain.notices import Notice, NoticeKind
from bot.domain.results import NothingHere, Result
from bot.domain.results.base import OfReflection
from bot.domain.results.lines import LineGone
from bot.domain.results.pairing import SharingEnded
from bot.domain.results.responses import ResponseReceived
from bot.domain.results.sharing import (
    DayWanted,
    LeftPrivate,
    OpenedBefore,
    ShareAgain,
    Shared,
    ShareHourWanted,
    ShareList,
    SharePreview,
    ShareShown,
    TooSoon,
    WhenWanted,
    WhichTime,
    WishWanted,
    Withdrawn,
)
from bot.domain.sharing import (
    DEEP,
    FURTHEST,
    Move,
    Reflection,
    State,
    When,
    cool_off,
    cue_of,
    days_on_offer,
    fits,
    hours_on_offer,
    offered,
    time_of,
)
from bot.domain.undecided import Waits
from bot.i18n import say_in
from bot.library import Library
from bot.library.phrases import Phrases
from bot.services.habits import habits_of
from bot.services.lines import PATIENCE, Typed
from bot.services.names import name_of, read_partner_name
from bot.services.next_ritual import next_ritual_at
from bot.services.pairing import explain_no_pair
from bot.services.undecided import AskAgain
from bot.services.visit import NoticeHandlers, Visit
from bot.storage.ids import timeless_id
from bot.storage.store import Rows

PAGE: Final = 5
"""How many Lines a page offers to choose from."""
SHOWN_FOR: Final = timedelta(days=7)
"""How long after its time we list a Reflection, opened or not."""
_LISTED: Final = 10
_LONGEST_TIME: Final = 30
_WHILE_ON_SCREEN: Final = timedelta(minutes=10)
"""For how long we take a text that reads like a time as an answer to the offered times."""

_TIME: Final = (Waiting.SHARE_TIME, Waiting.SHARE_WHEN)
_OF_SHARING: Final = (*_TIME, Waiting.REWORD)
"""The texts for a Reflection that we may be waiting for."""


class Sharing:
    """The sharer's use cases."""

    def __init__(self, library: Library, phrases: Phrases | None = None) -> None:
        self._library = library
        self._phrases = phrases or Phrases(library.safety)
        self.typed: dict[Waiting, Typed] = {
            Waiting.SHARE_TIME: self._typed_time,
            Waiting.SHARE_WHEN: self._typed_time,
        }
        self.notice_handlers: NoticeHandlers = {NoticeKind.SHARE_AGAIN: self.ask_once_more}
        self.ask_again: Final[dict[Waits, AskAgain]] = {Waits.SHARE: self.show}

    # --- from a Line to a Reflection ----------------------------------------------------------------------------------

    async def start(self, visit: Visit, line_id: int) -> Result:
        """Start sharing a Line, with a preview. Nothing goes out before the sharer has chosen a time."""
        pair = await self._pair(visit)
        if not isinstance(pair, Pair):
            return pair
        line = await visit.rows.lines.find(visit.user.id, line_id)
        if line is None:
            return LineGone()
        before = await visit.rows.reflections.of_line(line.id)
        if before and before.pair_id == pair.id:
            if before.state is not State.DRAFTED:
                return await self.shown(visit.rows, before, visit.now, here=False)
            await visit.rows.reflections.drop_draft(before)
        return SharePreview((await self.draft(visit, pair, line)).id)

    async def draft(self, visit: Visit, pair: Pair, line: Line, *, ritual: bool = False) -> Reflection:
        """Draft a Reflection with exactly the words of this Line and the question it answers."""
        prompt = self._library.prompts.get(line.prompt_id or "")
        reflection = Reflection(
            id=timeless_id(),
            user_id=visit.user.id,
            partner_id=pair.partner_of(visit.user.id),
            pair_id=pair.id,
            line_id=line.id,
            depth=prompt.depth if prompt else None,
            ritual=ritual,
        )
        words, question = await visit.rows.lines.words(line), prompt.id if prompt else None
        await visit.rows.reflections.draft(reflection, words, visit.now, question=question)
        return reflection

    async def redraft(self, rows: Rows, before: Reflection, words: str, now: datetime) -> Reflection:
        """Replace the draft with a new one in other words, which no button under the earlier preview can share."""
        reflection, question = replace(before, id=timeless_id()), await rows.reflections.question(before)
        await rows.reflections.drop_draft(before)
        await rows.reflections.draft(reflection, words, now, question=question)
        return reflection

    async def overview(self, visit: Visit, *, before: int | None = None) -> Result:
        """Show the scheduled Reflections, judged only by the sharer's own actions, and a page of Lines."""
        pair = await self._pair(visit)
        if not isinstance(pair, Pair):
            return pair
        shared = await visit.rows.reflections.shared_by(visit.user.id, pair.id, visit.now - SHOWN_FOR, _LISTED)
        lines = await visit.rows.lines.page(visit.user.id, before, PAGE + 1)
        return ShareList(
            () if before else tuple((one.id, one.due_at) for one in shared if one.due_at),
            tuple((line.id, line.day) for line in lines[:PAGE]),
            lines[PAGE - 1].id if len(lines) > PAGE else None,
            turned=before is not None,
            answered=tuple(one.id for one in shared if one.state is State.ANSWERED),
        )

    async def wish(self, visit: Visit, wish: Wish, known: datetime | None, reflection_id: int) -> Result:
        """Set the Wish. `known` is the scheduled time that the card with this button shows."""
        found = await self._as_shown(visit, known, reflection_id)
        if not isinstance(found, Reflection):
            return found
        wished = await self.set_wish(visit.rows, found, wish)
        if wished is None:
            return await self._show_current(visit, found)
        if wished.state is State.DRAFTED:
            return await self._when(visit, wished, wish)
        return await self.shown(visit.rows, wished, visit.now)

    async def set_question(self, visit: Visit, with_it: bool, reflection_id: int) -> Result:  # a button's value
        """Send the question along with the words, or leave it off."""
        found = await self.changeable(visit, reflection_id)
        if not isinstance(found, Reflection):
            return found
        await self.put_question(visit, found, with_it=with_it)
        return await self.show(visit, found.id)

    async def put_question(self, visit: Visit, reflection: Reflection, *, with_it: bool) -> None:
        """Send the question that the Line answers along, or leave it off."""
        line = await visit.rows.lines.find(visit.user.id, reflection.line_id) if reflection.line_id else None
        question = line.prompt_id if line and with_it and line.prompt_id in self._library.prompts else None
        await visit.rows.reflections.set_question(reflection, question)

    async def when(self, visit: Visit, reflection_id: int) -> Result:
        """Show the times on offer."""
        found = await self.changeable(visit, reflection_id)
        if not isinstance(found, Reflection):
            return found
        await visit.rows.dialogs.forget(visit.user.id, only=_TIME)
        if found.wish is None:
            return SharePreview(found.id, here=True)
        return await self._when(visit, found, found.wish)

    async def set_time(self, visit: Visit, when: When, known: datetime | None, reflection_id: int) -> Result:
        """Share it at one of the times on offer. `known` is as in `wish`."""
        found = await self._as_shown(visit, known, reflection_id)
        if not isinstance(found, Reflection):
            return found
        ritual = await next_ritual_at(visit.rows, found.pair_id, visit.now)
        moment = time_of(when, visit.now, visit.zone, found.depth, ritual)
        if moment is None and found.wish:
            return await self._when(visit, found, found.wish, too_soon=True)
        return await self._schedule(visit, found, moment)

    async def days(self, visit: Visit, known: datetime | None, reflection_id: int) -> Result:
        """Ask for another time, beginning with the day; it can be typed, too. `known` is as in `wish`."""
        found = await self._as_shown(visit, known, reflection_id)
        if not isinstance(found, Reflection):
            return found
        await visit.rows.dialogs.await_(visit.user.id, Dialog(Waiting.SHARE_TIME, found.id, visit.now + PATIENCE))
        return self._days(visit, found)

    async def hours(self, visit: Visit, day: date, known: datetime | None, reflection_id: int) -> Result:
        """Show the hours of that day. `known` is as in `wish`."""
        found = await self._as_shown(visit, known, reflection_id)
        if not isinstance(found, Reflection):
            return found
        return self._hours(visit, found, day) or await self.days(visit, known, found.id)

    async def set_moment(self, visit: Visit, moment: datetime, known: datetime | None, reflection_id: int) -> Result:
        """Share it at that moment. `known` is as in `wish`."""
        found = await self._as_shown(visit, known, reflection_id)
        return await self._schedule(visit, found, moment) if isinstance(found, Reflection) else found

    async def set_soonest(self, visit: Visit, moment: datetime, known: datetime | None, reflection_id: int) -> Result:
        """Share it at that moment, or, if the tap comes late, as soon after it as the cool-off allows."""
        found = await self.changeable(visit, reflection_id)
        if isinstance(found, Reflection):
            moment = max(moment, next_minute(visit.now + cool_off(found.depth)))
        return await self.set_moment(visit, moment, known, reflection_id)

    async def confirm(self, visit: Visit, moment: datetime, reflection_id: int) -> Result:
        """Take the second yes to words that sound alarming: share them then, or as soon after it as possible."""
        found = await self.changeable(visit, reflection_id)
        if not isinstance(found, Reflection):
            return found
        soonest = next_minute(visit.now + cool_off(found.depth))
        return await self._schedule(visit, found, max(moment, soonest), is_sure=True)

    async def wants_second_yes(self, rows: Rows, reflection: Reflection, words: str | None = None) -> bool:
        """Return whether sharing this needs a second yes, decided from its words each time and never stored."""
        return await self._phrases.look_in(words or await rows.reflections.words(reflection) or "")

    async def drop(self, visit: Visit, reflection_id: int) -> Result:
        """Drop the draft. If it has been scheduled meanwhile, it still goes out, and can be taken back."""
        found = await self.mine(visit, reflection_id)
        if not isinstance(found, Reflection):
            return found
        if found.state is not State.DRAFTED:
            return await self.shown(visit.rows, found, visit.now)
        await visit.rows.dialogs.forget(visit.user.id, only=_OF_SHARING)
        await visit.rows.reflections.drop_draft(found)
        return LeftPrivate()

    # --- until it is opened -------------------------------------------------------------------------------------------

    async def show(self, visit: Visit, reflection_id: int, *, here: bool = True) -> Result:
        """Show a Reflection and what can be done with it, whether or not it was announced or opened."""
        await visit.rows.dialogs.forget(visit.user.id, only=_OF_SHARING)
        found = await self.mine(visit, reflection_id)
        if not isinstance(found, Reflection):
            return found
        if found.due_at is None:
            return SharePreview(found.id, here=here)
        return await self.shown(visit.rows, found, visit.now, here=here)

    async def ask_wish(self, visit: Visit, reflection_id: int) -> Result:
        found = await self.changeable(visit, reflection_id)
        if not isinstance(found, Reflection):
            return found
        return WishWanted(found.id, found.due_at) if found.due_at else SharePreview(found.id, here=True)

    async def withdraw(self, visit: Visit, reflection_id: int) -> Result:
        """Take a Reflection back, unless it was opened. Only this action reveals to its sharer that it was."""
        found = await self.mine(visit, reflection_id)
        if not isinstance(found, Reflection):
            return found
        await visit.rows.dialogs.forget(visit.user.id, only=_OF_SHARING)
        if found.state is State.DRAFTED:
            return await self.drop(visit, reflection_id)
        if await visit.rows.reflections.move(found, Move.WITHDRAW) is None:
            return OpenedBefore()
        await visit.rows.notices.cancel(NoticeKind.REFLECTION, found.id, visit.now)
        return Withdrawn()

    async def ask_once_more(self, visit: Visit, notice: Notice) -> Result | None:
        """Ask, after a backup was restored, whether it should go out after all."""
        found = await self.mine(visit, notice.subject_id)
        return ShareAgain(found.id) if isinstance(found, Reflection) and found.state is State.DRAFTED else None

    # --- for other services --------------------------------------------------------------------------------------

    async def withdraw_all(self, visit: Visit) -> None:
        """Take back all of this user's unopened Reflections."""
        unheard = await visit.rows.pairs.ended(visit.user.id)
        ids = await visit.rows.reflections.withdraw_all(visit.user.id, unheard=unheard)
        await visit.rows.notices.cancel_all(NoticeKind.REFLECTION, ids, visit.now)

    async def on_unpaired(self, rows: Rows, pair: Pair, now: datetime) -> None:
        """Handle the end of the Pair: cancel all unopened Reflections and every pending message about Reflections."""
        await rows.notices.cancel_all(NoticeKind.REFLECTION, await rows.reflections.cancel_pair(pair.id), now)
        answered = await rows.reflections.answered_in(pair.id)
        await rows.notices.cancel_all(NoticeKind.RESPONSE, await rows.responses.sent_to(answered), now)

    async def set_wish(self, rows: Rows, reflection: Reflection, wish: Wish) -> Reflection | None:
        """Set the Wish and its Cue. None if the Reflection has ended or was opened."""
        wished = replace(reflection, wish=wish)
        wished = replace(wished, cue_id=cue_of(wished, self._library.cues).id)
        return wished if await rows.reflections.wish(wished, wish, wished.cue_id) else None

    async def deliver_together(
        self, rows: Rows, reflections: list[Reflection], moment: datetime, now: datetime
    ) -> None:
        """Send what was put in for the Ritual's `moment`, which counts as its time even if we are late."""
        for reflection in reflections:
            wish = reflection.wish or Wish.LISTEN
            if await rows.reflections.move(reflection, Move.SCHEDULE, shared_at=now, due_at=moment, wish=wish):
                await rows.notices.reschedule(reflection.partner_id, NoticeKind.REFLECTION, reflection.id, now, now)

    # --- words for screens --------------------------------------------------------------------------------------------

    async def read(self, visit: Visit, result: OfReflection) -> Mapping[str, str]:
        found = await visit.rows.reflections.mine(visit.user.id, result.reflection_id)
        return await self.read_all(visit, found) if found else {}

    async def read_all(self, visit: Visit, reflection: Reflection) -> Mapping[str, str]:
        """Read the words of this Reflection of the user's own, with both names, the Wish, the Cue and the question."""
        name, words = await name_of(visit.rows, reflection.partner_id), await visit.rows.reflections.words(reflection)
        how = {**self.read_wish(reflection), **await self.read_question(visit, reflection)}
        return {"name": name, "own": await name_of(visit.rows, visit.user.id), "words": words or "", **how}

    async def read_shared(self, visit: Visit, result: Shared) -> Mapping[str, str]:
        """Read the words, and whether they wait for a second yes: they sound alarming and aren't scheduled yet.

        The Result doesn't say so, since it is stored until its answer is sent.
        """
        found = await visit.rows.reflections.mine(visit.user.id, result.reflection_id)
        if found is None:
            return {}
        words = await self.read_all(visit, found)
        waits = found.due_at != result.at and await self.wants_second_yes(visit.rows, found)
        return {**words, "unsure": found.state} if waits else words

    async def read_preview(self, visit: Visit, result: SharePreview) -> Mapping[str, str]:
        found = await visit.rows.reflections.mine(visit.user.id, result.reflection_id)
        if found is None:
            return {}
        words, named = await self.read_all(visit, found), await self.named(visit, found)
        return {**words, "named": named} if named and not words["words"].endswith(named) else words

    async def named(self, visit: Visit, reflection: Reflection) -> str:
        """Return the words that the sharer has added to the Line, in their language and in brackets; "" if none."""
        if reflection.line_id is None:
            return ""
        feelings = await visit.rows.lines.feelings(visit.user.id, reflection.line_id)
        say, shelf = say_in(visit.user.language), self._library.shelf
        texts = [each.own or (say.title(shelf[each.shelf].text) if each.shelf in shelf else "") for each in feelings]
        return f"({', '.join(filter(None, texts))})" if any(texts) else ""

    async def read_question(self, visit: Visit, reflection: Reflection) -> Mapping[str, str]:
        """Return the English text of the question that goes or could go with the words, to be translated.

        For a Noticed line, which answers no question, return that it is one.
        """
        sent = self._library.prompts.get(await visit.rows.reflections.question(reflection) or "")
        if sent:
            return {"question": sent.text}
        line = await visit.rows.lines.find(visit.user.id, reflection.line_id) if reflection.line_id else None
        if line and line.noticed:
            return {"noticed": "yes"}
        could = self._library.prompts.get(line.prompt_id or "") if line else None
        return {"without": could.text} if could else {}

    def read_wish(self, reflection: Reflection) -> Mapping[str, str]:
        """Return the Wish and the Cue, as the receiver will see them."""
        if reflection.wish is None:
            return {"wish": ""}
        return {"wish": reflection.wish, "cue_id": cue_of(reflection, self._library.cues).id}

    async def read_list(self, visit: Visit, result: ShareList) -> Mapping[str, str]:
        lines = await visit.rows.lines.words_of(visit.user.id, [line_id for line_id, _ in result.lines])
        shared = await visit.rows.reflections.words_of(
            visit.user.id, [reflection_id for reflection_id, _ in result.reflections]
        )
        return {
            **await read_partner_name(visit, result),
            **{f"line.{line_id}": words for line_id, words in lines.items()},
            **{f"share.{reflection_id}": words for reflection_id, words in shared.items()},
        }

    # --- inside -------------------------------------------------------------------------------------------------------

    async def _pair(self, visit: Visit) -> Pair | Result:
        if pair := await visit.rows.pairs.active(visit.user.id):
            return pair
        return await explain_no_pair(visit.rows, visit.user)

    async def mine(self, visit: Visit, reflection_id: int) -> Reflection | Result:
        """Return the user's own Reflection in the current Pair, or what to say instead."""
        found = await visit.rows.reflections.mine(visit.user.id, reflection_id)
        if found is None:
            return NothingHere()
        pair = await self._pair(visit)
        if not isinstance(pair, Pair):
            return SharingEnded()
        if found.pair_id != pair.id or found.state in {State.CANCELLED, State.LAPSED}:
            return NothingHere()
        if found.line_id is None and found.state is not State.ANSWERED:
            return LineGone()  # whether opened or not, or the sharer could find that out by deleting the Line
        return Withdrawn() if found.state is State.WITHDRAWN else found

    async def changeable(self, visit: Visit, reflection_id: int) -> Reflection | Result:
        """Return the user's own Reflection if it can still be changed; otherwise the Result that shows it.

        Only its time decides. If it could be changed until it is opened, that would reveal the opening.
        """
        found = await self.mine(visit, reflection_id)
        if isinstance(found, Reflection) and (
            found.is_due(visit.now) or (found.ritual and found.state is State.DRAFTED)
        ):
            return await self.shown(visit.rows, found, visit.now)
        return found

    async def _as_shown(self, visit: Visit, known: datetime | None, reflection_id: int) -> Reflection | Result:
        """Like `changeable`, for a button whose card shows the time `known`. If that is outdated, show the new one."""
        found = await self.changeable(visit, reflection_id)
        if isinstance(found, Reflection) and not found.is_set_for(known):
            return await self._show_current(visit, found)
        return found

    async def _show_current(self, visit: Visit, found: Reflection) -> Result:
        """Show the current state to a user who tapped a button that is older than the last change."""
        if found.due_at:
            return await self.shown(visit.rows, found, visit.now)
        return await self._when(visit, found, found.wish) if found.wish else SharePreview(found.id, here=True)

    def _days(self, visit: Visit, found: Reflection, *, unclear: bool = False) -> Result:
        days = tuple(days_on_offer(visit.now, visit.zone, found.depth))
        return DayWanted(found.id, days, unclear=unclear, set_for=found.due_at)

    def _hours(self, visit: Visit, found: Reflection, day: date) -> Result | None:
        hours = tuple(hours_on_offer(day, visit.now, visit.zone, found.depth))
        return ShareHourWanted(found.id, hours, found.due_at) if hours else None

    async def _when(self, visit: Visit, found: Reflection, wish: Wish, *, too_soon: bool = False) -> Result:
        await visit.rows.dialogs.await_(
            visit.user.id, Dialog(Waiting.SHARE_WHEN, found.id, visit.now + _WHILE_ON_SCREEN)
        )
        choices = offered(
            visit.now, visit.zone, found.depth, await next_ritual_at(visit.rows, found.pair_id, visit.now)
        )
        deep = (found.depth or 0) >= DEEP
        drafted = found.state is State.DRAFTED
        return WhenWanted(
            found.id, wish, tuple(choices.items()), deep=deep, drafted=drafted, too_soon=too_soon,
            set_for=found.due_at, cue_id=cue_of(replace(found, wish=wish), self._library.cues).id,
        )  # fmt: skip

    async def _schedule(
        self, visit: Visit, found: Reflection, moment: datetime | None, *, is_sure: bool = False
    ) -> Result:
        """Share it at that moment, if the Cool-off allows it and no second yes is missing."""
        if found.wish is None or moment is None:
            return SharePreview(found.id, here=True)
        if not fits(moment, visit.now, found.depth):
            return await self._when(visit, found, found.wish, too_soon=True)
        await visit.rows.dialogs.forget(visit.user.id, only=_TIME)
        if found.state is State.DRAFTED and not is_sure and await self.wants_second_yes(visit.rows, found):
            return await self._shared(visit, found, moment)
        scheduled = await visit.rows.reflections.move(
            found, Move.SCHEDULE, shared_at=found.shared_at or visit.now, due_at=moment
        )
        if scheduled is None:
            return await self.shown(visit.rows, found, visit.now)
        await visit.rows.notices.reschedule(found.partner_id, NoticeKind.REFLECTION, found.id, moment, visit.now)
        return await self._shared(visit, found, moment)

    async def _shared(self, visit: Visit, found: Reflection, moment: datetime) -> Result:
        """Say when it goes out, also if it waits for a second yes: only the words on the screen tell which."""
        expectations = visit.rows.expectations
        expects = await expectations.any_of(visit.user.id) and not await expectations.find(visit.user.id, found.id)
        return Shared(found.id, moment, expects=expects)

    async def shown(self, rows: Rows, found: Reflection, now: datetime, *, here: bool = True) -> Result:
        """Show a Reflection, judged by the sharer's own actions and clock; or its Response, if there is one."""
        if response := await rows.responses.to(found.id) if found.state is State.ANSWERED else None:
            await rows.reflections.tell_answered(found.id)
            landed = response.landed is not None
            return ResponseReceived(response.id, found.id, response.answer, landed=landed, beside=not here)
        if found.due_at is None:
            return NothingHere()
        return ShareShown(found.id, found.due_at, due=found.is_due(now), here=here)

    async def _typed_time(self, visit: Visit, dialog: Dialog, words: str, _message_id: int) -> Result | None:
        """Handle a typed time: take it, ask which one if it is ambiguous, or say that it is unclear."""
        found = await self.changeable(visit, dialog.subject_id)
        if not isinstance(found, Reflection):
            return found if looks_like_time(words) else None
        result = await self._read_time(visit, found, words)
        may_be_one = dialog.waiting is Waiting.SHARE_TIME or looks_like_time(words)
        if result is None and (not may_be_one or len(words) > _LONGEST_TIME):
            return None  # its writer must have meant something else
        if not isinstance(result, Shared):
            await visit.rows.dialogs.await_(visit.user.id, replace(dialog, waiting=Waiting.SHARE_TIME))
        return result or self._days(visit, found, unclear=True)

    async def _read_time(self, visit: Visit, found: Reflection, words: str) -> Result | None:
        clock, habits = Clock(visit.now, visit.zone, cool_off(found.depth)), habits_of(visit.user)
        ritual = await next_ritual_at(visit.rows, found.pair_id, visit.now) if is_at_ritual(words) else None
        moments = (ritual,) if ritual else read_moment(words, clock, habits)
        if moments:
            fitting = tuple(moment for moment in moments if fits(moment, visit.now, found.depth))
            if len(fitting) > 1:
                return WhichTime(found.id, fitting, found.due_at)
            if fitting:
                return await self._schedule(visit, found, fitting[0])
            return _too_soon(found, visit.now, far=moments[0] - visit.now > FURTHEST)
        days = read_day(words, clock.today, habits)
        on_offer = [day for day in days if hours_on_offer(day, visit.now, clock.zone, found.depth)]
        if len(on_offer) > 1:
            return DayWanted(found.id, tuple(on_offer), which=True, set_for=found.due_at)
        if on_offer:
            return self._hours(visit, found, on_offer[0])
        return _too_soon(found, visit.now, far=days[0] > clock.today) if days else None


def _too_soon(found: Reflection, now: datetime, *, far: bool) -> Result:
    return TooSoon(found.id, next_minute(now + cool_off(found.depth)), far=far, set_for=found.due_at)
