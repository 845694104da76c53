"""Every flow in which somebody types something of their own, each with a word that must be found nowhere afterwards.

A new flow is a function here, in FLOWS. It types `canary("where")` and waits for the bot's answer.
"""

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import timedelta

from bot.i18n import say_in
from bot.services.arrivals import put
from tests.canary.birds import Canaries
from tests.journeys.house import AGREE, House
from tests.journeys.two import opens, paired, sends, shares, tells
from tests.standin import Person

Flow = Callable[[House, Canaries], Awaitable[None]]


async def before_consent(house: House, canary: Canaries) -> None:
    stranger = house.newcomer(canary.word("a name in Telegram"), username=canary.word("a user name in Telegram"))
    await stranger.says(canary("a text before consent"))
    await stranger.says(f"/start {canary.word('a link that leads nowhere')}")
    await stranger.says(f"/{canary.word('a command that does not exist')}")
    await stranger.forwards(canary("a forwarded text"))
    await stranger.sends("photo", caption=canary("a caption"))
    await house.caught_up()


async def answers_and_changes(house: House, canary: Canaries) -> None:
    alice, _ = await house.asked()
    typed = await alice.says(canary("a line"))
    kept = await alice.hears("Kept, and")
    await alice.edits(typed, canary("an edited line"))
    await alice.hears("Changed, and")
    await alice.taps("Change", kept)
    await house.caught_up()
    await alice.says(canary("a changed line"))
    await house.caught_up()
    await alice.says(canary("a second text"))
    await alice.taps("Keep as another")
    await house.caught_up()
    await alice.says(canary("a text that is too long") + "y" * 300)
    await alice.hears("characters")
    await alice.sends("photo", caption=canary("a picture's caption"))
    await house.caught_up()
    await alice.taps("Delete", kept)
    await house.caught_up()


async def names_feelings(house: House, canary: Canaries) -> None:
    alice, _ = await house.told(canary("a line with a word"))
    await alice.taps("Name the feeling")
    await alice.hears("Which comes close?")
    await alice.taps("No word fits")
    await alice.hears("That happens.")
    word = canary.word("an own word")
    await alice.says(word)
    await alice.hears(word)
    await alice.says("/words")
    await alice.hears(word)


async def looks_back(house: House, canary: Canaries) -> None:
    alice, _ = await house.told(canary("a line in the journal"))
    await alice.taps("Name the feeling")
    await alice.taps("No word fits")
    await alice.hears("That happens.")
    word = canary.word("a word to find lines by")
    await alice.says(word)
    await alice.hears(word)
    await alice.says("/journal")
    await alice.taps("Find…")
    await alice.taps("By a word")
    await alice.taps(word[:1].upper() + word[1:])
    await alice.hears("Your lines with the word")
    await alice.taps("Find…")
    await alice.taps("Search…")
    await alice.hears("Send me a word")
    await alice.says(canary.word("a search"))
    await alice.hears("There is none.")


async def types_settings(house: House, canary: Canaries) -> None:
    """What isn't understood is as private as a line, since it may be one."""
    alice = await house.settled(canary.word("a first name"))
    for command in ("time", "zone", "days", "quiet", "language", "pause", "snooze", "depth", "name", "today"):
        await alice.says(f"/{command} {canary.word(f'after /{command}')}")
        await house.caught_up()
    for command in ("time", "zone", "pause", "name"):
        await alice.says(f"/{command}")
        await house.caught_up()
        await alice.says(canary.word(f"in answer to /{command}"))
        await house.caught_up()


async def shares_and_answers(house: House, canary: Canaries) -> None:
    alice, bob = await paired(house)
    await shares(alice, canary("a shared line"), wish="Ask me about it later")
    await alice.taps("Change")
    await alice.taps("Word it differently")
    await alice.hears("Send me the words")
    await alice.says(canary("other words"))
    await alice.taps("Use these words")
    await alice.hears("Reworded.")
    await opens(bob, house, "ask about it later")
    await bob.taps("A question for another day…")
    await bob.taps("What was the hardest part?")
    await bob.hears("would see this:")
    await sends(bob, house)
    await alice.taps("Answer")
    await alice.hears("One line to")
    await alice.says(canary("a follow-up"))
    await alice.hears("would see this:")
    await sends(alice, house)
    await bob.hears("answers your question:")


async def writes_back(house: House, canary: Canaries) -> None:
    alice, bob = await paired(house)
    await shares(alice, canary("a line that is answered"))
    opened = await opens(bob, house)
    await bob.says(canary("a text after an opening"))
    await bob.taps("Send it…")
    await bob.hears("would see this:")
    await bob.taps("Don't send it")
    await house.caught_up()
    await bob.taps("Write one line back", opened)
    await bob.taps("What I heard was …")
    await bob.hears("Send me the end of it.")
    await bob.says(canary("the end of a beginning"))
    await bob.hears("would see this:")
    await sends(bob, house)
    await alice.hears("writes back")


async def notices(house: House, canary: Canaries) -> None:
    alice, _ = await paired(house)
    await alice.says("/noticed")
    await alice.hears("do or carry lately")
    await alice.says(canary("something noticed"))
    await alice.hears("Kept")


