"""Pairing, as two people and a third one live it."""

import asyncio
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest

from bot.i18n import say_in
from bot.tg.screens.screen import named
from tests.journeys.conftest import Make
from tests.journeys.house import AGREE, HOUR_FIRST, House, is_question, until
from tests.standin import Person, Seen

pytestmark = pytest.mark.asyncio(loop_scope="module")

CODE_OR_LINE = "Is this an invitation code, or your line?"
NOWHERE = "That link or code leads nowhere."
GREETING = "One small question a day"
NAME = "Is that right?"
ENDED = "Sharing has ended."
NOBODY = "There is nobody you share with."
STRANGE_NAMES = [('<b>Al&"ice</b>', "Bob"), ("Alice", "דנה בת־אל"), ("👩‍👩‍👧‍👦🏳️‍🌈", "\u202eBob %(name)s {0}")]


def _button(seen: Seen, kind: str, label: str) -> Any:
    rows = seen.markup["inline_keyboard"]
    return next(button[kind] for row in rows for button in row if button["text"] == label)


def link_of(seen: Seen) -> str:
    return str(_button(seen, "copy_text", "Copy the link")["text"])


def code_of(seen: Seen) -> str:
    return str(_button(seen, "copy_text", "Copy the code")["text"])


async def invites(alice: Person) -> Seen:
    """Return Alice's open Invite, after she has said what she wants to be called."""
    await alice.says("/pair")
    seen = await alice.waits_for(lambda seen: NAME in seen.text or "Pass this link on" in seen.text)
    if NAME in seen.text:
        await alice.taps("Yes", seen)
        seen = await alice.hears("Pass this link on")
    return seen


async def follows_and_accepts(bob: Person, link: str) -> None:
    await bob.follows(link)
    await bob.hears("would like to show you a line")
    await bob.taps("Yes")
    await bob.hears("is asked in turn")


async def pair_up(alice: Person, bob: Person) -> None:
    await follows_and_accepts(bob, link_of(await invites(alice)))
    await alice.hears("has said yes to your invitation")
    await alice.taps("Yes, us two")
    await alice.hears("can share lines now. Nothing has been shown to anybody.")
    await bob.hears("can share lines now. Nothing has been shown to anybody.")


async def two(house: House, alice: str = "Alice", bob: str = "Bob") -> tuple[Person, Person]:
    return await house.settled(alice), await house.settled(bob)


def pairs(house: House, *people: Person) -> list[tuple[int, int]]:
    ids = [person.id for person in people]
    return [row for row in house.stored("SELECT a, b FROM pairs") if row[0] in ids or row[1] in ids]


async def test_pairing_by_a_link(house: House) -> None:
    alice, bob = await two(house)
    invite = await invites(alice)
    link = link_of(invite)
    assert re.fullmatch(rf"https://t\.me/{house.telegram.world.bot['username']}\?start=[\w-]{{22}}", link)
    assert invite.marked("code") == [link, code_of(invite)]
    await alice.taps("Send it…", invite)
    sending = await alice.hears("Which of these goes with it?")
    for number, sentence in (
        ("1", "something small"),
        ("2", "now and then"),
        ("3", "one line at a time"),
        ("Just the link", ""),
    ):
        share = urlsplit(_button(sending, "url", number))
        sent = parse_qs(share.query)
        assert (share.netloc, share.path, sent["url"]) == ("t.me", "/share/url", [link])
        assert sentence in sent.get("text", [""])[0]
    await alice.taps("Back")
    assert link in (await alice.hears("Pass this link on")).text
    await bob.follows(link)
    asked = await bob.hears("would like to show you a line")
    for promise in (
        "Alice",
        "answers, skips or pauses",
        "can't be unseen",
        "typed that name",
        "A no is told to nobody.",
    ):
        assert promise in asked.text
    await bob.taps("More")
    told = await bob.hears("What it does.")
    for promise in ("no days, counts or last-seen", "Private lines stay yours", "what wasn't opened is gone"):
        assert promise in told.text
    await bob.taps("Back")
    await bob.hears("would like to show you a line")
    assert not pairs(house, alice, bob)
    await bob.taps("Yes")
    await bob.hears("is asked in turn")
    assert not pairs(house, alice, bob)
    confirm = await alice.hears("has said yes to your invitation")
    assert "Bob" in confirm.text
    assert "can't be unseen" in confirm.text
    await alice.taps("Yes, us two")
    assert "Bob" in (await alice.hears("can share lines now")).text
    assert "Alice" in (await bob.hears("can share lines now")).text
    assert pairs(house, alice, bob) == [(alice.id, bob.id)]


