"""Every button between two people, tapped twice at once, does what one tap does."""

import asyncio
import json
import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.silence.world import CHARLIE, A, B, Beginning, World

OF_THE_TWO = (
    "pair_",
    "guest_",
    "unpair",
    "share",
    "open",
    "all_",
    "not_now",
    "respond",
    "reply_",
    "undo",
    "landed",
    "rit_",
    "send",
    "stem",
    "questions",
    "keep_question",
    "leave_question",
    "follow_up",
    "expect",
    "what_came",
    "came",
    "tally",
)
HEAVY = "I don't want to live any more."
NOT_TAPPED = frozenset(
    {"pair_name", "pair_no", "pair_back", "share_page", "share_drop", "reply_drop", "share_see", "guest_no", "rit_end"}
    | {"follow_up_drop"}
)
"""Actions that say no at a fork of the story not taken here, or only show something."""


@dataclass
class Story:
    """The two people, who tap this many times at once, and the state after each step."""

    world: World
    file: Path
    taps: int
    tapped: set[str] = field(default_factory=set)
    stood: list[tuple[str, Any]] = field(default_factory=list)

    async def tap(self, user_id: int, data: str) -> None:
        """Tap the newest button whose data begins like this."""
        found = [one for one in self.world.recorder.buttons(user_id) if one[1].startswith(f"v1:{data}")]
        assert found, f"{data} is nowhere in sight"
        await asyncio.gather(*(self.world.taps(user_id, *found[-1]) for _ in range(self.taps)))
        self.tapped.add(data.partition(":")[0])
        await self._note(data)

    async def say(self, user_id: int, text: str) -> None:
        await self.world.says(user_id, text)
        await self._note(text)

    async def wait(self, **step: float) -> None:
        await self.world.until(self.world.clock.now() + timedelta(**step))
        await self._note(f"{step}")

    def seen(self, user_id: int, pattern: str) -> str:
        """Return what the newest message with this in it says there."""
        messages = reversed(self.world.recorder.chats[user_id].values())
        return next(found[1] for one in messages if (found := re.search(pattern, json.dumps(one))))

    async def _note(self, step: str) -> None:
        await self.world.until(self.world.clock.now())  # sending one thing may make another due, like a new menu
        queries = {
            "pairs": "SELECT a, b FROM pairs",
            "invites": "SELECT user_id, guest_id, accepted_at IS NULL FROM invites",
            "reflections": "SELECT user_id, state, wish, due_at, remind_at, ritual FROM reflections ORDER BY 1, 2, 4",
            "responses": "SELECT user_id, answer, sent_at IS NULL, landing IS NULL FROM responses ORDER BY 1, 2",
            "rituals": "SELECT weekday, at, state, next_at FROM rituals",
            "seats": "SELECT user_id, reflection_id IS NULL, consent IS NULL FROM ritual_seats ORDER BY 1",
            "notices": "SELECT user_id, kind, due_at FROM notices WHERE settled_at IS NULL ORDER BY 1, 2, 3",
            "people": "SELECT id, name IS NULL, depth, receives_only, yes_to IS NULL FROM users ORDER BY 1",
            "lines": "SELECT user_id, count(*) FROM lines GROUP BY 1 ORDER BY 1",
            "expectations": "SELECT user_id, expected IS NULL, came IS NULL FROM expectations ORDER BY 1, 2, 3",
            "follow-ups": "SELECT user_id, said_yes_at, sent_at FROM follow_ups ORDER BY 1, 2",
            "kept questions": "SELECT user_id, due_at FROM kept_questions ORDER BY 1",
        }
        with closing(sqlite3.connect(self.file)) as connection:
            self.stood.append((step, {name: connection.execute(query).fetchall() for name, query in queries.items()}))


async def _pairs(story: Story) -> None:
    await story.tap(A, "pair_renew")
    await story.tap(A, "pair_rename")
    await story.say(A, "Ali")
    await story.tap(A, "pair_send")
    await story.tap(A, "pair_show")
    await _types_a_name(story)
    await _comes_new(story)
    await story.say(A, "/pair")
    await story.tap(A, "pair_renew")
    await story.say(B, f"/start {story.seen(A, r'start=([A-Za-z0-9_-]{22})')}")
    await story.tap(B, "guest_more")
    await story.tap(B, "guest_show")
    await story.tap(B, "guest_yes")
    await story.tap(B, "guest_back")
    await story.say(A, "/pair")
    await story.say(B, f"/start {story.seen(A, r'start=([A-Za-z0-9_-]{22})')}")
    await story.tap(B, "guest_yes")
    await story.tap(A, "pair_yes")


