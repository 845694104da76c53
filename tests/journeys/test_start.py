"""The start: consent, the hour, the clock or the city; left at any point and resumed."""

import pytest

from bot.i18n import negotiate, say_in
from tests.journeys.house import AGREE, House, is_question, questions
from tests.standin import Person

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODES = ("polling", "webhook")
GREETING = "Ajar asks you one small question a day"
HOUR = "When shall I ask you?"
CLOCK = "What time is it for you now?"


async def test_two_questions_and_then_one_can_try(house: House) -> None:
    alice = house.newcomer()
    await alice.says("/start")
    greeting = await alice.hears(GREETING)
    assert "Telegram can technically read" in greeting.text
    assert "18" in greeting.buttons[0][0]
    await alice.taps(AGREE)
    assert (await alice.hears(HOUR)).message_id > greeting.message_id
    await alice.taps("08:00")
    await alice.hears(CLOCK)
    await alice.taps("09:00")
    await alice.hears("nearest to you")
    await alice.taps("Lisbon")
    await alice.hears("tomorrow at 08:00, by the clock of Lisbon")
    await alice.hears("Want to try one now?")
    await alice.taps("Yes, one now")
    assert is_question(await alice.waits_for(is_question))


async def test_declining_leaves_nothing(house: House) -> None:
    alice = house.newcomer()
    await alice.says("/start")
    await alice.taps("Not now")
    await alice.hears("Nothing was stored")
    assert not house.remembers(alice)
    await alice.says("Hello?")
    await alice.hears(GREETING)
    assert not house.remembers(alice)


async def test_declining_allows_coming_back(house: House) -> None:
    alice = house.newcomer()
    await alice.says("/start")
    await alice.taps("Not now")
    await alice.hears("Nothing was stored")
    await alice.says("/start")
    await alice.taps(AGREE)
    await alice.hears(HOUR)
    assert house.remembers(alice)


async def test_what_is_stored_can_be_read_before_agreeing(house: House) -> None:
    alice = house.newcomer()
    await alice.says("/start")
    greeting = await alice.hears(GREETING)
    await alice.taps("What is stored")
    stored = await alice.hears("What is stored.")
    assert stored.message_id == greeting.message_id
    assert stored.buttons == [[AGREE], ["Back", "Not now"]]
    await alice.taps("Back")
    back = await alice.hears(GREETING)
    assert (back.message_id, back.buttons) == (greeting.message_id, greeting.buttons)
    assert not house.remembers(alice)


@pytest.mark.parametrize("read_first", [False, True])
@pytest.mark.parametrize(("choice", "answer"), [(AGREE, HOUR), ("Not now", "Nothing was stored")])
async def test_answer_to_the_greeting_is_below_it(house: House, choice: str, answer: str, *, read_first: bool) -> None:
    """What was agreed to can still be read above, and nothing happens out of sight."""
    alice = house.newcomer()
    await alice.says("/start")
    greeting = shown = await alice.hears(GREETING)
    if read_first:
        await alice.taps("What is stored")
        shown = await alice.hears("What is stored.")
    await alice.taps(choice)
    below = await alice.hears(answer)
    assert below.message_id > greeting.message_id
    await house.telegram.until(lambda: not (alice.message(shown.message_id) or shown).labels)
    left = alice.message(shown.message_id)
    assert left
    assert (left.text, left.labels) == (shown.text, [])


async def test_invitation_survives_reading_what_is_stored(house: House) -> None:
    alice = await house.settled()
    await alice.says("/pair")
    await alice.taps("Yes", await alice.hears("First your name"))
    invite = await alice.hears("Pass this link on")
    keys = [key for row in invite.markup["inline_keyboard"] for key in row]
    bob = house.newcomer("Bob")
    await bob.follows(next(key["copy_text"]["text"] for key in keys if "copy_text" in key))
    for step in ("What is stored", "Back", "What is stored", AGREE):
        await bob.taps(step)
        await bob.waits_for(lambda seen: bool(seen.labels))
    await bob.hears("then the invitation you came with")


@pytest.mark.parametrize(("button", "at"), [("08:00", "08:00"), ("12:30", "12:30"), ("20:30", "20:30")])
async def test_hour_is_tapped(house: House, button: str, at: str) -> None:
    alice = await house.consenting()
    await alice.taps(button)
    await alice.hears(CLOCK)
    assert house.stored("SELECT ask_at FROM users WHERE id = ?", alice.id) == [(at,)]


@pytest.mark.parametrize(("typed", "at"), [("7:45", "07:45"), ("19.30", "19:30"), ("8 pm", "20:00")])
async def test_other_hour_is_typed_like_the_examples(house: House, typed: str, at: str) -> None:
    alice = await house.consenting()
    await alice.taps("Another time")
    await alice.hears("At what time?")
    await alice.says(typed)
    await alice.hears(CLOCK)
    assert house.stored("SELECT ask_at FROM users WHERE id = ?", alice.id) == [(at,)]