async def loses_buttons(house: House, person: Person, seen: Seen) -> None:
    await house.telegram.until(lambda: not (person.message(seen.message_id) or seen).labels)
    left = person.message(seen.message_id)
    assert left
    assert left.labels == []


async def test_buttons_of_an_invitation_go_when_it_is_taken(house: House) -> None:
    """A link that nobody can use any more is not offered; an older tap is answered kindly."""
    alice, bob = await two(house)
    invite = await invites(alice)
    await bob.follows(link_of(invite))
    await bob.hears("would like to show you a line")
    assert (alice.message(invite.message_id) or invite).labels == invite.labels, "opening it says nothing to Alice"
    await bob.taps("Yes")
    asked = await bob.hears("is asked in turn")
    await alice.taps("Yes, us two", await alice.hears("has said yes to your invitation"))
    await loses_buttons(house, alice, invite)
    await alice.hears("can share lines now")
    await bob.hears("can share lines now")
    for person, message, data in ((alice, invite, "v1:pair_renew:0"), (bob, asked, "v1:guest_back:1")):
        await person.taps_data(message, data)
        await person.hears("and that stays as it is.")
    assert len(pairs(house, alice, bob)) == 1


async def test_yes_in_quiet_hours_is_found_by_pair(house: House) -> None:
    """The bot doesn't write first then; two who sit side by side needn't wait for the morning."""
    alice, bob = await two(house)
    assert "quiet hours" not in (await invites(alice)).text
    hour = house.telegram.now.astimezone(ZoneInfo("Europe/Lisbon")).hour
    house.telegram.advance(hours=(21 - hour) % 24, minutes=30)
    invite = await invites(alice)
    assert "If they say yes then, /pair shows it." in invite.text
    house.telegram.advance(hours=1)
    await follows_and_accepts(bob, link_of(invite))
    await alice.says("/pair")
    await alice.taps("Yes, us two", await alice.hears("has said yes to your invitation"))
    await alice.hears("can share lines now")


async def test_buttons_of_an_earlier_invitation_go(house: House) -> None:
    alice = await house.settled("Alice")
    first = await invites(alice)
    second = await invites(alice)
    assert link_of(second) == link_of(first)
    await loses_buttons(house, alice, first)
    await alice.taps("Send it…", second)
    sending = await alice.hears("Which of these goes with it?")
    house.telegram.advance(hours=25)
    third = await invites(alice)
    assert link_of(third) != link_of(second)
    await loses_buttons(house, alice, sending)
    await alice.taps("Take it back", third)
    await alice.hears("No link and no code of yours is open now.")


async def test_pairing_by_a_code_however_typed(house: House) -> None:
    alice, bob = await two(house)
    invite = await invites(alice)
    code, link = code_of(invite), link_of(invite)
    lower, plain, spaced = code.lower(), code.replace("-", ""), code.replace("-", " - ")
    for typed in (f"/join {code}", f"/JOIN {code}", code, lower, plain, f"/join {spaced}", link, f"/join {link}"):
        await bob.says(typed)  # whoever used it first may use it again
        await bob.hears("would like to show you a line")


@pytest.mark.parametrize(("one", "other"), STRANGE_NAMES)
async def test_strange_names_are_shown_unchanged(house: House, one: str, other: str) -> None:
    alice, bob = await two(house, one, other)
    await pair_up(alice, bob)
    shown = {alice: other.replace("\u202e", ""), bob: one}
    for person, name in shown.items():
        assert f"\u2068{name}\u2069" in person.last.text.replace("\u2060", "")
        assert not person.last.marked("bold")


