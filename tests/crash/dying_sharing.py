"""Shares a line, from the tap to how the answer landed, and dies at every single point of it, or at some.

`main` kills the whole bot before each statement that writes, before and after each commit, before a message has left
and after it has arrived. Each time another process takes over, to which Telegram repeats what was not acknowledged. It
ends well if the final state is the same as without a kill; if in between nothing was half done; if what was opened was
opened once; and if nothing that the other one had to hear came less than once or more than twice.
"""

import asyncio
import gc
import logging
import random
import shutil
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Final

import structlog

from bot import i18n
from bot.domain.sharing import UNDO_FOR
from tests.crash.stage import MOMENT, START, WORDS, Json, Place, begins, bot_at, state_of
from tests.dying import Reached, killed
from tests.silence.world import A, B, World

QUARTER: Final = timedelta(minutes=15)
ANNOUNCED: Final = "left you a line"
ANSWERED: Final = "Thank you for telling me"
UNOPENED: Final = {"scheduled", "announced"}

Act = Callable[["Place"], Callable[[World], Awaitable[None]]]
"""The acts, by the state before them."""


@dataclass(frozen=True)
class Step:
    """An event: at a time, by somebody's tap or on its own; and what arrives because of it, and where."""

    name: str
    act: Act
    after: timedelta = timedelta()
    arrives: tuple[tuple[int, str], ...] = field(default=())
    leads_to: tuple[tuple[str, object], ...] = field(default=())
    """The state afterwards, without a kill."""


def taps(user_id: int, data: str, query: str) -> Act:
    """Tap a button that carries what this query finds."""

    def at(place: Place) -> Callable[[World], Awaitable[None]]:
        button = f"v1:{data.format(place.one(query))}"
        return lambda world: world.taps(user_id, 1, button)

    return at


def waits(_: Place) -> Callable[[World], Awaitable[None]]:
    """Only time passes."""
    return lambda world: world.until(world.clock.now())


def lets_it_go_out(act: Act) -> Act:
    """Do something that can be undone for a while, and let that while pass."""

    def at(place: Place) -> Callable[[World], Awaitable[None]]:
        acts = act(place)

        async def go_on(world: World) -> None:
            await acts(world)
            await world.until(world.clock.now() + UNDO_FOR)

        return go_on

    return at


REFLECTION: Final = "SELECT id FROM reflections"
RESPONSE: Final = "SELECT id FROM responses"
PAIR: Final = "SELECT id FROM pairs"
STATE: Final = "SELECT state FROM reflections"
OPENED: Final = "SELECT opened_at FROM reflections WHERE opened_at IS NOT NULL"

SHARES: Final = (
    Step("previews", taps(A, "share:{}", f"SELECT id FROM lines WHERE user_id = {A}")),  # noqa: S608  # a number
    Step("wishes", taps(A, "share_wish:listen.0.{}", REFLECTION)),
    Step("sets a time", taps(A, "share_at:quarter.0.{}", REFLECTION)),
)
ANNOUNCES: Final = Step("is announced", waits, QUARTER, ((B, ANNOUNCED),))
OPENS: Final = Step("opens", taps(B, "open:{}", REFLECTION), arrives=((B, WORDS[A]),), leads_to=((STATE, "opened"),))
CHOOSES: Final = Step("chooses an answer", taps(B, "respond:thanks.{}", REFLECTION), arrives=((B, ANSWERED),))
ANSWERS: Final = Step("answers", lets_it_go_out(taps(B, "reply_send:{}.", RESPONSE)), arrives=((A, ANSWERED),))
LANDS: Final = Step(
    "says how it landed",
    taps(A, "landed:no.{}", RESPONSE),
    leads_to=((STATE, "answered"), (f"SELECT depth FROM users WHERE id = {A}", 1)),  # noqa: S608  # a number
)
TAKES_BACK: Final = Step("takes back", taps(A, "share_back:{}", REFLECTION), leads_to=((STATE, "withdrawn"),))
LEAVES: Final = Step(
    "leaves", taps(B, "unpair:{}", PAIR), leads_to=((STATE, "cancelled"), ("SELECT user_id FROM endings", A))
)
HEARS: Final = Step("hears that it is agreed", waits, timedelta(minutes=1))
MEETS: Final = Step(
    "meets",
    waits,
    MOMENT - START - HEARS.after,
    ((A, ANNOUNCED), (B, ANNOUNCED)),
    (
        ("SELECT count(*) FROM notices WHERE kind = 'ritual_morning' AND settled_at IS NULL", 2),
        ("SELECT count(*) FROM notices WHERE kind = 'ritual_moment' AND settled_at IS NULL", 1),
        ("SELECT count(*) FROM reflections WHERE state = 'announced'", 2),
    ),
)

STORIES: Final = (
    # What happens first, and then the steps that are killed everywhere
    (SHARES[:-1], (SHARES[-1], ANNOUNCES, OPENS, CHOOSES, ANSWERS, LANDS)),
    ((*SHARES, ANNOUNCES), (TAKES_BACK,)),
    ((*SHARES, ANNOUNCES), (LEAVES,)),
)