async def test_unreadable_hour_is_asked_for_again(house: House) -> None:
    alice = await house.consenting()
    for unreadable in ("whenever", "25:00", "99", "8" * 4000):
        await alice.says(unreadable)
        again = await alice.hears("I couldn't read that as a time.")
        assert "20:30" in again.labels
    await alice.says("half past eight in the evening")
    await alice.hears(CLOCK)


async def _at_the_clock(house: House) -> Person:
    alice = await house.consenting()
    await alice.taps("20:30")
    await alice.hears(CLOCK)
    return alice


async def _zone(house: House, alice: Person) -> str:
    ((zone,),) = house.stored("SELECT zone FROM users WHERE id = ?", alice.id)
    return str(zone)


async def test_typed_city_shows_its_clock(house: House) -> None:
    alice = await _at_the_clock(house)
    await alice.says("stuttgart")
    await alice.hears("It is now 10:00 in Stuttgart, Germany. Is that your clock?")
    await alice.taps("Yes")
    await alice.hears("by the clock of Berlin")
    assert await _zone(house, alice) == "Europe/Berlin"


async def test_ambiguous_city_is_chosen_from_a_list(house: House) -> None:
    alice = await _at_the_clock(house)
    await alice.says("Springfield")
    found = await alice.hears("Which one is it?")
    place = next(label for label in found.labels if "Springfield" in label)
    assert " · " in place
    await alice.taps(place)
    await alice.hears("by the clock of")
    assert (await _zone(house, alice)).startswith("America/")


async def test_wrong_city_leads_back_to_the_clocks(house: House) -> None:
    alice = await _at_the_clock(house)
    await alice.says("Lisbon")
    await alice.taps("No")
    await alice.hears(CLOCK)
    await alice.says("Springfield")
    await alice.taps("None of these")
    await alice.hears(CLOCK)


async def test_unknown_city_is_reported_and_the_clocks_stay(house: House) -> None:
    alice = await _at_the_clock(house)
    for unknown in ("Xyzzyville-on-Nowhere", "x" * 500, "Lissabon?" * 20):
        await alice.says(unknown)
        again = await alice.hears("I don't know that place.")
        assert "09:00" in again.labels


async def test_shared_location_is_enough(house: House) -> None:
    alice = await _at_the_clock(house)
    await alice.taps("Type a city or share a location")
    await alice.hears("Only the time zone is kept, not the place.")
    assert [[key.get("request_location") for key in row] for row in alice.keyboard] == [[True]]
    await alice.sends("location", latitude=35.68, longitude=139.69)
    await alice.hears("It is now 18:00 in Tokyo")
    await alice.taps("Yes")
    await alice.hears("by the clock of Tokyo")
    assert await _zone(house, alice) == "Asia/Tokyo"


async def test_location_keyboard_goes_away_when_done(house: House) -> None:
    alice = await _at_the_clock(house)
    await alice.taps("Type a city or share a location")
    await alice.hears("share your location")
    assert alice.keyboard
    await alice.says("Lisbon")
    await alice.taps("Yes")
    await alice.hears("That's all I need.")
    assert not alice.keyboard


async def test_location_on_the_open_sea_gives_a_clock(house: House) -> None:
    alice = await _at_the_clock(house)
    await alice.sends("location", latitude=0.0, longitude=-30.0)
    said = await alice.waits_for(lambda seen: bool(seen.labels))
    assert "Is that your clock?" in said.text or "I don't know that place." in said.text


async def test_clock_time_leads_to_a_city(house: House) -> None:
    alice = await _at_the_clock(house)
    await alice.taps("14:30")  # half an hour apart: India
    await alice.hears("Summer time differs")
    await alice.taps("Kolkata")
    await alice.hears("today at 20:30, by the clock of Kolkata")
    assert await _zone(house, alice) == "Asia/Kolkata"


async def test_clock_time_can_be_typed(house: House) -> None:
    alice = await _at_the_clock(house)
    await alice.says("14:27")  # by a clock that is a little slow
    assert "Kolkata" in (await alice.hears("Summer time differs")).labels
    await alice.says("11 pm")  # in Honolulu, and a day later in Kiritimati
    assert {"Honolulu", "Kiritimati"} <= set((await alice.hears("Which of these is nearest")).labels)
    await alice.says("11:11")
    await alice.hears("I don't know that place.")


async def test_typing_works_after_the_list_of_cities(house: House) -> None:
    alice = await _at_the_clock(house)
    await alice.taps("10:00")
    await alice.taps("Somewhere else")
    await alice.hears("Type the name of your city")
    await alice.says("Oslo")
    await alice.taps("Yes")
    await alice.hears("That's all I need.")
    assert await _zone(house, alice) in {"Europe/Oslo", "Europe/Berlin"}


async def test_every_offered_clock_leads_to_cities_that_show_it(house: House) -> None:
    alice = await _at_the_clock(house)
    clocks = [label for label in alice.last.labels if ":" in label]
    assert len(clocks) > 30
    for clock in clocks[::6]:
        await alice.taps(clock)
        cities = await alice.hears("nearest to you")
        assert len(cities.labels) >= 2
        await alice.taps("Somewhere else")
        await alice.hears("Type the name of your city")
        await alice.says("/start")
        await alice.hears(CLOCK)