async def test_each_chooses_the_name_shown(house: House) -> None:
    alice, bob = await two(house)
    await alice.says("/pair")
    offered = await alice.hears(NAME)
    await alice.says("Ally")
    await alice.hears("Should they see you as \u2068Ally\u2069, or is that your line?")
    await alice.says("Ally " * 9)
    await alice.hears("Keep this as a line for today?")
    assert await house.lines(alice) == []
    await alice.taps("Another name", offered)
    await alice.hears("Just write it.")
    await alice.says("Ally " * 9)
    await alice.hears("That's longer than 40 characters.")
    await alice.says("Ally\nin two lines")
    invite = await alice.hears("Ally in two lines")
    await bob.follows(link_of(invite))
    await bob.hears("Ally in two lines\u2069 would like")
    await bob.taps("Another name")
    await bob.hears("Just write it.")
    await bob.says("\u200b")
    await bob.hears("I couldn't find any words in that.")
    await bob.says("Bobby")
    await bob.hears("They'd see you as \u2068Bobby\u2069.")
    await bob.taps("Yes")
    assert "\u2068Bobby\u2069 has said yes" in (await alice.hears("has said yes")).text


async def test_text_beside_a_name_is_queried(house: House) -> None:
    alice = await house.settled("Alice")
    await alice.says("/pair")
    await alice.hears(NAME)
    await alice.says("Margaret")  # letters that a code could have
    await alice.taps("My name", await alice.hears("or is that your line?"))
    assert "They will see you as \u2068Margaret\u2069." in (await alice.hears("Pass this link on")).text
    bob = await house.settled("Bob")
    await bob.says("/pair")
    await bob.hears(NAME)
    await bob.says("The gate needs paint.")
    await bob.taps("My line", await bob.hears("or is that your line?"))
    await bob.hears("Kept, and")
    assert await house.lines(bob) == ["The gate needs paint."]
    await bob.says("/pair")
    await bob.hears(NAME)


@pytest.mark.parametrize("language", ["en", "de"])
async def test_newcomer_sees_first_who_asks(house: House, language: str) -> None:
    """A yes, consent, a first question, hour and clock: then the bot asks the inviter in turn."""
    say = say_in(language)
    alice = await house.settled("Alice")
    link = link_of(await invites(alice))
    bob = house.newcomer("Bob", language_code=language)
    await bob.follows(link)
    asked = await bob.waits_for(lambda seen: "Alice" in seen.text)
    assert asked.buttons == [[say("Yes"), say("No")], [say("More")]]
    await bob.taps(say("More"))
    await bob.hears("/unpair")
    await bob.taps(say("Back"))
    await bob.waits_for(lambda seen: seen.buttons == asked.buttons)
    await bob.says("Alice?")
    await bob.hears(say("I'm a bot and kept nothing. Invited? Open the link again."))
    await house.forgets(bob)
    await bob.follows(link)
    await bob.waits_for(lambda seen: seen.buttons == asked.buttons)
    assert not house.on_disk(link.rpartition("=")[2].encode())
    await bob.taps(say("Yes"))
    await bob.hears("18")
    await bob.taps(say("What is stored"))
    await bob.taps(say("Back"), await bob.waits_for(lambda seen: say("Back") in seen.labels))
    await bob.waits_for(lambda seen: say("Ask me too") in seen.labels)
    await house.forgets(bob)
    await bob.taps(say("Ask me too"))
    await bob.hears(say("One line is enough. Just write it."))
    alice._acts()
    await bob.says("In my back.")
    await bob.hears(say("When should I ask tomorrow?"))
    await bob.taps("20:30")
    await bob.taps(next(label for label in (await bob.waits_for(_has_clocks)).labels if label.startswith("Berlin ")))
    await bob.waits_for(lambda seen: say("Take my yes back") in seen.labels)
    await alice.taps("Yes, us two", await alice.hears("has said yes to your invitation"))
    await until(lambda: pairs(house, alice, bob) == [(alice.id, bob.id)], "a Pair")


def _has_clocks(seen: Seen) -> bool:
    return any(label.startswith("Berlin ") for label in seen.labels)


