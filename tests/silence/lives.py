"""Random lives of A and B: each does whatever the visible buttons and screens allow."""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from tests.silence.world import A, B, Beginning, Call, World

ROUNDS: Final = 8
SHARING: Final = frozenset(
    {"share_at", "share_time", "reply_send", "send", "follow_up_send", "unpair", "erase", "open", "open_one"}
    | {"rit_hour", "rit_yes", "rit_end", "rit_over", "withdraw"}
)
"""Buttons by which A lets B see something, takes back all that was announced, or ends the Pair: silence isn't about
those."""
PROBES: Final = frozenset({"share_back"})
"""Buttons by which a sharer takes back what may have been opened: by intention the only act that tells."""
SHOWN: Final = ("name", "pair_name", "pair_rename", "set_name", "ritual")
"""Prefixes of buttons that change the name the other one sees, or propose something to them."""
NAMES: Final = frozenset({"name"})
"""Commands that change the name the other one sees."""
ENDED: Final = "Sharing has ended"
"""What B reads on reaching for sharing after A has left, and not before."""
TEXTS: Final = (
    "rain on the roof all night",
    "I said fine and meant nothing of it",
    '🙂 <b>&" שלום',
    "x" * 301,
    "   \n ",
    "no",
    "Alice",
    "/",
    "the loose screw in my head",
)
"""What A and B type. None of it can be read as a day or an hour, so that no typed text shares a Line."""
STEPS: Final = (1, 7, 45, 190, 600)
"""Minutes from one round to the next."""
ASLEEP: Final = 10 * 24 * 60
"""Minutes of the one long step in some lives: more than a week in which nobody does anything."""

NEWEST: Final = 0.8
BETWEEN: Final = 0.35
"""How often a tap picks among the newest buttons, and among those between the two, if there are any."""
TWO: Final = frozenset(
    {"share", "share_wish", "share_at", "share_show", "share_see", "share_back", "open", "open_later", "open_at"}
    | {
        "open_one",
        "all_later",
        "all_at",
        "all_not_now",
        "not_now",
        "respond",
        "stem",
        "reply_send",
        "undo",
        "landed",
        "follow_up",
        "expect",
        "expected",
        "came",
        "shelf",
        "board",
        "feel",
        "feel_own",
    }
)

Act = Callable[[], Awaitable[str]]


@dataclass(frozen=True)
class Life:
    """What was done, in words, and what B could observe."""

    done: tuple[str, ...]
    seen_by_b: tuple[Call, ...]

    def differs_from(self, alone: "Life") -> str | None:
        """Return where B could have noticed that A left before being told so on reaching for sharing."""
        told = next((call.at for call in self.seen_by_b if ENDED in call.params), None)
        before = [call for call in self.seen_by_b if told is None or call.at < told]
        for here, there in zip(before, alone.seen_by_b, strict=False):
            if here != there:
                return f"{here} and not {there}"
        if told is None:
            return None if len(before) == len(alone.seen_by_b) else "there is something more, or missing"
        return None if told in {call.at for call in alone.seen_by_b} else "it was told without being asked for"


class Acts:
    """Somebody who does anything that is in sight, except what is `barred`."""

    def __init__(
        self,
        world: World,
        user_id: int,
        chance: random.Random,
        barred: frozenset[str],
        *,
        may_block: bool,
        often: tuple[str, ...] = ("share", "waiting", "pair", "today"),
    ) -> None:
        self._world = world
        self._id = user_id
        self._chance = chance
        self._barred = barred
        self._may_block = may_block
        self._blocked = False
        commands = world.commands - {"unpair", "erase"} - (NAMES if barred else frozenset())
        self._hides = SHOWN if barred else ()
        self._commands = sorted(commands) + list(often) * 3
        self.done: list[str] = []

    async def act(self) -> None:
        kinds: list[tuple[Act, int]] = [
            (self._tap, 10),
            (self._say, 5),
            (self._command, 4),
            (self._edit, 1),
        ]
        if self._may_block:
            kinds += [(self._block, 1), (self._pause, 1)]
        if "share_at" not in self._barred:
            kinds.append((self._share, 4))
        if "share_back" not in self._barred:
            kinds.append((self._take_back, 2))
        if self._blocked:
            kinds = [(self._block, 1), (self._nothing, 2)]
        if self._may_block and not self.done:
            kinds = [(self._block, 2), (self._pause, 3), (self._tap, 2)]  # many lives begin with silence
        acts, weights = zip(*kinds, strict=True)
        what = await self._chance.choices(acts, weights)[0]()
        self.done.append(f"{self._world.clock.now():%a %H:%M} {self._id} {what}")

    async def _tap(self) -> str:
        buttons = [
            (message_id, data)
            for message_id, data in self._world.recorder.buttons(self._id)
            if (action := data.split(":")[1]) not in self._barred and not action.startswith(self._hides)
        ]
        if not buttons:
            return await self._command()
        newest = buttons[-12:] if self._chance.random() < NEWEST else buttons
        if self._chance.random() < BETWEEN:
            newest = [one for one in buttons if one[1].split(":")[1] in TWO] or newest
        message_id, data = self._chance.choice(newest)
        await self._world.taps(self._id, message_id, data)
        return f"taps {data}"

    async def _share(self) -> str:
        """Share a Line, from preview to yes."""
        steps = [await self._tap_any("share"), await self._tap_any("share_wish"), await self._tap_any("share_at")]
        return "shares: " + ", ".join(steps)

    async def _take_back(self) -> str:
        return await self._tap_any("share_back")

    async def leaves(self) -> None:
        """End the Pair."""
        if self._blocked:
            await self._block()
        await self._world.says(self._id, "/unpair")
        self.done.append(f"{self._world.clock.now():%a %H:%M} {self._id} leaves")
        await self._tap_newest("unpair")

    async def puts_in(self) -> str:
        """Put something into the Ritual, as far as that is possible now."""
        steps = [await self._tap_any("rit_open"), await self._tap_any("rit_write"), await self._say()]
        return ", ".join([*steps, await self._tap_any("rit_wish"), await self._tap_any("rit_in")])

    async def puts_in_nothing(self) -> None:
        """Take out again whatever was put in."""
        if self._blocked:
            await self._block()
        await self._world.says(self._id, "/ritual")
        await self._tap_newest("rit_open")
        await self._tap_newest("rit_none")

    async def _pause(self) -> str:
        await self._world.says(self._id, "/pause")
        return "says /pause, " + await self._tap_any("pause_open")

    async def _tap_any(self, action: str) -> str:
        """Tap one of the buttons that do this, most likely the newest."""
        found = [one for one in self._world.recorder.buttons(self._id) if one[1].split(":")[1] == action]
        if not found:
            return f"finds no {action}"
        message_id, data = found[-1] if self._chance.random() < NEWEST else self._chance.choice(found)
        await self._world.taps(self._id, message_id, data)
        return f"taps {data}"

    async def _tap_newest(self, action: str) -> None:
        found = [one for one in self._world.recorder.buttons(self._id) if one[1].split(":")[1] == action]
        assert found, f"{action} is nowhere in sight: " + "\n".join(self.done)
        await self._world.taps(self._id, *found[-1])

    async def _say(self) -> str:
        text = self._chance.choice(TEXTS)
        await self._world.says(self._id, text)
        return f"says {text[:20]!r}"

    async def _edit(self) -> str:
        if not (said := self._world.said[self._id]):
            return await self._say()
        message_id, text = self._chance.choice(said), self._chance.choice(TEXTS)
        await self._world.edits(self._id, message_id, text)
        return f"edits {message_id}"

    async def _command(self) -> str:
        command = self._chance.choice(self._commands)
        await self._world.says(self._id, f"/{command}")
        return f"says /{command}"

    async def _block(self) -> str:
        self._blocked = not self._blocked
        await self._world.blocks(self._id, blocked=self._blocked)
        return "blocks the bot" if self._blocked else "unblocks the bot"

    async def _nothing(self) -> str:
        return "does nothing"


