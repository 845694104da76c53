"""How deep the questions go, through long lives with the library we ship: as deep as was accepted, and never deeper."""

import os
import random
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from bot.domain.content import Prompt, Role
from bot.domain.model import AskOpening
from bot.domain.notices import NoticeKind
from bot.domain.results import Asked, DeeperTaken, NoOther, OfferDeeper, Result, Snoozed
from bot.services.settings import Settings
from bot.storage.notices import Settled
from tests.samples import sampled
from tests.services.conftest import ALICE, BOB, LIBRARY, House

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
DAYS = 130
DAYS_OF_ANY_LIFE = sampled(40, DAYS)


@pytest.fixture
def home(library_home: House) -> House:
    return library_home


@pytest.fixture
def chance() -> random.Random:
    """A new seed for each run."""
    seed = int(os.environ.get("AJAR_TEST_SEED") or int.from_bytes(os.urandom(4)))
    print(f"again with AJAR_TEST_SEED={seed}")  # noqa: T201  # pytest shows it where the test fails
    return random.Random(seed)


@dataclass
class Life:
    """Alice, who is asked every day, and what she herself knows about what she has accepted, declined and left out."""

    home: House
    chance: random.Random
    settled: bool = False
    """True if she leaves her settings and her Pair unchanged."""
    takes: float = 0.5
    taken: int = 1
    ceiling: int = 2
    declined: int = 9
    paired: bool = False
    muted: set[str] = field(default_factory=set)
    put: list[Prompt] = field(default_factory=list)
    again: int = 0
    open_days: int = 0

    def __post_init__(self) -> None:
        self.settings = Settings(LIBRARY)

    async def begin(self, ceiling: int) -> None:
        await self.home.arrives(ALICE)
        await self.home.arrives(BOB)
        await self.sets_ceiling(ceiling)

    async def lives_a_day(self) -> None:
        before = await self.home.user(ALICE)
        asked = await self.home.is_asked(ALICE)
        after = await self.home.user(ALICE)
        assert before.next_ask_day
        assert after.next_ask_day == before.next_ask_day + DAY, "no date goes by without one"
        known = set(self.put)
        if prompt := self.comes(asked):
            says_again = asked.opening is AskOpening.AGAIN
            assert says_again == (prompt in known) or not self.settled, "it says if it was asked before"
            self.again += says_again
            await self.swaps(asked.ask_id)
        draw = self.chance.random()
        if draw < 0.1:
            await self.puts_off(asked.ask_id)
        elif draw < 0.9:
            await self.answers()
        await self.changes_something()

    def comes(self, asked: Asked) -> Prompt | None:
        """Check that a question is one she may be asked, by her answers so far. None if the day is open."""
        if asked.used_up:
            self.open_days += 1
            return None
        assert asked.prompt_id, "there is always something left to ask"
        prompt = LIBRARY.prompts[asked.prompt_id]
        assert prompt.depth <= self.taken <= self.ceiling, "deeper than what she has taken"
        assert prompt.theme not in self.muted
        assert self.paired or prompt.role is Role.TELLER, "of two, and she is with nobody"
        self.put.append(prompt)
        return prompt

    def swapped(self, asked: Asked) -> Prompt:
        prompt = self.comes(asked)
        assert prompt, "a swap brings a question"
        return prompt

    async def swaps(self, ask_id: int) -> None:
        for _ in range(self.chance.choice((0, 0, 0, 1, 2))):
            self.home.clock.advance(MINUTE)
            now = self.put[-1]
            if self.chance.random() < 0.7:
                other = await self.home.does(ALICE, self.home.asks.another, ask_id)
                assert isinstance(other, NoOther) or self.swapped(other).depth <= now.depth
                continue
            other = await self.home.does(ALICE, self.home.asks.lighter, ask_id)
            self.taken = min(self.taken, max(1, now.depth - 1))
            if now.depth > 1:
                assert self.swapped(other).depth < now.depth, "something lighter always works"
            else:
                assert isinstance(other, NoOther) or self.swapped(other).depth == 1

    async def answers(self) -> None:
        await self.home.says(ALICE, "as usual", len(self.put))
        self.home.clock.advance(timedelta(seconds=3))
        async with self.home.store.writing() as rows:
            notices = await rows.notices.claim(self.home.clock.now(), 100, 1)
        for notice in notices:
            if notice.kind is NoticeKind.OFFER_DEEPER:
                await self.hears(await self.home.does(ALICE, self.home.pace.offer_deeper, notice))
            await self.home.settle(notice, Settled.SENT)

    async def hears(self, offer: Result) -> None:
        assert isinstance(offer, OfferDeeper)
        assert offer.depth == self.taken + 1 <= self.ceiling
        assert offer.depth < self.declined, "no was for good"
        if self.chance.random() < self.takes:
            assert isinstance(await self.home.does(ALICE, self.home.pace.take_deeper, offer.depth), DeeperTaken)
            self.taken = offer.depth
        else:
            self.declined = offer.depth

    async def puts_off(self, ask_id: int) -> None:
        """Check that what comes back is what she may be asked by then."""
        snoozed = await self.home.does(ALICE, self.home.asks.snooze, "hour", ask_id)
        assert isinstance(snoozed, Snoozed)
        await self.changes_something()
        self.home.clock.set(snoozed.until)
        ((_, asked),) = await self.home.deliver()
        assert asked
        self.comes(asked)

    async def changes_something(self) -> None:
        if self.settled or self.chance.random() < 0.8:
            return
        draw = self.chance.random()
        if draw < 0.3:
            await self.sets_ceiling(self.chance.randint(1, 5))
        elif draw < 0.5:
            await self.leaves_out(self.chance.choice(LIBRARY.themes).id, on=self.chance.random() < 0.5)
        elif draw < 0.7:
            await self.pairs_or_leaves()
        else:
            await self.home.does(ALICE, self.home.pause.until_told)
            self.home.clock.advance(MINUTE)
            await self.home.does(ALICE, self.home.pause.resume)

    async def sets_ceiling(self, ceiling: int) -> None:
        await self.home.does(ALICE, self.settings.set_ceiling, ceiling)
        if ceiling >= self.ceiling:
            self.declined = 9
        self.ceiling, self.taken = ceiling, min(self.taken, ceiling)

    async def leaves_out(self, theme: str, *, on: bool) -> None:
        await self.home.does(ALICE, self.settings.set_theme, theme, on=on)
        self.muted = set((await self.home.user(ALICE)).muted_themes)

    async def pairs_or_leaves(self) -> None:
        async with self.home.store.writing() as rows:
            if pair := await rows.pairs.active(ALICE):
                await rows.pairs.end(pair, ALICE)
            else:
                await rows.pairs.make(ALICE, BOB, self.home.clock.now())
        self.paired = not self.paired


