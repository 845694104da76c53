"""The start: consent, the first question, the hour, the clock; left at any point and resumed."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.i18n import negotiate, say_in
from tests.journeys.house import AGREE, HOUR_FIRST, House, is_question, questions, until
from tests.samples import sampled
from tests.standin import Person, Seen

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODES = sampled(("polling",), ("polling", "webhook"))
"""The journeys of test_answer.py and test_always.py begin with a start through the webhook anyway."""
GREETING = "One small question a day"
HOUR = "When should I ask you?"
TOMORROW = "When should I ask tomorrow?"
CLOCK = "What time is it for you now?"
READY = "That's all I need."
LINE = "In my shoulders, mostly."


async def _asked_first(house: House, name: str = "Alice", **user: str) -> tuple[Person, Seen]:
    """Return somebody who has agreed, and the first question they are asked."""
    alice = house.newcomer(name, **user)
    say = say_in(negotiate(user.get("language_code", "en")))
    await alice.says("/start")
    await alice.taps(say("I'm 18 or older; keep my lines"))
    return alice, await alice.waits_for(lambda seen: say("One line is enough. Just write it.") in seen.text)


@pytest.mark.parametrize("language", ["en", "de"])
async def test_few_taps_reach_the_next_question(house: House, language: str) -> None:
    """Two taps and one line to the first kept line, at most four taps to the first scheduled Ask."""
    say = say_in(language)
    alice = house.newcomer(language_code=language)
    taps = 0

    async def taps_on(label: str) -> None:
        nonlocal taps
        taps += 1
        await alice.taps(label)

    await alice.says("/start")
    taps += 1  # Telegram's own button
    greeting = await alice.hears(say("One small question a day, one line back: twenty seconds. Like this:"))
    await taps_on(say("I'm 18 or older; keep my lines"))
    question = await alice.hears(say("One line is enough. Just write it."))
    assert question.message_id > greeting.message_id
    await alice.says(LINE)
    kept = await alice.hears(say("Kept, and shown to nobody.") + " " + say("That was all of it."))
    assert taps <= 2
    assert len(kept.labels) > 2
    assert await house.lines(alice) == [LINE]
    assert say("When should I ask tomorrow?") in kept.text
    await taps_on("20:30")
    clocks = await alice.hears(say("What time is it for you now? Tap your clock, or type the name of your town."))
    assert len(clocks.labels) <= 9
    await taps_on(next(label for label in clocks.labels if label.startswith("Berlin ")))
    await alice.hears(say("tomorrow at %(clock)s", clock="20:30"))
    assert taps <= 4
    today = house.telegram.now.date()
    tomorrow = today + timedelta(days=1)
    assert house.asks(alice) == [(f"{today}", "answered")]
    assert house.stored("SELECT next_ask_day FROM users WHERE id = ?", alice.id) == [(f"{tomorrow}",)]
    house.telegram.advance(timedelta(days=1, hours=10, minutes=31))
    await until(lambda: house.asks(alice)[-1] == (f"{tomorrow}", "open"), "the next question")


async def test_first_line_can_be_changed(house: House) -> None:
    alice, _ = await _asked_first(house)
    await alice.says(LINE)
    await alice.taps("Change", await alice.hears("Kept, and"))
    await alice.hears("Send it the way you want it.")
    await alice.says("In my neck.")
    changed = await alice.hears("Changed, and")
    assert TOMORROW in changed.text
    assert await house.lines(alice) == ["In my neck."]


async def test_deleting_the_first_line_reopens_the_question(house: House) -> None:
    alice, question = await _asked_first(house)
    message = await alice.says(LINE)
    await alice.taps("Another time", await alice.hears("Kept, and"))
    await alice.hears("At what time?")
    await alice.edits(message, "In my neck.")
    await alice.taps("Delete", await alice.hears("Changed, and"))
    await alice.taps("Delete it")
    again = await alice.hears("The question is still open:")
    assert again.text.startswith("Deleted. ")
    assert await house.lines(alice) == []
    assert question.text in again.text
    assert again.labels == question.labels
    await alice.says("In my neck, 2 days now.")
    await alice.hears("Kept, and")
    assert await house.lines(alice) == ["In my neck, 2 days now."]


async def test_deleting_the_first_line_leaves_the_clock_to_set(house: House) -> None:
    alice, _ = await _asked_first(house)
    message = await alice.says(LINE)
    await alice.taps("08:00", await alice.hears("Kept, and"))
    await alice.hears(CLOCK)
    await alice.edits(message, "In my neck.")
    await alice.taps("Delete", await alice.hears("Changed, and"))
    await alice.taps("Delete it")
    assert CLOCK in (await alice.hears("Deleted.")).text


async def test_first_line_follows_an_edited_message(house: House) -> None:
    alice, _ = await _asked_first(house)
    message = await alice.says(LINE)
    await alice.hears("Kept, and")
    await alice.edits(message, "In my neck.")
    await alice.hears("Changed, and")
    await alice.taps("08:00")
    await alice.hears(CLOCK)
    await alice.edits(message, "In my back.")
    await alice.hears("Changed, and")
    assert await house.lines(alice) == ["In my back."]


async def test_too_long_first_line_waits(house: House) -> None:
    alice, question = await _asked_first(house)
    await alice.says("x" * 301)
    await alice.hears("That's 301 characters")
    await alice.taps("Don't keep it")
    again = await alice.hears("Not kept. The question is still open:")
    assert question.text in again.text
    assert again.labels == question.labels
    await alice.says("x" * 301)
    await alice.hears("That's 301 characters")
    await alice.taps("Keep the first 300")
    kept = await alice.hears("Kept, and")
    assert TOMORROW in kept.text


async def test_another_first_question(house: House) -> None:
    alice, question = await _asked_first(house)
    await alice.taps("Another one")
    other = await alice.waits_for(is_question)
    assert other.message_id == question.message_id
    assert other.text != question.text
    await alice.says(LINE)
    assert TOMORROW in (await alice.hears("Kept, and")).text


async def test_question_left_open_is_answered_later(house: House) -> None:
    alice, question = await _asked_first(house)
    await alice.taps(HOUR_FIRST)
    await alice.hears(HOUR)
    await alice.says("7:45")
    await alice.hears(CLOCK)
    await alice.says(LINE, reply_to=question)
    kept = await alice.hears("Kept, and")
    assert CLOCK in kept.text
    await alice.says("Lisbon")
    await alice.taps("Yes")
    await alice.hears(READY)
    assert house.asks(alice) == [(f"{house.telegram.now.date()}", "answered")]


@pytest.mark.parametrize(
    ("typed", "then"), [("8pm", CLOCK), ("20:30", CLOCK), ("noon", CLOCK), ("25:00", "I couldn't read that as a time.")]
)
async def test_time_typed_at_the_question_is_queried(house: House, typed: str, then: str) -> None:
    alice, _ = await _asked_first(house)
    await alice.says(typed)
    asked = await alice.hears("Is that the time at which I should ask you, or your line?")
    assert await house.lines(alice) == []
    await alice.taps("The time", asked)
    await alice.hears(then)
    assert await house.lines(alice) == []


async def test_time_typed_at_the_question_may_be_the_line(house: House) -> None:
    alice, _ = await _asked_first(house)
    message = await alice.says("10:15")
    await alice.hears("or your line?")
    await alice.edits(message, "10:30")
    asked = await alice.hears("or your line?")
    assert await house.lines(alice) == []
    await alice.taps("My line", asked)
    assert TOMORROW in (await alice.hears("Kept, and")).text
    assert await house.lines(alice) == ["10:30"]


@pytest.mark.parametrize("line", [LINE, "Dinner for 6, and I liked it.", "I slept 8 hours."])
async def test_line_typed_at_the_hour_counts(house: House, line: str) -> None:
    alice, _ = await _asked_first(house)
    await alice.taps(HOUR_FIRST)
    await alice.hears(HOUR)
    await alice.says(line)
    assert TOMORROW in (await alice.hears("Kept, and")).text
    assert await house.lines(alice) == [line]


async def test_time_that_does_not_exist_is_no_line(house: House) -> None:
    alice, _ = await _asked_first(house)
    await alice.taps(HOUR_FIRST)
    await alice.hears(HOUR)
    await alice.says("25:00")
    await alice.hears("I couldn't read that as a time.")
    assert await house.lines(alice) == []


@pytest.mark.parametrize("line", ["Dinner at 8 pm", "Slept 8 hours", "at 25"])
async def test_text_with_a_time_in_it_is_queried_at_the_hour(house: House, line: str) -> None:
    alice, _ = await _asked_first(house)
    await alice.taps(HOUR_FIRST)
    await alice.hears(HOUR)
    await alice.says(line)
    asked = await alice.hears("or your line?")
    assert await house.lines(alice) == []
    await alice.taps("My line", asked)
    assert TOMORROW in (await alice.hears("Kept, and")).text
    assert await house.lines(alice) == [line]


async def test_second_text_is_not_taken_for_the_hour(house: House) -> None:
    """Whoever has more to say while the hour is asked can keep it, and is asked for the hour again."""
    alice, _ = await _asked_first(house)
    await alice.says(LINE)
    await alice.hears(TOMORROW)
    await alice.says("Dinner at 8 pm was late")
    asked = await alice.hears("or your line?")
    await alice.taps("My line", asked)
    await alice.hears("Kept")
    assert await house.lines(alice) == [LINE, "Dinner at 8 pm was late"]
    await alice.says("at 8")
    await alice.hears(CLOCK)
    assert house.stored("SELECT ask_at FROM users WHERE id = ?", alice.id) == [("08:00",)]


@pytest.mark.parametrize(("choice", "kept"), [("Keep as another", [LINE, "And tired."]), ("Replace", ["And tired."])])
async def test_second_text_without_a_time_is_not_asked_about_as_one(house: House, choice: str, kept: list[str]) -> None:
    alice, _ = await _asked_first(house)
    await alice.says(LINE)
    await alice.hears(TOMORROW)
    await alice.says("And tired.")
    await alice.taps(choice, await alice.hears("There is a line to this question already:"))
    assert "20:30" in (await alice.hears(TOMORROW)).labels
    assert await house.lines(alice) == kept


async def test_long_second_text_is_not_asked_about_as_a_time(house: House) -> None:
    alice, _ = await _asked_first(house)
    await alice.says(LINE)
    await alice.hears(TOMORROW)
    await alice.says("Tired and more tired. " * 20)
    await alice.taps("Don't keep it", await alice.hears("That's 439 characters"))
    await alice.hears(TOMORROW)


async def test_hour_and_clock_may_come_first(house: House) -> None:
    alice = await house.settled(hour="08:00")
    await alice.taps("Yes, one now")
    assert is_question(await alice.waits_for(is_question))


async def test_declining_leaves_nothing(house: House) -> None:
    alice = house.newcomer()
    await alice.says("/start")
    await alice.taps("Not now")
    await alice.hears("Nothing was stored")
    await house.forgets(alice)
    await alice.says("Hello?")
    await alice.hears(GREETING)
    await house.forgets(alice)


async def test_declining_allows_coming_back(house: House) -> None:
    alice = house.newcomer()
    await alice.says("/start")
    await alice.taps("Not now")
    await alice.hears("Nothing was stored")
    await alice.says("/start")
    await alice.taps(AGREE)
    await alice.waits_for(is_question)
    assert house.remembers(alice)


async def test_stored_data_is_explained_before_agreeing(house: House) -> None:
    alice = house.newcomer()
    await alice.says("/start")
    greeting = await alice.hears(GREETING)
    await alice.taps("What is stored")
    stored = await alice.hears("What is stored.")
    assert stored.message_id == greeting.message_id
    assert stored.buttons == [[AGREE], ["Back", "Not now"], ["The whole policy"]]
    await alice.taps("Back")
    back = await alice.hears(GREETING)
    assert (back.message_id, back.buttons) == (greeting.message_id, greeting.buttons)
    await house.forgets(alice)


@pytest.mark.parametrize("read_first", [False, True])
@pytest.mark.parametrize(("choice", "answer"), [(AGREE, "One line is enough."), ("Not now", "Nothing was stored")])
async def test_greeting_is_answered_below(house: House, choice: str, answer: str, *, read_first: bool) -> None:
    """The text that they agreed to can still be read above, and nothing happens out of sight."""
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
    await alice.taps("Yes", await alice.hears("Is that right?"))
    invite = await alice.hears("Pass this link on")
    keys = [key for row in invite.markup["inline_keyboard"] for key in row]
    bob = house.newcomer("Bob")
    await bob.follows(next(key["copy_text"]["text"] for key in keys if "copy_text" in key))
    await bob.taps("Yes")
    for step in ("What is stored", AGREE):
        await bob.taps(step)
        await bob.waits_for(lambda seen: bool(seen.labels))
    await bob.hears("would like to show you a line")


@pytest.mark.parametrize(("button", "at"), [("08:00", "08:00"), ("12:30", "12:30"), ("20:30", "20:30")])
async def test_hour_is_tapped(house: House, button: str, at: str) -> None:
    alice = await house.consenting()
    await alice.taps(button)
    await alice.hears(CLOCK)
    assert house.stored("SELECT ask_at FROM users WHERE id = ?", alice.id) == [(at,)]


@pytest.mark.parametrize(("typed", "at"), [("7:45", "07:45"), ("19.30", "19:30"), ("8 pm", "20:00")])
async def test_other_hour_is_typed(house: House, typed: str, at: str) -> None:
    alice = await house.consenting()
    await alice.taps("Another time")
    await alice.hears("At what time?")
    await alice.says(typed)
    await alice.hears(CLOCK)
    assert house.stored("SELECT ask_at FROM users WHERE id = ?", alice.id) == [(at,)]


async def test_unreadable_hour_is_asked_for_again(house: House) -> None:
    alice, _ = await _asked_first(house)
    await alice.says(LINE)
    await alice.hears(TOMORROW)
    for unreadable in ("25:00", "whenever", "99", "8" * 4000):
        await alice.says(unreadable)
        if unreadable in {"whenever", "99"}:
            await alice.taps("The time", await alice.hears("or your line?"))
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
    await alice.hears("Berlin time")
    assert await _zone(house, alice) == "Europe/Berlin"


async def test_ambiguous_city_is_chosen(house: House) -> None:
    alice = await _at_the_clock(house)
    await alice.says("Springfield")
    found = await alice.hears("Which one is it?")
    towns = [label for label in found.labels if "Springfield" in label]
    assert len({town.partition(" · ")[0] for town in towns}) == len(towns) > 3
    await alice.taps(next(town for town in towns if "Illinois · 03:" in town))
    await alice.hears(" time.")
    assert (await _zone(house, alice)).startswith("America/")


async def test_wrong_city_leads_back(house: House) -> None:
    alice = await _at_the_clock(house)
    await alice.says("Lisbon")
    await alice.taps("No")
    await alice.hears(CLOCK)
    await alice.says("Springfield")
    await alice.taps("None of these")
    await alice.hears(CLOCK)


async def test_unknown_city_keeps_the_clocks(house: House) -> None:
    alice = await _at_the_clock(house)
    for unknown in ("Xyzzyville-on-Nowhere", "x" * 500, "Lissabon?" * 20):
        await alice.says(unknown)
        again = await alice.hears("I don't know that place.")
        assert "Somewhere else" in again.labels


async def test_shared_location_is_enough(house: House) -> None:
    alice = await _at_the_clock(house)
    await alice.taps("Somewhere else")
    await alice.taps("Share my location")
    await alice.hears("Only the time zone is kept, not the place.")
    assert [[key.get("request_location") for key in row] for row in alice.keyboard] == [[True], [None]]
    await alice.sends("location", latitude=35.68, longitude=139.69)
    await alice.hears("It is now 18:00 in Tokyo")
    await alice.taps("Yes")
    await alice.hears("Tokyo time")
    assert await _zone(house, alice) == "Asia/Tokyo"


async def test_location_keyboard_goes_away_when_done(house: House) -> None:
    alice = await _at_the_clock(house)
    await alice.taps("Somewhere else")
    await alice.taps("Share my location")
    await alice.hears("share your location")
    assert alice.keyboard
    await alice.says("Lisbon")
    await alice.taps("Yes")
    await alice.hears("That's all I need.")
    assert not alice.keyboard


async def test_clock_steps_have_a_way_back(house: House) -> None:
    alice = await _at_the_clock(house)
    await alice.taps("Somewhere else")
    await alice.hears("Type the name of your town")
    await alice.taps("Back")
    await alice.hears(CLOCK)
    await alice.taps("Somewhere else")
    await alice.taps("List by region")
    await alice.taps("Asia")
    await alice.hears("Asia: tap the city")
    await alice.taps("Back")
    await alice.hears("Which part of the world?")
    await alice.taps("Back")
    await alice.taps("Share my location", await alice.hears("Type the name of your town"))
    await alice.hears("share your location")
    assert alice.keyboard[1] == [{"text": "Back"}]
    await alice.says("Back")
    await alice.hears(CLOCK)
    assert not alice.keyboard


@pytest.mark.parametrize(
    ("code", "zone", "here", "further"),
    [
        ("de", "Europe/Berlin", "Berlin", ()),
        ("en", "Europe/Berlin", "Berlin", ()),
        ("en", "Asia/Kolkata", "Kolkata", ()),
        ("hi", "Asia/Kolkata", "Kolkata", ()),
        ("pt-br", "America/Sao_Paulo", "Sao Paulo", ()),
        ("en", "America/Los_Angeles", "Los Angeles", ()),
        ("en-au", "Australia/Lord_Howe", "Lord Howe", ()),
        ("en", "Australia/Lord_Howe", "Yes", ("Somewhere else", "Lord Howe")),
        ("en", "America/Sao_Paulo", "Yes", ("Somewhere else", "São Paulo")),
    ],
)
async def test_two_taps_find_the_clock(house: House, code: str, zone: str, here: str, further: tuple[str, ...]) -> None:
    """In Berlin, Mumbai, São Paulo, Reno and on Lord Howe; elsewhere a town is typed."""
    alice, _ = await _asked_first(house, language_code=code)
    await alice.taps(say_in(negotiate(code))("Set the hour first"))
    await alice.taps("20:30")
    clocks = await alice.waits_for(lambda seen: any(" " in label for label in seen.labels) and len(seen.labels) > 4)
    assert len(clocks.labels) <= 9
    if further:
        await alice.taps(further[0])
        await alice.says(further[1])
        clocks = await alice.hears("Is that your clock?")
    found = next(label for label in clocks.labels if label.startswith(here))
    if not further:
        assert found.endswith(_clock(house, zone))
    await alice.taps(found)
    await until(lambda: house.stored("SELECT zone FROM users WHERE id = ?", alice.id) == [(zone,)], zone)


async def test_impossible_clock_time_is_reported(house: House) -> None:
    alice = await _at_the_clock(house)
    await alice.says("25:00")
    assert "Somewhere else" in (await alice.hears("There is no such time of day")).labels
    await alice.says(f"{house.telegram.now + timedelta(minutes=15):%I:%M %p}")
    assert "Somewhere else" in (await alice.hears("Nobody's clock shows that")).labels


def _clock(house: House, zone: str) -> str:
    return f"{house.telegram.now.astimezone(ZoneInfo(zone)):%H:%M}"


async def test_open_sea_still_gives_a_clock(house: House) -> None:
    alice = await _at_the_clock(house)
    await alice.sends("location", latitude=0.0, longitude=-30.0)
    said = await alice.waits_for(lambda seen: bool(seen.labels))
    assert "Is that your clock?" in said.text or "I don't know that place." in said.text


async def test_clock_time_leads_to_a_city(house: House) -> None:
    alice = await _at_the_clock(house)
    await alice.taps("Somewhere else")
    await alice.taps(_clock(house, "Asia/Kolkata"))
    await alice.hears("Summer time differs")
    await alice.taps("Kolkata")
    await alice.hears("today at 20:30, Kolkata time")
    assert await _zone(house, alice) == "Asia/Kolkata"


async def test_clock_time_can_be_typed(house: House) -> None:
    alice = await _at_the_clock(house)
    await alice.says("14:27")  # by a clock that is a little slow
    assert "Kolkata" in (await alice.hears("Summer time differs")).labels
    await alice.says("11 pm")  # in Honolulu, and a day later in Kiritimati
    assert {"Honolulu", "Kiritimati"} <= set((await alice.hears("Which of these is nearest")).labels)
    await alice.says("11:11")
    await alice.hears("Nobody's clock shows that")


async def test_typing_works_after_the_list(house: House) -> None:
    alice = await _at_the_clock(house)
    await alice.taps("Somewhere else")
    await alice.taps(_clock(house, "Europe/Berlin"))
    await alice.taps("Somewhere else", await alice.hears("Summer time differs"))
    await alice.hears("Type the name of your town")
    await alice.says("Oslo")
    await alice.taps("Yes")
    await alice.hears("That's all I need.")
    assert await _zone(house, alice) in {"Europe/Oslo", "Europe/Berlin"}


async def test_every_clock_leads_to_its_cities(house: House) -> None:
    alice = await _at_the_clock(house)
    await alice.taps("Somewhere else")
    clocks = [label for label in (await alice.hears("Type the name of your town")).labels if ":" in label]
    assert len(clocks) > 30
    whole = [clock for clock in clocks if clock[-2:] == _clock(house, "UTC")[-2:]]
    for clock in whole[4:-4:6]:
        await alice.taps(clock)
        cities = await alice.hears("nearest to you")
        assert len(cities.labels) > 2
        await alice.taps("Somewhere else")
        await alice.hears("Type the name of your town")


async def test_clock_of_one_place_is_taken(house: House) -> None:
    alice = await _at_the_clock(house)
    await alice.taps("Somewhere else")
    await alice.taps(_clock(house, "Asia/Kathmandu"))
    await alice.hears("Kathmandu time")


async def test_question_comes_at_the_hour(house: House) -> None:
    alice = await house.settled()
    await alice.taps("I'll wait")
    await alice.hears("Your first question comes today at 20:30.")
    assert not questions(alice)
    await house.moves_on(alice, hours=11, minutes=31)
    assert len(questions(alice)) == 1


@pytest.mark.parametrize("nudge", ["/start", "/today", "/pause", "/resume", "/settings"])
async def test_start_resumes_at_any_step(house: House, nudge: str) -> None:
    alice = house.newcomer()
    await alice.says(nudge)
    await alice.hears(GREETING)
    await alice.says(nudge)
    await alice.hears(GREETING)
    await alice.taps(AGREE)
    question = await alice.waits_for(is_question)
    await alice.says(nudge)
    again = await alice.waits_for(lambda seen: seen.text.endswith(question.text))
    assert (again.text == question.text) == (nudge == "/start")  # any other command is answered with what comes first
    await house.telegram.until(lambda: not (alice.message(question.message_id) or question).labels)
    await alice.says(LINE)
    await alice.hears(TOMORROW)
    await alice.says(nudge)
    await alice.hears(TOMORROW)
    await alice.taps("12:30", alice.last)
    await alice.hears(CLOCK)
    await alice.says(nudge)
    await alice.hears(CLOCK)


async def test_language_is_set_at_any_step(house: House) -> None:
    alice = house.newcomer()
    await alice.says("/start")
    await alice.hears(GREETING)
    await alice.taps(AGREE)
    question = await alice.waits_for(is_question)
    await alice.says("/language de")
    german = await alice.hears("Ab jetzt schreibe ich in dieser Sprache: Deutsch.")
    assert question.text not in german.text
    assert question.text != german.text.split("\n\n", 1)[1]
    await alice.says(LINE)
    await alice.hears("Wann soll ich morgen fragen?")
    await alice.says("/language klingon")
    seen = await alice.hears("In der schreibe ich nicht.")
    assert "Zurück" not in seen.labels
    await alice.taps("English")
    assert TOMORROW in (await alice.hears("From now on I write in this language: English.")).text
    assert house.stored("SELECT language FROM users WHERE id = ?", alice.id) == [("en",)]


async def test_later_commands_say_so(house: House) -> None:
    alice = house.newcomer()
    await alice.says("/language de")
    assert GREETING in (await alice.hears("That works once these first steps are done.")).text
    await alice.taps(AGREE)
    question = await alice.waits_for(is_question)
    await alice.says("/settings")
    seen = await alice.hears("That works once these first steps are done.")
    assert seen.text.endswith(question.text)


async def test_unreadable_texts_are_always_answered(house: House) -> None:
    alice = house.newcomer()
    await alice.says("Hello?")
    await alice.hears(GREETING)
    await alice.taps(AGREE)
    await alice.waits_for(is_question)
    await alice.says(LINE)
    await alice.hears(TOMORROW)
    await alice.says("Hello?")
    again = await alice.hears("There is a line to this question already:")
    assert LINE in again.text
    await alice.taps("Don't keep it", again)
    await alice.taps("12:30", await alice.hears(f"Not kept.\n\n{TOMORROW}"))
    await alice.hears(CLOCK)
    await alice.says("Nowhereatall")
    await alice.hears("I don't know that place.")


@pytest.mark.parametrize("kind", ["photo", "voice", "sticker", "location", "contact", "dice"])
async def test_media_never_harms_the_start(house: House, kind: str) -> None:
    place = {"latitude": 48.1, "longitude": 11.6} if kind == "location" else {}
    alice = house.newcomer()
    await alice.sends(kind, **place)
    await alice.hears(GREETING)
    await alice.taps(AGREE)
    await alice.waits_for(is_question)
    await alice.sends(kind, **place)
    await alice.hears("I keep text only")
    await alice.taps(HOUR_FIRST)
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
            ("/support", "Nobody reads this chat"),
            ("/privacy", "What is stored."),
            ("/cancel", "There is nothing to cancel."),
            ("/frobnicate", "I don't know that command."),
        ):
            await alice.says(command)
            await alice.hears(answer)

    await tries_all()
    await house.forgets(alice)
    await alice.says("/start")
    await tries_all()
    await alice.taps(AGREE)
    await alice.waits_for(is_question)
    await tries_all()
    await alice.says(LINE)
    await alice.hears(TOMORROW)
    await tries_all()
    await alice.taps("20:30")
    await alice.hears(CLOCK)
    await tries_all()
    await alice.says("Lisbon")
    await alice.taps("Yes")
    await alice.hears("That's all I need.")
    await tries_all()


async def test_old_buttons_show_the_next_step(house: House) -> None:
    alice = house.newcomer()
    await alice.says("/start")
    old = await alice.hears(GREETING)
    await alice.says("/start")
    newer = await alice.hears(GREETING)
    await alice.taps(AGREE, newer)
    await alice.waits_for(is_question)
    await alice.taps(AGREE, old)
    await alice.waits_for(is_question)
    await alice.taps(HOUR_FIRST)
    hours = await alice.hears(HOUR)
    await alice.taps("20:30")
    await alice.hears(CLOCK)
    await alice.says("/start")
    await alice.taps_data(hours, "v1:hour:0800")
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
    await alice.hears(say("One small question a day, one line back: twenty seconds. Like this:"))
    await alice.taps(say("I'm 18 or older; keep my lines"))
    await alice.hears(say("One line is enough. Just write it."))
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
    await house.forgets(alice)