async def live(beginning: Beginning, folder: Path, script: int, seed: int | None, *, leaves: bool = False) -> Life:
    """Return a life in which B follows the chances of `script` and A those of `seed`; with None, A does nothing at all.

    In every second script A may also open what B shares; there B doesn't try to take anything back, which would tell.
    With `leaves`, A ends the Pair in one of the rounds.
    """
    a_opens = bool(script % 2)
    async with beginning.life(folder) as world:
        steps, b_chance, a_chance = (random.Random(f"{script} {what}") for what in ("steps", "b", seed))
        b = Acts(world, B, b_chance, PROBES if a_opens else frozenset(), may_block=False)
        a = Acts(world, A, a_chance, SHARING - {"open", "open_one"} if a_opens else SHARING, may_block=True)
        goes = a_chance.randrange(ROUNDS - 2) if leaves else None
        await _rounds(world, steps, b, a if seed is not None else None, a_chance, goes)
        return Life((*a.done, *b.done), tuple(world.recorder.seen[B]))


async def ask_to_pair(beginning: Beginning, folder: Path, script: int, seed: int | None) -> Life:
    """Return a life in which B has said yes to A's invitation and A does anything but say yes, or nothing at all."""
    async with beginning.life(folder) as world:
        steps, b_chance, a_chance = (random.Random(f"{script} {what}") for what in ("steps", "b", seed))
        await world.says(A, "/unpair")
        await world.taps_newest(A, "unpair")
        await world.says(B, "/share")  # B hears about it
        await world.says(A, "/pair")
        link = f"/start {world.link_to(A)}"
        await world.says(B, link)
        await world.taps_newest(B, "guest_yes")
        b = Acts(world, B, b_chance, frozenset(), may_block=False, often=(link[1:], "pair", "settings"))
        barred = SHARING | {"pair_yes", "pair_back", "pair_renew"}  # a link that nobody has said yes to can be closed
        a = Acts(world, A, a_chance, barred, may_block=True, often=("pair", "settings"))
        await _rounds(world, steps, b, a if seed is not None else None, a_chance)
        return Life((*a.done, *b.done), tuple(world.recorder.seen[B]))


async def _rounds(
    world: World, steps: random.Random, b: Acts, a: Acts | None, a_chance: random.Random, goes: int | None = None
) -> None:
    """Play rounds in which both act: A between the acts of B; in the round `goes` A leaves."""
    moment = world.clock.now()
    asleep = steps.randrange(6 * ROUNDS)  # in one of six lives
    for number in range(ROUNDS):
        moment += timedelta(minutes=ASLEEP if number == asleep else steps.choice(STEPS))
        for part in range(a_chance.randrange(4) if a else 0):
            # At odd milliseconds, so that nothing of A's falls on a moment of B's.
            await world.until(max(moment + timedelta(seconds=part, milliseconds=137), world.clock.now()))
            if a:
                await a.act()
        if a and number == goes:
            await world.until(max(moment + timedelta(seconds=9, milliseconds=137), world.clock.now()))
            await a.leaves()
        moment += timedelta(minutes=1)
        await world.until(moment)
        await b.act()
    await world.until(moment + timedelta(days=1))