async def test_text_below_an_invitation_is_queried(house: House) -> None:
    alice, bob = await two(house)
    await bob.says("/today")
    question = await bob.waits_for(is_question)
    link = link_of(await invites(alice))
    await bob.follows(link)
    card = await bob.hears("would like to show you a line")
    for words in ("Who is this?", "Alice", "20:30", "z" * 301):
        typed = await bob.says(words)
        await bob.hears("Is it a line of yours?" if len(words) <= 300 else "That's 301 characters")
        assert await house.lines(bob) == []
    await bob.edits(typed, "Which Alice is this?")
    await bob.taps("Don't keep it", await bob.hears("Keep this as a line for today?"))
    await bob.hears("Not kept. The question is still open:")
    await bob.says("The gate needs paint.")
    await bob.taps("My line", await bob.hears("Is it a line of yours?"))
    await bob.hears("Kept, and")
    assert await house.lines(bob) == ["The gate needs paint."]
    await bob.taps("No", card)
    await bob.hears("All right, no sharing.")
    await bob.says("And oil.")
    await bob.hears("There is a line to this question already:")
    assert question


async def test_text_below_an_invitation_waits_an_hour(house: House) -> None:
    alice, bob = await two(house)
    await bob.says("/today")
    question = await bob.waits_for(is_question)
    await bob.follows(link_of(await invites(alice)))
    await bob.hears("would like to show you a line")
    await bob.says("A reply to the question is its line.", reply_to=question)
    await bob.hears("Kept, and")
    await bob.follows(link_of(await invites(alice)))
    await bob.hears("would like to show you a line")
    house.telegram.advance(hours=1, seconds=1)
    await bob.says("The gate needs paint.")
    await bob.hears("There is a line to this question already:")


@pytest.mark.parametrize("answer", ["Yes", "No"])
async def test_text_below_an_invitation_at_the_start(house: House, answer: str) -> None:
    alice = await house.settled("Alice")
    bob = house.newcomer("Bob")
    await bob.says("/start")
    await bob.taps(AGREE)
    await bob.waits_for(is_question)
    await bob.follows(link_of(await invites(alice)))
    card = await bob.hears("would like to show you a line")
    await bob.says("Who is this?")
    await bob.hears("Is it a line of yours?")
    await bob.says("8pm")
    await bob.hears("Is it a line of yours?")
    assert await house.lines(bob) == []
    await bob.taps(answer, card)
    await bob.waits_for(is_question)
    await bob.says("In my back.")
    await bob.hears("Kept, and")
    assert await house.lines(bob) == ["In my back."]


async def test_newcomer_may_only_receive(house: House) -> None:
    """No daily question, just a clock; an hour can be set later."""
    alice = await house.settled("Alice")
    bob = house.newcomer("Bob")
    await bob.follows(link_of(await invites(alice)))
    await bob.taps("Yes")
    alice._acts()
    await bob.taps("Only receive, for now")
    await bob.hears("What time is it for you now?")
    await bob.taps(next(label for label in bob.last.labels if label.startswith("London ")))
    await bob.hears("is asked in turn")
    await alice.taps("Yes, us two", await alice.hears("has said yes to your invitation"))
    await bob.hears("can share lines now")
    assert not house.asks(bob)
    assert house.stored("SELECT next_ask_at, receives_only FROM users WHERE id = ?", bob.id) == [(None, 1)]
    await bob.says("/start")
    await bob.hears("I'll write when there is something for you")
    await bob.says("/settings")
    await bob.hears("Time: none")
    await bob.says("/time 20:30")
    await bob.hears("From now on I ask at 20:30.")
    assert house.stored("SELECT receives_only FROM users WHERE id = ?", bob.id) == [(0,)]


async def test_no_of_a_newcomer_stores_nothing(house: House) -> None:
    alice = await house.settled("Alice")
    bob = house.newcomer("Bob")
    await bob.follows(link_of(await invites(alice)))
    await bob.hears("would like to show you a line")
    await bob.taps("No")
    await bob.hears("Nothing was stored.")
    await bob.says("Hello?")
    await bob.hears(GREETING)
    await house.forgets(bob)


async def test_used_link_hides_the_name(house: House) -> None:
    alice, bob = await two(house)
    link = link_of(await invites(alice))
    await bob.follows(link)
    await bob.hears("would like to show you a line")
    charlie = house.newcomer("Charlie")
    await charlie.follows(link)
    assert "Alice" not in (await charlie.hears(GREETING)).text


