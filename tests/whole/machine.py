"""The whole product as one state machine: three people do anything that their screens allow, and time passes.

Telegram repeats updates, limits chats and goes away, people block the bot, and the bot is restarted. After every step
the rows and the phones are compared with what the Ledger and the rules of the product allow.
"""

import asyncio
import json
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar, Final, TypeVar
from zlib import crc32

import hypothesis
from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from structlog.testing import capture_logs

from bot.delivery.pacer import Pacer
from tests.prove.schedules import Schedule, schedule
from tests.silence.world import Beginning, Call, stop
from tests.whole.ledger import SHOWS, Act, Ledger
from tests.whole.town import MARK, PEOPLE, Facts, Phones, TheirClock, Town, drawn_at_once, mark

T = TypeVar("T")

MOST_WAITING: Final = 24
"""No user has more unsettled Notices than this, apart from the answers to what they did while they were cut off."""
FAILURES: Final = frozenset({"incident", "notice.failed", "notice.waits", "update.failed", "update.waits"})
"""What is logged if something of ours failed."""
CHANGES_NOTHING: Final = frozenset({"blank"})
"""Buttons that only fill a place."""
SENDS: Final = frozenset({"sendMessage", "sendPhoto", "sendDocument"})
SHOWN_BY: Final = SENDS | {"editMessageText", "deleteMessage", "deleteMessages"}
FILLERS: Final = (
    "rain on the roof all night",
    '<b>&" שלום 🙂',
    "x" * 310,
    "I said fine\nand meant nothing of it",
    "no",
)
TROUBLES: Final = ("restarted", "restarted", "restarted", "limited", "cut off", "blocked")
LIMIT_SECONDS: Final = 30
EMOJIS: Final = ("❤", "🔥", None)
SPANS: Final = tuple(
    timedelta(minutes=minutes) for minutes in (1, 7, 20, 61, 190, 600, 24 * 60, 3 * 24 * 60, 9 * 24 * 60)
)
CUT_OFF_SPAN: Final = timedelta(minutes=20)
"""The most that the time is moved while nothing gets through to somebody, since every try takes time here too."""
REPEATED_FOR: Final = timedelta(hours=24)
"""For how long Telegram keeps an update that wasn't confirmed."""

who = st.sampled_from(PEOPLE)