async def _types_a_name(story: Story) -> None:
    """Charlie, who is new again, types another name than the one that is offered."""
    await story.say(CHARLIE, "/erase")
    await story.tap(CHARLIE, "erase_all")
    await story.say(CHARLIE, "/start")
    await story.tap(CHARLIE, "consent")
    await story.tap(CHARLIE, "hour_first")
    await story.say(CHARLIE, "8:01")
    await story.tap(CHARLIE, "zone:America/New_York")
    await story.say(CHARLIE, "/pair")
    await story.say(CHARLIE, "Charles")
    await story.tap(CHARLIE, "pair_name_typed")


async def _comes_new(story: Story) -> None:
    """Charlie, who is at the start again, says yes and takes it back."""
    await story.say(CHARLIE, "/erase")
    await story.tap(CHARLIE, "erase_all")
    await story.say(CHARLIE, "/start")
    await story.tap(CHARLIE, "consent")
    await story.say(CHARLIE, f"/start {story.seen(A, r'start=([A-Za-z0-9_-]{22})')}")
    await story.tap(CHARLIE, "guest_only")
    await story.tap(CHARLIE, "zone:America/New_York")
    await story.tap(CHARLIE, "guest_back")


async def _shares(story: Story, words: str, wish: str = "listen") -> None:
    await story.say(A, "/today")
    await story.say(A, "The kettle sang before I did.")
    await story.tap(A, "share:")
    await story.tap(A, "share_words")
    await story.say(A, words)
    await story.tap(A, f"share_wish:{wish}")
    await story.tap(A, "share_at:quarter")


async def _changes_her_mind(story: Story) -> None:
    await _shares(story, "Other words.")
    await story.tap(A, "share_show")
    await story.tap(A, "share_when")
    await story.tap(A, "share_days")
    await story.say(A, "in 3 hours")
    await story.tap(A, "expect:")
    await story.tap(A, "expect_yes")
    await story.tap(A, "expected:")
    await story.tap(A, "tally")
    await story.tap(A, "share_show")
    await story.tap(A, "share_question:without")
    await story.tap(A, "share_question:with")
    await story.tap(A, "share_how")
    await story.tap(A, "share_wish:advice")
    await story.tap(A, "share_when")
    await story.tap(A, "share_days")
    await story.say(A, "in 2 minutes")
    await story.tap(A, "share_soon")
    await story.say(A, "/share")
    await story.tap(A, "share_see")
    await story.tap(A, "share_when")
    await story.tap(A, "share_days")
    await story.tap(A, "share_day:")
    await story.tap(A, "share_time:")
    await story.say(A, "/share")
    await story.tap(A, "share_see")
    await story.tap(A, "share_words")
    await story.say(A, "Still other words.")
    await story.tap(A, "share_use")


async def _means_it(story: Story) -> None:
    """Share what sounds like a crisis, which takes a second yes, also for new words."""
    await _shares(story, HEAVY)
    await story.tap(A, "share_sure")
    await story.say(A, "/share")
    await story.tap(A, "share_see")
    await story.tap(A, "share_words")
    await story.say(A, f"Believe me: {HEAVY}")
    await story.tap(A, "share_use:")
    await story.tap(A, "share_use_sure")
    await story.tap(A, "share_back")


async def _receives(story: Story) -> None:
    await story.wait(days=8)
    await story.tap(B, "open_later")
    await story.tap(B, "open_back")
    await story.tap(B, "open_later")
    await story.tap(B, "open_at:tomorrow")
    await story.wait(days=1, hours=2)
    await story.tap(B, "not_now")
    await story.tap(B, "open:")
    await story.tap(B, "respond:line")
    await story.tap(B, "stem")
    await story.say(B, "the way home.")
    await story.tap(B, "reply_send")
    await story.tap(B, "undo")
    await story.tap(B, "reply_send")
    await story.wait(minutes=1)
    await story.tap(A, "landed:no")
    await story.tap(A, "landed_worry")
    await story.tap(A, "what_came")
    await story.tap(A, "came:")
    await _shares(story, "And this.")
    await story.wait(minutes=20)
    await story.tap(A, "share_back")
    await story.tap(A, "expect_stop")


async def _asks(story: Story) -> None:
    await _shares(story, "Ask me about this.", "ask_later")
    await story.wait(hours=1)
    await story.tap(B, "open:")
    await story.tap(B, "questions")
    await story.tap(B, "respond:hardest")
    await story.tap(B, "keep_question")
    await story.tap(B, "leave_question")
    await story.say(B, "I would like to hear that.")
    await story.tap(B, "send:")
    await story.tap(B, "reply_again")
    await story.say(B, "I would like that.")
    await story.tap(B, "reply_drop")
    await story.tap(B, "questions")
    await story.tap(B, "respond:hardest")
    await story.tap(B, "reply_send")
    await story.wait(minutes=1)
    await story.tap(A, "follow_up:")
    await story.say(A, "That nobody noticed.")
    await story.tap(A, "follow_up_send")
    await story.tap(A, "follow_up_undo")
    await story.tap(A, "follow_up_send")
    await story.wait(days=1)