@pytest.mark.parametrize("ceiling", range(1, 6))
async def test_questions_are_never_deeper_than_accepted(home: House, chance: random.Random, ceiling: int) -> None:
    life = Life(home, chance)
    await life.begin(ceiling)
    for _ in range(DAYS_OF_ANY_LIFE):
        await life.lives_a_day()


@pytest.mark.parametrize("ceiling", [2, 5])
async def test_declining_depth_repeats_the_lightest_questions(home: House, chance: random.Random, ceiling: int) -> None:
    """Day 40 at a ceiling of 2, and days 69 to 124 at a ceiling of 5, brought what had been declined."""
    life = Life(home, chance, settled=True, takes=0)
    await life.begin(ceiling)
    for _ in range(DAYS):
        await life.lives_a_day()
    assert {prompt.depth for prompt in life.put} == {1}
    assert life.again > 15, "once all have come, they come again; how many do depends on how many she swaps"
    assert life.open_days > 5, "and now and then there is no question"
    light = {prompt for prompt in LIBRARY.prompts.values() if prompt.depth == 1 and prompt.role is Role.TELLER}
    put = set(life.put)
    assert {prompt for prompt in light if not prompt.tags} <= put <= light, "what has its days may not have had them"


async def test_declined_depth_stays_declined(home: House) -> None:
    """Depth three was declined; accepting two, after "Something lighter", must not bring it up again."""
    life = Life(home, random.Random(0), settled=True, takes=1)
    await life.begin(5)
    offers = []
    for day in range(60):
        asked = await home.is_asked(ALICE)
        life.comes(asked)
        if day == 30:
            await home.does(ALICE, home.asks.lighter, asked.ask_id)
            life.taken = 1
        if life.taken == 2:
            life.takes = 0
        before = life.taken, life.declined
        await life.answers()
        if (life.taken, life.declined) != before:
            offers.append((life.taken, life.declined))
        life.takes = 1
    assert offers == [(2, 9), (2, 3), (2, 3)], "two, taken; three, declined; two, taken again; and no more"


async def test_same_ceiling_allows_one_offer(home: House) -> None:
    user = await home.arrives(ALICE)
    async with home.store.writing() as rows:
        await rows.users.change(user, ceiling=3, offered_depth=2, refused_depth=3)
    settings = Settings(LIBRARY)
    await home.does(ALICE, settings.set_ceiling, 2)
    user = await home.user(ALICE)
    assert (user.offered_depth, user.refused_depth) == (2, 3), "less brings up nothing"
    await home.does(ALICE, settings.set_ceiling, 2)
    user = await home.user(ALICE)
    assert (user.offered_depth, user.refused_depth) == (None, None)