class Lives(RuleBasedStateMachine):
    """Alice and Bob are a Pair, Charlie is on their own; from there on everything is drawn."""

    tapped: ClassVar[Counter[str]] = Counter()
    """The actions of all buttons that were tapped, in all lives."""
    counts: ClassVar[Counter[str]] = Counter()
    kinds: ClassVar[int] = 0
    """How many actions there are."""

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        self._folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        self._number = 0
        self._tapped: Counter[str] = Counter()
        self._unheard: Counter[int] = Counter()  # how much each of them has done since they were cut off
        self.ledger = Ledger()

    @initialize(seed=st.integers(0, 1 << 32))
    def begins(self, seed: int) -> None:
        """Begin a life, in which the order of what goes on at the same time is drawn from the seed."""
        self._seed = seed
        beginning = asyncio.run(Beginning.make(self._folder))
        self._runner = self._stack.enter_context(schedule(seed))
        self._stack.enter_context(drawn_at_once())
        self._logged: list[MutableMapping[str, Any]] = self._stack.enter_context(capture_logs())
        self._run(self._begin(beginning))
        self.counts["lives"] += 1

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    async def _begin(self, beginning: Beginning) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, Schedule)
        clock = TheirClock(loop)
        folder = self._folder / "life"
        beginning.lay_out(folder)
        phones = Phones(clock)
        built = await beginning.start(folder, clock, phones, Pacer())
        self.town = Town(built, clock, phones, beginning=beginning, folder=folder)
        self.commands = sorted(self.town.commands)
        Lives.kinds = len(self.town.actions)
        self.facts = await self.town.facts()
        self.ledger.lines.update({user_id: dict(found) for user_id, found in self.facts.lines.items()})

    # What people do

    @rule(user_id=who, filler=st.sampled_from(FILLERS))
    def says(self, user_id: int, filler: str) -> None:
        self._run(self._says(user_id, self._text(user_id, filler)))

    @rule(user_id=who, data=st.data())
    def commands_(self, user_id: int, data: st.DataObject) -> None:
        self._run(self._says(user_id, "/" + data.draw(st.sampled_from(self.commands))))

    @rule(user_id=who, taps=st.integers(2, 6), data=st.data())
    def looks_around(self, user_id: int, taps: int, data: st.DataObject) -> None:
        """Begin with a command, and continue from screen to screen."""
        self._run(self._says(user_id, "/" + data.draw(st.sampled_from(self.commands))))
        for _ in range(taps):
            newest = max(self.town.recorder.chats[user_id], default=0)
            if not (found := [one for one in self.town.recorder.buttons(user_id) if one[0] == newest]):
                break
            self._run(self._taps(user_id, *data.draw(st.sampled_from(found))))

    @rule(user_id=who, data=st.data())
    def taps_the_newest(self, user_id: int, data: st.DataObject) -> None:
        """Tap one of the last buttons."""
        if found := self.town.recorder.buttons(user_id)[-10:]:
            self._run(self._taps(user_id, *data.draw(st.sampled_from(found))))

    @rule(user_id=who, data=st.data())
    def taps_any_kind(self, user_id: int, data: st.DataObject) -> None:
        """Tap up to five times the newest button of a kind that was tapped least in this life.

        Which one that is among equals is drawn for each life, so that lives go different ways into the screens.
        """
        for _ in range(data.draw(st.integers(1, 5))):
            newest = {_action(data): (message_id, data) for message_id, data in self.town.recorder.buttons(user_id)}
            if not newest:
                break
            kind = min(newest, key=lambda kind: (self._tapped[kind], crc32(f"{self._seed} {kind}".encode())))
            self._run(self._taps(user_id, *newest[kind]))

    @rule(user_id=who, data=st.data())
    def taps_an_old_one(self, user_id: int, data: st.DataObject) -> None:
        """Tap a button that was there at some time, as on a phone that was offline."""
        if found := list(self.town.phones.ever[user_id]):
            self._run(self._taps(user_id, *data.draw(st.sampled_from(found))))

    @rule(user_id=who, filler=st.sampled_from(FILLERS), data=st.data())
    def edits(self, user_id: int, filler: str, data: st.DataObject) -> None:
        if said := self.town.said[user_id]:
            self._run(self._edits(user_id, data.draw(st.sampled_from(said[-6:])), self._text(user_id, filler)))

    @rule(user_id=who, emoji=st.sampled_from(EMOJIS), data=st.data())
    def reacts(self, user_id: int, emoji: str | None, data: st.DataObject) -> None:
        if found := list(self.town.recorder.chats[user_id]):
            message_id = data.draw(st.sampled_from(found[-8:]))
            self._run(self._step(Act(user_id), lambda: self.town.reacts(user_id, message_id, emoji), answered=False))

    @rule(user_id=who, filler=st.sampled_from(FILLERS))
    def answers_today(self, user_id: int, filler: str) -> None:
        """Ask for today's question and answer it; the text is kept, if need be once its writer has said so."""
        self._run(self._answers_today(user_id, self._text(user_id, filler)))

    @rule(user_id=who)
    def shares(self, user_id: int) -> None:
        self._run(self._goes_through(user_id, "share", "share_wish", "share_at"))

    @rule(user_id=who)
    def receives(self, user_id: int) -> None:
        self._run(self._goes_through(user_id, "open", "respond", "reply_send"))

    @rule(user_id=who, other=who)
    def pairs(self, user_id: int, other: int) -> None:
        self._run(self._pairs(user_id, other))

    @rule(user_id=who)
    def agrees(self, user_id: int) -> None:
        """Go through the start, from wherever they are."""
        self._run(self._starts(user_id))

    # What happens

    @rule(span=st.sampled_from(SPANS))
    def time_passes(self, span: timedelta) -> None:
        span = min(span, CUT_OFF_SPAN) if self.town.cut_off else span
        self._run(self._step(Act(None), lambda: self.town.until(self.town.clock.now() + span)))

    @precondition(lambda self: self.town.last)
    @rule()
    def last_update_comes_again(self) -> None:
        self._run(self._comes_again())

    @rule(what=st.sampled_from(TROUBLES), user_id=who)
    def trouble_comes(self, what: str, user_id: int) -> None:
        """One rule for all of it, or it would come too often."""
        town = self.town
        if what == "blocked":
            blocked = user_id not in town.recorder.blocked
            self._run(self._step(Act(user_id), lambda: town.blocks(user_id, blocked=blocked), answered=False))
        elif what == "cut off":
            town.recorder.unreachable.add(user_id)
        elif what == "restarted":
            self._run(self._step(Act(None), town.restart))
        else:
            town.phones.limited[user_id] = LIMIT_SECONDS

    @precondition(lambda self: self.town.cut_off)
    @rule()
    def all_is_well_again(self) -> None:
        self._run(self._all_is_well())

    # How it is done

    def _text(self, user_id: int, filler: str) -> str:
        self._number += 1
        return f"{mark(user_id, self._number)} {filler}"

    async def _says(self, user_id: int, text: str) -> None:
        self.ledger.typed(text, self.town.recorder._last[user_id] + 1)
        act = Act(user_id, text=None if text.startswith("/") else text)
        self.counts["texts"] += 1
        await self._step(act, lambda: self.town.says(user_id, text))

    async def _edits(self, user_id: int, message_id: int, text: str) -> None:
        self.ledger.typed(text, message_id)
        edits = lambda: self.town.edits(user_id, message_id, text)  # noqa: E731
        await self._step(Act(user_id, text=text), edits, answered=user_id in self.facts.settled)

    async def _taps(self, user_id: int, message_id: int, data: str) -> None:
        act = Act(user_id, data=data)
        if (partner := self.facts.pairs.get(user_id)) and act.action in SHOWS:
            self.ledger.grant(self.town.phones.shown[user_id, message_id], partner)
        self.tapped[act.action] += 1
        self._tapped[act.action] += 1
        await self._step(act, lambda: self.town.taps(user_id, message_id, data))

    async def _taps_newest(self, user_id: int, action: str, about: str = "") -> bool:
        """Tap the newest button of this kind, and about this. Return False if there is none."""
        assert action in self.town.actions
        found = [one for one in self.town.recorder.buttons(user_id) if one[1].startswith(f"v1:{action}:{about}")]
        if found:
            await self._taps(user_id, *found[-1])
        return bool(found)

    async def _goes_through(self, user_id: int, *actions: str) -> None:
        for action in actions:
            if not await self._taps_newest(user_id, action):
                return

    async def _answers_today(self, user_id: int, text: str) -> None:
        await self._says(user_id, "/cancel")
        before = len(self.town.recorder.seen[user_id])
        await self._says(user_id, "/today")
        asked = any("v1:skip:" in call.params for call in self.town.recorder.seen[user_id][before:])
        if not asked or self._is_unheard(user_id):
            return
        kept = set(self.facts.lines[user_id])
        await self._says(user_id, text)
        for _ in range(2):  # first it may be asked for whom the text is, and then that it is too long
            if len(self.facts.lines[user_id]) == len(kept):
                assert await self._taps_newest(user_id, "keep"), f"{text} was neither kept nor set aside"
        new = [words for line_id, words in self.facts.lines[user_id].items() if line_id not in kept]
        (mark_of_text,) = MARK.findall(text)
        assert new == [self.ledger.texts[mark_of_text]], f"{text} became {new}"
        self.counts["questions answered"] += 1

    async def _pairs(self, user_id: int, other: int) -> None:
        if user_id == other or self._is_unheard(user_id) or self._is_unheard(other):
            return
        await self._says(user_id, "/pair")
        try:
            link = self.town.link_to(user_id)
        except StopIteration:  # it is on no screen
            return
        await self._says(other, f"/start {link}")
        if await self._taps_newest(other, "guest_yes"):
            await self._taps_newest(user_id, "pair_yes")
            self.counts["pairs made"] += other == self.facts.pairs.get(user_id)

    async def _starts(self, user_id: int) -> None:
        if user_id in self.facts.settled:
            return
        await self._says(user_id, "/start")
        await self._taps_newest(user_id, "consent")
        await self._taps_newest(user_id, "hour", "2030")
        await self._taps_newest(user_id, "zone")

    async def _comes_again(self) -> None:
        if self.town.last_at is None or self.town.clock.now() - self.town.last_at >= REPEATED_FOR:
            return
        before = self._answers()
        await self._step(Act(None), self.town.comes_again)
        assert before == self._answers(), "answered again"

    def _answers(self) -> dict[int, int]:
        """Return how often each was answered. Their menu of commands is set by a Notice of its own, when it comes."""
        seen = self.town.recorder.seen
        return {user_id: sum(call.method != "setMyCommands" for call in calls) for user_id, calls in seen.items()}

    async def _all_is_well(self) -> None:
        """Let everybody be reached again, and the waits that have begun pass."""
        town = self.town
        town.recorder.unreachable.clear()
        town.phones.limited.clear()
        for user_id in list(town.recorder.blocked):
            await self._step(Act(user_id), lambda u=user_id: town.blocks(u, blocked=False), answered=False)  # type: ignore[misc]
        await self._step(Act(None), lambda: town.until(town.clock.now() + timedelta(minutes=10)))

    def _is_unheard(self, user_id: int) -> bool:
        """Return whether what they do isn't answered at once."""
        return user_id in self.town.cut_off or self.facts.unhandled > 0

    # What has to be true after each step

    async def _step(self, act: Act, work: Callable[[], Awaitable[None]], *, answered: bool = True) -> None:
        """Let this happen, and look at everything."""
        town = self.town
        heard = act.user_id is not None and answered and not self._is_unheard(act.user_id)
        before = {user_id: len(town.recorder.seen[user_id]) for user_id in PEOPLE}
        note(f"{town.clock.now():%a %d %H:%M:%S} {act}")
        await work()
        self.facts = facts = await town.facts()
        self.counts["steps"] += 1
        assert not self._failures(), self._failures()
        wrong = self.ledger.became(act, facts.lines)
        assert not wrong, wrong
        self._nothing_leaked(facts, before)
        assert max(facts.open_asks.values(), default=0) <= 1, f"open questions: {facts.open_asks}"
        self._outbox_is_bounded(act, facts)
        if not town.cut_off and not town.built.pacer.is_blocked and act.user_id is None:
            assert not facts.unhandled, f"{facts.unhandled} updates weren't answered"
            assert not facts.due, f"{facts.due} Notices are due and weren't sent"
        if heard and act.user_id is not None:
            self._is_answered_once(act, town.recorder.seen[act.user_id][before[act.user_id] :])

    def _outbox_is_bounded(self, act: Act, facts: Facts) -> None:
        if act.user_id is None and not self.town.cut_off:  # all that waited for them has been sent
            self._unheard.clear()
        elif act.user_id is not None and self.town.cut_off:
            self._unheard[act.user_id] += 1
        waiting = facts.waiting - self._unheard
        assert max(waiting.values(), default=0) <= MOST_WAITING, f"in the outbox: {facts.waiting}"

    def _failures(self) -> list[Any]:
        return [one for one in self._logged if one["event"] in FAILURES or one["log_level"] in {"error", "critical"}]

    def _nothing_leaked(self, facts: Facts, before: dict[int, int]) -> None:
        """Check that nobody saw words that weren't shared with them, or an id that belongs to somebody else."""
        for user_id in PEOPLE:
            calls = self.town.recorder.seen[user_id][before[user_id] :]
            named = {one for other, name in facts.names.items() if other != user_id for one in MARK.findall(name)}
            self.ledger.grant(named, user_id)
            seen = {found for call in calls for found in MARK.findall(call.params)}
            strange = self.ledger.strange(user_id, seen)
            assert not strange, f"{user_id} sees {strange}, which nobody has shown to them: {calls}"
            ids = self.town.ids_seen(user_id, before[user_id])
            others = ids & frozenset().union(*(facts.own_ids[other] for other in PEOPLE if other != user_id))
            assert not others, f"{user_id} sees the ids {others} of somebody else: {calls}"

    def _is_answered_once(self, act: Act, calls: list[Call]) -> None:
        said = Counter(call.params for call in calls if call.method in SENDS)
        assert max(said.values(), default=0) <= 1, f"{act} was answered twice: {said}"
        if act.data is None:
            assert act.text is None or calls, f"{act} was not answered"
            return
        toasts = [json.loads(call.params) for call in calls if call.method == "answerCallbackQuery"]
        assert len(toasts) == 1, f"{act}: the spinner was stopped {len(toasts)} times: {calls}"
        shows = toasts[0].get("text") or any(call.method in SHOWN_BY for call in calls)
        assert shows or act.action in CHANGES_NOTHING, f"{act} leads nowhere: {calls}"

    # The end

    def teardown(self) -> None:
        with self._stack:
            try:
                self._run(self._look_back())
            finally:
                self._run(self._close())

    async def _look_back(self) -> None:
        """See that everybody's export and journal have each of their Lines once."""
        await self._all_is_well()
        await self._step(Act(None), lambda: self.town.until(self.town.clock.now() + timedelta(hours=2)))
        for user_id in sorted(self.facts.agreed):
            words = sorted(self.facts.lines[user_id].values())
            self.town.phones.documents.clear()
            await self._says(user_id, "/export")
            exported = [json.loads(made) for name, made in self.town.phones.documents[user_id] if name.endswith("json")]
            assert sorted(line["words"] for one in exported for line in one["lines"]) == words
            await self._starts(user_id)
            if words:  # a guest who only receives has no hour to choose
                assert user_id in self.facts.settled, "the start leads nowhere"
                await self._turns_pages(user_id, words)
            self.counts["lines looked back at"] += len(words)

    async def _turns_pages(self, user_id: int, words: list[str]) -> None:
        await self._says(user_id, "/journal")
        await self._taps_newest(user_id, "journal_all")
        marks = {one for text in words for one in MARK.findall(text)}
        seen: set[str] = set()
        for _ in range(len(words) + 1):
            newest = max(self.town.recorder.chats[user_id])
            seen |= set(MARK.findall(self.town.recorder.chats[user_id][newest]["text"])) & marks
            if not (
                found := [one for at, one in self.town.recorder.buttons(user_id) if at == newest and "_older" in one]
            ):
                break
            await self._taps(user_id, newest, found[0])
        assert seen == marks, f"not in the journal: {marks - seen}"

    async def _close(self) -> None:
        self.town.close()
        await stop(self.town.built)


def live(seed: int, *, lives: int, steps: int, shrink: bool = False) -> None:
    """Live this many lives, drawn from the seed, and report the first one that goes wrong."""
    chosen = settings(
        max_examples=lives,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        report_multiple_bugs=False,
        phases=[Phase.generate, *([Phase.shrink] if shrink else [])],
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(hypothesis.seed(seed)(Lives), settings=chosen)


def _action(data: str) -> str:
    return data.split(":")[1]