def does(place: Place, step: Step, number: int, now: datetime, before: Place) -> Callable[[Reached], Awaitable[None]]:
    """Take this step, as it had to be taken from the state `before`."""
    act = step.act(before)

    async def work(reached: Reached) -> None:
        async with bot_at(place, now, reached) as world:
            world.updates.update({A: number, B: number})  # the same update when it is repeated
            await act(world)

    return work


def is_whole(place: Place) -> None:
    """Nothing is half done: everything still to be said has a Notice, and everything said is true."""
    states = dict(place.ask("SELECT id, state FROM reflections"))
    waiting = {subject for (subject,) in place.ask("SELECT subject_id FROM notices WHERE kind = 'reflection'")}
    assert {one for one, state in states.items() if state in UNOPENED} <= waiting, "nobody announces it"
    answered = {one for one, state in states.items() if state == "answered"}
    assert answered == {one for (one,) in place.ask("SELECT reflection_id FROM responses WHERE sent_at IS NOT NULL")}
    heard = {subject for (subject,) in place.ask("SELECT subject_id FROM notices WHERE kind = 'response'")}
    assert {one for (one,) in place.ask(RESPONSE + " WHERE sent_at IS NOT NULL")} <= heard, "nobody delivers it"
    pairs, members = place.one("SELECT count(*) FROM pairs"), place.one("SELECT count(*) FROM pair_members")
    assert members == 2 * pairs, "half a pair"
    if not pairs:
        assert not set(states.values()) & {*UNOPENED, "drafted"}, "it outlives its pair"
    delivered = set(states.values()) if len(states) > 1 else set()
    assert not (delivered & {"drafted"} and delivered & UNOPENED), "one of two went out alone"


@dataclass(frozen=True)
class Points:
    """At which points of a step to die: in equal distances, of which chance gives the first one."""

    chance: random.Random
    stride: int

    def of_a_step(self) -> Iterator[int]:
        return count(self.chance.randint(1, self.stride), self.stride)


def kill_everywhere(before: Place, step: Step, number: int, now: datetime, points: Points) -> tuple[Place, int]:
    """Die at the points of a step. Return the state after it without a kill, and the number of kills."""
    after = before.copy(before.folder.with_name(f"{before.folder.name}-{number}"))
    assert not killed(does(after, step, number, now, before))
    wanted = state_of(after)
    assert [after.arrived(*what) - before.arrived(*what) for what in step.arrives] == [1 for _ in step.arrives]
    assert [after.one(query) for query, _ in step.leads_to] == [found for _, found in step.leads_to], step.name
    left: Json = {}
    kills = 0
    for kill_at in points.of_a_step():
        place = before.copy(before.folder.with_name("dying"))
        if not killed(does(place, step, number, now, before), kill_at):
            break
        kills += 1
        is_whole(place)
        if place.leaves != left:  # otherwise it is as after the previous kill, from which it went on well
            left = place.leaves
            opened = place.ask(OPENED)
            assert not killed(does(place, step, number, now + timedelta(minutes=2), before))
            where = f"{step.name}, killed at {kill_at}"
            is_whole(place)
            assert state_of(place) == wanted, f"{where}: {state_of(place)} instead of {wanted}"
            assert place.ask(OPENED) == opened or not opened, f"{where}: opened twice"
            for what in step.arrives:
                came = place.arrived(*what) - before.arrived(*what)
                assert came in {1, 2}, f"{where}: {what} came {came} times"
        shutil.rmtree(place.folder)
    shutil.rmtree(place.folder)
    return after, kills


def tells(start: Place, name: str, lived: tuple[Step, ...], steps: tuple[Step, ...], points: Points) -> int:
    """Go through a story. Return how many kills there were."""
    place, now, kills = start.copy(start.folder.with_name(name)), START, 0
    for number, step in enumerate((*lived, *steps), 1):
        now += step.after
        if number <= len(lived):
            assert not killed(does(place, step, number, now, place))
            continue
        place, died = kill_everywhere(place, step, number, now, points)
        assert died > 5 // points.stride, f"{step.name} was hardly killed"
        kills += died
    return kills


def _warm_up(folder: Path) -> None:
    """Go through it once in this process, so that its forks have less to load and to copy."""
    i18n.warm()
    place, now = Place(folder), START
    folder.mkdir()
    asyncio.run(begins(place, ritual=False)(_goes_on))  # type: ignore[arg-type]
    for number, step in enumerate((*SHARES, ANNOUNCES, OPENS, CHOOSES, ANSWERS, LANDS), 1):
        now += step.after
        asyncio.run(does(place, step, number, now, place)(_goes_on))  # type: ignore[arg-type]
    gc.collect()
    gc.freeze()


def _goes_on(*_: object) -> None:
    """Nobody dies here."""


def main(folder: Path, seed: int, stride: int) -> None:
    """Go through every story, and print how many kills there were. This forks, so it has a process to itself."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    _warm_up(folder / "warm")
    kills, points = 0, Points(random.Random(seed), stride)
    for name in ("pair", "ritual"):
        start = Place(folder / name)
        start.folder.mkdir()
        assert not killed(begins(start, ritual=name == "ritual"))
        stories = STORIES if name == "pair" else (((HEARS,), (MEETS,)),)
        kills += sum(tells(start, f"{name}-{number}", *story, points) for number, story in enumerate(stories))
    sys.stdout.write(f"{kills}\n")