async def test_question_comes_at_the_hour(house: House) -> None:
    alice = await house.settled()
    await alice.taps("I'll wait")
    await alice.hears("Your first question comes today at 20:30.")
    assert not questions(alice)
    await house.moves_on(alice, hours=11, minutes=31)
    assert len(questions(alice)) == 1


@pytest.mark.parametrize("nudge", ["/start", "Hello?", "/today", "/pause", "/resume", "/start abc_DEF-123"])
async def test_start_resumes_at_any_step(house: House, nudge: str) -> None:
    alice = house.newcomer()
    await alice.says(nudge)
    await alice.hears(GREETING)
    await alice.says(nudge)
    await alice.hears(GREETING)
    await alice.taps(AGREE)
    await alice.hears(HOUR)
    await alice.says(nudge)
    await alice.hears("I couldn't read that as a time." if nudge == "Hello?" else HOUR)
    await alice.taps("12:30")
    await alice.hears(CLOCK)
    if nudge == "Hello?":
        await alice.says("Nowhereatall")
        await alice.hears("I don't know that place.")
    else:
        await alice.says(nudge)
        await alice.hears(CLOCK)


@pytest.mark.parametrize("kind", ["photo", "voice", "sticker", "location", "contact", "dice"])
async def test_media_does_no_harm_at_any_step(house: House, kind: str) -> None:
    place = {"latitude": 48.1, "longitude": 11.6} if kind == "location" else {}
    alice = house.newcomer()
    await alice.sends(kind, **place)
    await alice.hears(GREETING)
    await alice.taps(AGREE)
    await alice.hears(HOUR)
    await alice.sends(kind, **place)
    await alice.hears("I couldn't read that as a time.")
    await alice.taps("20:30", alice.last)
    await alice.hears(CLOCK)
    await alice.sends(kind, **place)
    await alice.hears("Is that your clock?" if place else "I don't know that place.")


async def test_general_commands_work_at_every_step(house: House) -> None:
    alice = house.newcomer()

    async def tries_all() -> None:
        for command, answer in (
            ("/help", "One small question a day"),
            ("/support", "Nobody reads along here"),
            ("/privacy", "What is stored."),
            ("/cancel", "There is nothing to cancel."),
            ("/frobnicate", "I don't know that command."),
        ):
            await alice.says(command)
            await alice.hears(answer)

    await tries_all()
    assert not house.remembers(alice)
    await alice.says("/start")
    await tries_all()
    await alice.taps(AGREE)
    await alice.hears(HOUR)
    await tries_all()
    await alice.taps("20:30")
    await alice.hears(CLOCK)
    await tries_all()
    await alice.says("Lisbon")
    await alice.taps("Yes")
    await alice.hears("That's all I need.")
    await tries_all()


async def test_old_start_buttons_show_the_next_step(house: House) -> None:
    alice = house.newcomer()
    await alice.says("/start")
    old = await alice.hears(GREETING)
    await alice.says("/start")
    newer = await alice.hears(GREETING)
    await alice.taps(AGREE, newer)
    hours = await alice.hears(HOUR)
    await alice.taps(AGREE, old)
    await alice.hears(HOUR)
    await alice.taps("20:30")
    await alice.hears(CLOCK)
    await alice.says("/start")
    await alice.taps("08:00", hours)
    await alice.hears(CLOCK)
    assert house.stored("SELECT ask_at FROM users WHERE id = ?", alice.id) == [("20:30",)]


async def test_start_again_shows_the_present_state(house: House) -> None:
    alice = await house.settled()
    await alice.says("/start")
    again = await alice.hears("You're all set.")
    assert again.labels == ["Today's question"]
    await alice.taps("Today's question")
    await alice.waits_for(is_question)


@pytest.mark.parametrize("code", ["en", "en-GB", "de", "de-at", "pt-br", "zh-hans", "tlh", ""])
async def test_greeting_uses_telegrams_language(house: House, code: str) -> None:
    alice = house.newcomer(language_code=code)
    say = say_in(negotiate(code))
    await alice.says("/start")
    await alice.hears(say("Ajar asks you one small question a day, and you answer in one line."))
    await alice.taps(say("I'm 18 or older, and I agree"))
    await alice.hears(say("When shall I ask you? Pick a quiet minute of your day. You can change it any time."))
    assert house.stored("SELECT language FROM users WHERE id = ?", alice.id) == [(say.language,)]


async def test_missing_language_is_english(house: House) -> None:
    alice = house.newcomer()
    del alice.chat.user["language_code"]
    await alice.says("/start")
    await alice.hears(GREETING)


async def test_deep_link_greets_like_any_start(house: House) -> None:
    alice = house.newcomer()
    await alice.follows(f"https://t.me/{house.telegram.world.bot['username']}?start=from-a_Friend42")
    await alice.hears(GREETING)
    assert not house.remembers(alice)