async def meets_weekly(house: House, canary: Canaries) -> None:
    alice, bob = await paired(house)
    await alice.says("/ritual")
    await alice.taps("Propose one")
    await alice.taps(say_in("en").weekday(house.telegram.now.date()))
    await alice.taps("20:00")
    await bob.hears("proposes a weekly moment for you two")
    await bob.taps("Yes")
    await alice.hears("Agreed with")
    await tells(alice, canary("a line of the week"))
    await alice.says("/ritual")
    await alice.taps("Put something in")
    await alice.taps("A new one")
    await alice.hears("Write it in one line.")
    await alice.says(canary("a line for the weekly moment"))
    await alice.hears("would see these words")
    await alice.taps("Just listen")
    await alice.taps("Either way")
    await alice.hears("It's in.")
    bob._acts()
    house.telegram.advance(timedelta(hours=12))
    await bob.hears("It's your weekly moment: ")
    await bob.taps("Open")
    await house.caught_up()


async def meets_failures(house: House, canary: Canaries) -> None:
    """Telegram refuses and quotes what it was sent, and a row is damaged: incidents with a trace."""
    alice, _ = await house.asked()
    quoted = canary.word("what Telegram quotes")
    await house.telegram.fault("sendMessage", "400", chat_id=alice.id, description=f"Bad Request: {quoted}")
    await alice.says(canary("a line whose answer is refused"))
    await house.caught_up()
    for kind in ("502", "cut_after", "malformed"):
        said = len(house.bot.output)
        await house.telegram.fault("sendMessage", kind, chat_id=alice.id)
        await alice.says(canary(f"a text before {kind}"))
        await house.logs("notice.retried", after=said)
        house.telegram.advance(seconds=15)
        await house.caught_up()
    _damage(house, alice)
    await alice.says(canary("a line that can't be handled"))
    await house.logs("ValueError")


def _damage(house: House, alice: Person) -> None:
    """Leave a state in a row that no version of Ajar knows."""
    with closing(sqlite3.connect(house.bot.data_dir / "ajar.db", timeout=10)) as connection:
        connection.execute("UPDATE asks SET state = 'unheard of' WHERE user_id = ?", (alice.id,))
        connection.commit()


async def takes_it_along(house: House, canary: Canaries) -> None:
    alice, _ = await house.told(canary("an exported line"))
    await alice.says("/export")
    await alice.hears("To read and to print")
    await alice.hears("The same for a program")
    await house.caught_up()


async def sees_the_picture(house: House, canary: Canaries) -> None:
    """The child that draws it is searched as well, while it runs."""
    alice, _ = await house.told(canary("a line behind a picture"))
    await alice.taps("Name the feeling")
    await alice.taps("No word fits")
    await alice.hears("That happens.")
    word = canary.word("a word in a picture")
    await alice.says(word)
    await alice.hears(word)
    shown = len(alice.sees)
    await alice.says("/recap")
    while len(alice.sees) == shown + 1:  # her own command
        assert canary.leaks(house.bot.data_dir, pid=house.bot.pid) == [], "while it is drawn"
        await asyncio.sleep(0)
    await alice.hears("Your words of the last eight weeks")


async def brings_it_along(house: House, canary: Canaries) -> None:
    """An export of another bot, whose words are looked for while it waits, and once it is taken in."""
    account = house.newcomer("Dana")
    at = house.telegram.now
    line = {"number": 1, "date": f"{at:%Y-%m-%d}", "kept_at": at.isoformat(), "words": canary("an imported line")}
    line["feelings"] = [{"word": canary.word("an imported word")}]
    profile = {
        "name": canary.word("an imported name"), "language": "en", "language_chosen": True, "since": at.isoformat(),
        "ask_at": "20:30", "zone": "Europe/Lisbon", "days": [1], "receives_only": False, "soft_reminder": False,
        "discreet": False, "depth": 1, "ceiling": 2, "comfortable": 0, "hour_offered": False, "muted_themes": [],
        "muted_sensitivities": [], "rhythm": "daily", "unanswered": 0,
    }  # fmt: skip
    shared = {"state": "shared", "line": 1, "words": canary("an imported reflection"), "drafted_at": at.isoformat()}
    answer = {"answer": "words", "words": canary("an imported answer"), "sent_at": at.isoformat()}
    export = {
        "made_at": at.isoformat(), "account": account.id, "profile": profile, "lines": [line],
        "reflections": [shared], "responses": [answer],
    }  # fmt: skip
    async with house._store() as store:
        await put(store, [json.dumps(export).encode()], at)
    assert canary.leaks(house.bot.data_dir, pid=house.bot.pid) == [], "while it waits"
    await account.says("/start")
    await account.taps(AGREE)
    await account.hears("Your export from another Ajar")
    await account.taps("Take it in")
    await account.hears("It is all here.")
    await house.caught_up()


async def erases(house: House, canary: Canaries) -> None:
    alice, _ = await house.told(canary("a line of somebody who leaves"))
    await alice.says("/erase")
    await alice.taps("Erase everything")
    await alice.hears("I know nothing of you any more.")
    await house.forgets(alice)


FLOWS: tuple[Flow, ...] = (
    before_consent,
    answers_and_changes,
    names_feelings,
    looks_back,
    types_settings,
    shares_and_answers,
    writes_back,
    notices,
    meets_weekly,
    meets_failures,
    takes_it_along,
    sees_the_picture,
    brings_it_along,
    erases,
)
SOME: tuple[Flow, ...] = (before_consent, answers_and_changes, shares_and_answers, meets_failures)
"""The flows of the ordinary test run."""


async def run(house: House, canary: Canaries, flows: tuple[Flow, ...]) -> None:
    for flow in flows:
        await flow(house, canary)