async def test_dead_link_spoils_no_start(house: House) -> None:
    bob = house.newcomer("Bob")
    await bob.follows(f"https://t.me/{house.telegram.world.bot['username']}?start={'A' * 22}")
    await bob.hears(GREETING)
    await bob.taps(AGREE)
    assert "One line is enough." in (await bob.hears(NOWHERE)).text


async def test_link_interrupts_the_start(house: House) -> None:
    alice = await house.settled("Alice")
    bob = await house.consenting("Bob")
    await bob.follows(link_of(await invites(alice)))
    asked = await bob.hears("would like to show you a line")
    assert "Only receive, for now" in asked.labels
    await bob.taps("Yes", asked)
    await bob.waits_for(is_question)
    await bob.says("In my back.")
    await bob.taps("20:30", await bob.hears("Kept, and"))
    await bob.says("Lisbon")
    await bob.taps("Yes", await bob.hears("Is that your clock?"))
    await bob.hears("is asked in turn")


async def test_partner_name_changes_but_stays(house: House) -> None:
    alice, bob = await two(house)
    await pair_up(alice, bob)
    await bob.says("/settings")
    await bob.taps("Name")
    shown = await bob.hears("Your partner sees you as Bob")
    assert "Remove it" not in shown.labels
    await bob.taps_data(shown, "v1:unname:")  # as under an earlier screen
    await bob.answered()
    await bob.says("Bo")
    await bob.hears("Name: Bo")
    await alice.says("/pair")
    await alice.hears(f"You share with {named('Bo')}")
    await alice.says("/unpair")
    await alice.hears(f"End sharing with {named('Bo')}?")


async def test_dead_invitations_get_byte_identical_answers(house: House) -> None:
    alice, bob = await two(house)
    charlie, dora = await two(house, "Charlie", "Dora")
    old = await invites(alice)
    await alice.taps("A new link")
    used = await alice.waits_for(lambda seen: "Pass this link on" in seen.text and code_of(seen) != code_of(old))
    await dora.says(f"/join {code_of(used)}")
    await dora.hears("would like to show you a line")
    taken_back = await invites(charlie)
    await charlie.taps("Take it back")
    await charlie.hears("No link and no code of yours is open now.")
    answers = set()
    for typed in (
        f"/join {code_of(old)}",  # replaced
        f"/join {code_of(used)}",  # used
        f"/join {code_of(taken_back)}",
        "/join 0000-0000",  # guessed
        "/join what?",
        f"/start {link_of(old).rpartition('=')[2]}",
        f"/start {'x' * 64}",
        link_of(taken_back),
    ):
        await bob.says(typed)
        answers.add((await bob.hears(NOWHERE)).text)
    await alice.says(f"/join {code_of(used)}")  # her own
    answers.add((await alice.hears(NOWHERE)).text)
    expired = code_of(await invites(charlie))
    house.telegram.advance(hours=24)
    await bob.says(f"/join {expired}")
    answers.add((await bob.hears(NOWHERE)).text)
    assert len(answers) == 1


async def test_ten_wrong_codes_lock(house: House) -> None:
    alice, bob = await two(house)
    code = code_of(await invites(alice))
    for _ in range(10):
        await bob.says("/join 0000-0000")
        await bob.hears(NOWHERE)
    await bob.says(f"/join {code}")
    await bob.hears("For an hour I take no link and no code from you.")
    house.telegram.advance(hours=1)
    await bob.says(f"/join {code}")
    await bob.hears("would like to show you a line")


async def test_two_with_one_code_at_once(house: House) -> None:
    alice, bob = await two(house)
    charlie = await house.settled("Charlie")
    code = code_of(await invites(alice))
    await asyncio.gather(*(person.says(f"/join {code}") for person in (bob, charlie)))
    first = await bob.waits_for(lambda seen: "would like to show you" in seen.text or NOWHERE in seen.text)
    second = await charlie.waits_for(lambda seen: "would like to show you" in seen.text or NOWHERE in seen.text)
    assert sorted(NOWHERE in seen.text for seen in (first, second)) == [False, True]
    winner, loser = (charlie, bob) if NOWHERE in first.text else (bob, charlie)
    await winner.taps("Yes")
    await alice.hears(f"{winner.name}\u2069 has said yes")
    await alice.taps("Yes, us two")
    await winner.hears("can share lines now")
    assert pairs(house, alice, bob, charlie) == [(alice.id, winner.id)]
    await loser.says("/pair")
    await loser.hears(NAME)