async def _receives_several(story: Story) -> None:
    await _shares(story, "The first of three.")
    for words in ("The second of three.", "The third of three."):
        await story.say(A, words)
        await story.tap(A, "keep")
        await story.tap(A, "shelf:")
        await story.tap(A, "board:heavy")
        await story.tap(A, "feel:heavy")
        await story.tap(A, "share:")
        await story.tap(A, "share_named")
        await story.tap(A, "share_wish:listen")
        await story.tap(A, "share_at:quarter")
    await story.wait(hours=3)
    await story.tap(B, "all_later")
    await story.tap(B, "all_back")
    await story.tap(B, "all_later")
    await story.tap(B, "all_at:tomorrow")
    await story.wait(days=1, hours=2)
    await story.tap(B, "open_one")
    await story.tap(B, "all_not_now")
    await story.say(B, "/waiting")
    await story.tap(B, "open_one")
    await story.tap(B, "respond:read")
    await story.tap(B, "reply_send")
    await story.say(B, "/waiting")
    await story.tap(B, "open_one")


async def _puts_in(story: Story) -> None:
    """Try all that can be put in for the Ritual."""
    await story.say(A, "/ritual")
    await story.tap(A, "rit_open")
    await story.tap(A, "rit_lines")
    await story.tap(A, "rit_open")
    await story.tap(A, "rit_noticed")
    await story.say(A, "/ritual")
    await story.tap(A, "rit_open")
    await story.tap(A, "rit_answer")
    await story.say(A, "/ritual")
    await story.tap(A, "rit_open")
    await story.tap(A, "rit_write")
    await story.say(A, "The line of this week.")
    await story.tap(A, "rit_wish:listen")
    await story.tap(A, "rit_in:either")
    await story.tap(A, "rit_out")
    await story.say(A, "/ritual")
    await story.tap(A, "rit_open")
    await story.tap(A, "rit_write")
    await story.say(A, HEAVY)
    await story.tap(A, "rit_wish:listen")
    await story.tap(A, "rit_in:either")
    await story.tap(A, "rit_sure")
    await story.tap(A, "rit_out")
    await story.say(A, "/ritual")
    await story.tap(A, "rit_open")
    await story.tap(A, "rit_lines")
    await story.tap(A, "rit_line:")
    await story.tap(A, "rit_question")
    await story.tap(A, "rit_wish:advice")
    await story.tap(A, "rit_in:either")


async def _meets(story: Story) -> None:
    await story.say(A, "/ritual")
    await story.tap(A, "rit_days")
    await story.tap(A, "rit_day:")
    await story.tap(A, "rit_hour:")
    await story.tap(B, "rit_no")
    await story.say(B, "/ritual")
    await story.say(B, "/ritual")
    await story.tap(B, "rit_yes_same")
    await story.tap(B, "rit_yes:")
    await story.wait(days=8)
    await story.say(A, "/ritual")
    at = int(story.stood[-1][1]["rituals"][0][3])
    morning = at / 1000 - story.world.clock.now().timestamp() - 3600
    await story.wait(seconds=morning)
    await story.say(A, "/today")
    await story.say(A, "The tea went cold, and I drank it.")
    await _puts_in(story)
    await story.wait(hours=30)
    await story.say(A, "/ritual")
    await story.tap(A, "rit_ask_end")
    await story.tap(A, "rit_show")
    await story.tap(A, "rit_ask_end")
    await story.tap(A, "rit_over")


async def _lived(beginning: Beginning, folder: Path, taps: int) -> tuple[Story, frozenset[str]]:
    async with beginning.life(folder) as world:
        story = Story(world, folder / "ajar.db", taps)
        await story.say(A, "/unpair")
        await story.tap(A, "unpair:")
        await story.say(B, "/share")
        await story.say(A, "/pair")
        await _pairs(story)
        await _changes_her_mind(story)
        await _receives(story)
        await _asks(story)
        await _receives_several(story)
        await _means_it(story)
        await _meets(story)
        return story, world.actions


async def test_two_taps_do_what_one_does(tmp_path: Path) -> None:
    beginning = await Beginning.make(tmp_path)
    once, actions = await _lived(beginning, tmp_path / "once", 1)
    twice, _ = await _lived(beginning, tmp_path / "twice", 2)
    for (step, stood), (_, stands) in zip(once.stood, twice.stood, strict=True):
        assert stands == stood, step
    of_the_two = {action for action in actions if action.startswith(OF_THE_TWO)}
    assert of_the_two - once.tapped - NOT_TAPPED == {"rit_none"}, "not every button was tapped"