async def test_unknown_code_may_be_a_line(house: House) -> None:
    bob, _ = await house.asked("Bob")
    await bob.says("mornings")
    await bob.hears("Kept, and")
    assert await house.lines(bob) == ["mornings"]
    await bob.says("ab1d-efgh")
    aside = await bob.hears(CODE_OR_LINE)
    await bob.taps("My line", aside)
    await bob.hears("Kept, and")
    assert await house.lines(bob) == ["mornings", "ab1d-efgh"]


async def test_mistyped_code_is_asked_about(house: House) -> None:
    alice = await house.settled("Alice")
    bob, _ = await house.asked("Bob")
    code = code_of(await invites(alice))
    digit = "A" if not any(map(str.isdecimal, code[:-1])) else ""
    for typed in (f"{code[:-1]}{digit}", f"code: {code[1:]}7", "k7qx9m2", "The code is K7QX-9M2PP"):
        await bob.says(typed)
        await bob.hears(CODE_OR_LINE)
    await bob.taps("A code")
    await bob.hears(NOWHERE)
    await bob.says(code)
    await bob.hears("would like to show you a line")
    assert not await house.lines(bob)


async def test_invitation_never_becomes_a_line(house: House) -> None:
    """With a question open, in whatever form the link or the code comes."""
    alice = await house.settled("Alice")
    bob, _ = await house.asked("Bob")
    invite = await invites(alice)
    link, code = link_of(invite), code_of(invite)
    bot, payload = house.telegram.world.bot["username"], link.rpartition("=")[2]
    for typed in (
        f"Would you try this with me? {link}",
        f"tg://resolve?domain={bot}&start={payload}",
        f"T.ME/{bot}?start={payload}",
        f"telegram.dog/{bot}?start={payload}",
        f"code: {code}",
        f"\u2068{code}\u2069",
        f"/join\n{code}",
        f"/join\u00a0{code}",
        f"\u200f/join {code}",
        f"/start\n{payload}",
        f"/start {link}",
        f"/join Bob sent me this:\n{link}",
        f"/pair {code}",
    ):
        await bob.says(typed)
        await bob.hears("would like to show you a line")
    await bob.says("Would you try this with me?", this=link)
    await bob.hears("would like to show you a line")
    await bob.says("/join here", here=link)
    await bob.hears("would like to show you a line")
    await bob.forwards(f"Would you try this with me? {link}")
    await bob.hears("would like to show you a line")
    await bob.forwards("😀 Would you try this with me?", this=link)
    await bob.hears("would like to show you a line")
    await bob.sends("photo", caption=f"Scan it, or tap {link}")
    await bob.hears("would like to show you a line")
    await bob.says("/join")
    await bob.hears("Send me the code")
    await bob.says(code.lower().replace("-", ""))
    await bob.hears("would like to show you a line")
    assert not await house.lines(bob)


async def test_edited_invitation_leaves_the_line(house: House) -> None:
    alice = await house.settled("Alice")
    bob, _ = await house.asked("Bob")
    link = link_of(await invites(alice))
    line = await bob.says("The dog waited at the door.")
    await bob.hears("Kept, and")
    await bob.edits(line, f"The dog waited. {link}")
    await bob.hears("would like to show you a line")
    assert await house.lines(bob) == ["The dog waited at the door."]


@pytest.mark.parametrize("way", ["says", "forwards"])
async def test_stranger_sends_a_hidden_link(house: House, way: str) -> None:
    alice = await house.settled("Alice")
    stranger = house.newcomer("Sam")
    await getattr(stranger, way)("Have a look here", here=link_of(await invites(alice)))
    await stranger.hears("would like to show you a line")
    await stranger.taps("Yes")
    await stranger.taps("Ask me too")
    assert is_question(await stranger.waits_for(is_question))


async def test_sentence_after_join_is_asked_about(house: House) -> None:
    bob, _ = await house.asked("Bob")
    await bob.says("/join")
    await bob.hears("Send me the code")
    await bob.says("The dog waited at the door.")
    await bob.taps("My line", await bob.hears(CODE_OR_LINE))
    await bob.hears("Kept, and")
    assert await house.lines(bob) == ["The dog waited at the door."]


async def test_stranger_pastes_the_whole_invitation(house: House) -> None:
    alice = await house.settled("Alice")
    invite = await invites(alice)
    link, code = link_of(invite), code_of(invite)
    bob = house.newcomer("Bob")
    await bob.says(f"/join\n{code}")  # a code could be guessed: it says nothing to a stranger
    await bob.hears(GREETING)
    await bob.says(f"My code is {code}")
    greeting = await bob.hears(GREETING)
    await bob.says(f"Would you try this with me?\n{link}")
    await bob.hears("would like to show you a line")
    await bob.says("Are you there?")
    await bob.hears("Open the link again.")
    await bob.taps(AGREE, greeting)
    await bob.hears("would like to show you a line")
    await bob.says(f"code: {code}")  # once more, in the middle of the start
    await bob.hears("would like to show you a line")
    await bob.taps("Yes")
    await bob.waits_for(is_question)
    await bob.taps(HOUR_FIRST)
    await bob.taps("20:30")
    await bob.hears("What time is it for you now?")
    await bob.says(f"Here again: {link}")
    await bob.hears("would like to show you a line")


async def test_link_is_no_answer_to_anything(house: House) -> None:
    """New words, a name or an hour are awaited, and still are afterwards."""
    alice = await house.settled("Alice")
    link = link_of(await invites(alice))
    bob, kept = await house.told(name="Bob")
    await bob.taps("Change", kept)
    await bob.hears("Send it the way you want it")
    await bob.says(f"{link} Join me?")
    await bob.hears("would like to show you a line")
    await bob.says("The dog waited.")
    await bob.hears("Changed, and")
    await bob.says("/time")
    await bob.hears("I ask at")
    await bob.says(link)
    await bob.hears("would like to show you a line")
    assert await house.lines(bob) == ["The dog waited."]


async def test_no_from_the_inviter_tells_nobody(house: House) -> None:
    alice, bob = await two(house)
    await follows_and_accepts(bob, link_of(await invites(alice)))
    await alice.hears("has said yes")
    seen_by_bob = [(seen.message_id, seen.text) for seen in bob.sees]
    await alice.taps("No")
    await alice.hears("They are not told")
    await house.caught_up()
    assert [(seen.message_id, seen.text) for seen in bob.sees] == seen_by_bob
    assert not pairs(house, alice, bob)


async def test_unconfirmed_yes_can_be_withdrawn(house: House) -> None:
    alice, bob = await two(house)
    await follows_and_accepts(bob, link_of(await invites(alice)))
    asked = await alice.hears("has said yes")
    await bob.taps("Take my yes back")
    await bob.hears("Taken back.")
    await alice.taps("Yes, us two", asked)
    await alice.hears("Nobody is waiting for your answer now.")
    assert not pairs(house, alice, bob)


async def test_outsider_learns_nothing_of_a_pair(house: House) -> None:
    alice, bob = await two(house)
    await pair_up(alice, bob)
    charlie = await house.settled("Charlie")
    link = link_of(await invites(charlie))
    charlies = [(seen.message_id, seen.text) for seen in charlie.sees]
    await bob.follows(link)
    assert "Alice" in (await bob.hears("and that stays as it is")).text
    await bob.says("/pair")
    await bob.hears("and that stays as it is")
    await house.caught_up()
    assert [(seen.message_id, seen.text) for seen in charlie.sees] == charlies
    assert pairs(house, alice, bob, charlie) == [(alice.id, bob.id)]


async def test_sharing_reveals_the_end(house: House) -> None:
    alice, bob = await two(house)
    await pair_up(alice, bob)
    await alice.says("/unpair")
    warned = await alice.hears("End sharing with")
    assert "gets no message now" in warned.text
    assert pairs(house, alice, bob)
    seen_by_bob = [(seen.message_id, seen.text, seen.buttons) for seen in bob.sees]
    await alice.taps("End it now")
    hers = await alice.hears(ENDED)
    assert not pairs(house, alice, bob)
    house.telegram.advance(minutes=10)
    await house.caught_up()
    assert [(seen.message_id, seen.text, seen.buttons) for seen in bob.sees] == seen_by_bob
    await bob.says("/unpair")
    assert (await bob.hears(ENDED)).text == hers.text
    await bob.says("/unpair")
    await bob.hears(NOBODY)


async def test_pairing_again_needs_both(house: House) -> None:
    alice, bob = await two(house)
    await pair_up(alice, bob)
    await bob.says("/unpair")
    await bob.taps("End it now")
    await bob.hears(ENDED)
    await bob.says("/pair")
    link = link_of(await bob.hears("Pass this link on"))
    await alice.follows(link)
    asked = await alice.hears("would like to show you a line")
    assert asked.text.startswith(ENDED)
    assert not pairs(house, alice, bob)
    await alice.taps("Yes")
    await bob.hears("has said yes")
    assert not pairs(house, alice, bob)
    await bob.taps("Yes, us two")
    await alice.hears("can share lines now")


async def test_charlies_forged_buttons_do_nothing(house: House) -> None:
    alice, bob = await two(house)
    charlie = await house.settled("Charlie")
    await follows_and_accepts(bob, link_of(await invites(alice)))
    asked = await alice.hears("has said yes")
    ((invite_id,),) = house.stored("SELECT id FROM invites WHERE user_id = ?", alice.id)
    mark = await charlie.says("/help")
    await charlie.hears("One small question a day")

    async def forge(subject: int) -> set[str]:
        for action in ("pair_yes", "pair_no", "guest_yes", "guest_no", "pair_rename", "unpair", "stay"):
            await charlie.taps_data(mark + 1, f"v1:{action}:{subject}")
            await charlie.answered()
        for bad in ("v1:pair_yes:", "v1:pair_yes:-1", "v1:pair_yes:9" + "9" * 30, "v1:guest_yes:x", "v0:pair_yes:1"):
            await charlie.taps_data(mark + 1, bad)
            await charlie.answered()
        return {seen.text for seen in charlie.sees}

    seen = await forge(invite_id)
    await alice.taps("Yes, us two", asked)
    await bob.hears("can share lines now")
    ((pair_id,),) = house.stored("SELECT id FROM pairs WHERE a = ?", alice.id)
    seen |= await forge(pair_id)
    assert pairs(house, alice, bob, charlie) == [(alice.id, bob.id)]
    assert not any("Alice" in text or "Bob" in text for text in seen)


async def test_pairing_survives_every_kill(house_of_its_own: Make) -> None:
    """An act is in flight when SIGKILL comes. Kills between two statements: services/test_pairing_killed."""
    async with house_of_its_own() as house:
        alice, bob = await two(house)

        async def killed_during(act: Any) -> None:
            await act
            await asyncio.sleep(0.01)
            await house.bot.kill()
            check(house)
            await house.bot.start()
            check(house)

        await killed_during(bob.follows(link_of(await invites(alice))))
        await killed_during(bob.taps("Yes", await bob.hears("would like to show you a line")))
        await bob.hears("is asked in turn")
        await killed_during(alice.taps("Yes, us two", await alice.hears("has said yes")))
        await alice.hears("can share lines now")
        await bob.hears("can share lines now")
        assert pairs(house, alice, bob) == [(alice.id, bob.id)]
        await alice.says("/unpair")
        await killed_during(alice.taps("End it now", await alice.hears("End sharing with")))
        # Killed between the journal of endings and the commit: the next start ends it, and the tap finds no Pair.
        await alice.waits_for(lambda seen: ENDED in seen.text or NOBODY in seen.text)
        assert not pairs(house, alice, bob)
        await bob.says("/unpair")
        await bob.hears(ENDED)


def check(house: House) -> None:
    """Every Pair has its two members, no member is without a Pair, and no Invite of theirs is open beside it."""
    found = house.stored("SELECT id, a, b FROM pairs")
    members = sorted(house.stored("SELECT pair_id, user_id FROM pair_members"))
    assert members == sorted((pair_id, user_id) for pair_id, *two in found for user_id in two)
    paired = {user_id for _, user_id in members}
    for maker, guest in house.stored("SELECT user_id, guest_id FROM invites"):
        assert not {maker, guest} & paired
