"""/settings: every screen and every way of setting something, in English and in German."""

import re
from dataclasses import dataclass
from datetime import time
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio

from bot.domain.content import Sensitivity
from bot.i18n import say_in
from tests.journeys.house import CONTENT, House, until
from tests.standin import Person, Seen

pytestmark = pytest.mark.asyncio(loop_scope="module")

GERMAN = {
    "Settings": "Einstellungen",
    "Back": "Zurück",
    "Done": "Fertig",
    "Time": "Zeit",
    "Days": "Tage",
    "Clock": "Zeitzone",
    "Language": "Sprache",
    "Depth": "Tiefe",
    "Left out": "Nicht gefragt",
    "Quiet hours": "Ruhezeit",
    "Reminder": "Erinnerung",
    "Older lines": "Ältere Zeilen",
    "Questions for two": "Fragen zu zweit",
    "Weekly recap": "Rückblick",
    "Without sound": "Ohne Ton",
    "Discreet mode": "Diskret",
    "Name": "Name",
    "Pause": "Pause",
    "Turn it on": "Einschalten",
    "Turn it off": "Ausschalten",
    "every day": "jeden Tag",
    "Every day": "Jeden Tag",
    "Monday to Friday": "Montag bis Freitag",
    "English, as in Telegram": "Deutsch, wie in Telegram",
    "up to 2, a fact and a feeling": "bis 2, etwas Handfestes und ein Gefühl",
    "up to 4, a regret or a doubt": "bis 4, was du bereust oder woran du zweifelst",
    "nothing": "nichts",
    "22:00 to 07:00": "22:00 bis 07:00",
    "23:00 to 08:00": "23:00 bis 08:00",
    "22:30 to 06:45": "22:30 bis 06:45",
    "none": "keine",
    "on": "an",
    "off": "aus",
    "not set": "nicht gesetzt",
    "Sunday": "Sonntag",
    "The next question comes": "Die nächste Frage kommt",
    "today at": "heute um",
    "tomorrow at": "morgen um",
    "I ask at 20:30.": "Ich frage um 20:30.",
    "I couldn't read that as a time.": "Das konnte ich nicht als Uhrzeit lesen.",
    "One day has to stay.": "Ein Tag muss bleiben.",
    "What time is it for you now?": "Wie spät ist es gerade bei dir?",
    "Set to Lisbon": "Eingestellt ist Lissabon",
    "nearest to you": "am nächsten bei dir",
    "Somewhere else": "Woanders",
    "Only the time zone is kept": "Gespeichert wird nur die Zeitzone",
    "Share my location": "Standort teilen",
    "List by region": "Nach Region",
    "Which part of the world?": "Welcher Teil der Welt?",
    "Europe and the Atlantic": "Europa und Atlantik",
    "More ›": "Mehr ›",
    "‹ Before": "‹ Davor",
    "Yes": "Ja",
    "No": "Nein",
    "It is now": "Jetzt ist es",
    "I don't know that place.": "Diesen Ort kenne ich nicht.",
    "In which language should I write?": "In welcher Sprache soll ich schreiben?",
    "How deep may a question go?": "Wie tief darf eine Frage gehen?",
    "Ticked subjects may come up.": "Was einen Haken hat, darf vorkommen.",
    "Something has to be left to ask about.": "Irgendetwas zum Fragen muss übrig bleiben.",
    "No quiet hours": "Keine Ruhezeit",
    "Other hours": "Andere Zeiten",
    "From when to when?": "Von wann bis wann?",
    "I couldn't read that.": "Das konnte ich nicht lesen.",
    "In your quiet hours I never write first.": "In deiner Ruhezeit schreibe ich nie von mir aus.",
    "Send the name": "Schick den Namen",
    "Your partner sees you as": "Beim Teilen heißt du",
    "That's longer than 40 characters.": "Das sind mehr als 40 Zeichen.",
    "Remove it": "Entfernen",
    "All set.": "Passt so.",
    "For how long?": "Wie lange?",
    "From now on I ask at": "Von jetzt an frage ich um",
    "Only your question still comes at 23:00": "Nur deine Frage kommt weiter um 23:00",
    "still comes at": "kommt weiter um",
    "It is": "Gerade ist das",
    "On the days with a tick I ask.": "An den Tagen mit Haken frage ich.",
}
"""The German text for each English one."""


@dataclass
class Owner:
    """Return somebody with their settings open, and the language they read."""

    person: Person
    language: str

    def words(self, english: str) -> str:
        return GERMAN[english] if self.language == "de" else english

    async def opens(self, command: str = "/settings") -> Seen:
        await self.person.says(command)
        return await self.person.waits_for(lambda seen: bool(seen.labels), what=f"the answer to {command}")

    async def taps(self, *path: str) -> Seen:
        """Tap one button after another, each where the previous one led; return where the last one led."""
        for english in path:
            await self.person.taps(self.words(english) if english in GERMAN else english)
            seen = await self.person.waits_for(lambda _: True, what=f"what {english!r} leads to")
        return seen

    async def reads(self, english: str, *more: str) -> Seen:
        """Wait for a screen that contains this, and all of `more`."""
        seen = await self.person.hears(self.words(english))
        for part in more:
            assert (self.words(part) if part in GERMAN else part) in seen.text
        return seen

    async def sees_value(self, label: str, value: str) -> Seen:
        """Wait for the settings with this value in them."""
        value = self.words(value) if value in GERMAN else value
        return await self.person.hears(f"{self.words(label)}: {value}\n")


@pytest_asyncio.fixture(loop_scope="module", params=["en", "de"])
async def owner(request: pytest.FixtureRequest, house: House) -> Owner:
    """Return somebody settled in Lisbon at nine in the morning, to be asked at half past eight in the evening."""
    person = await house.settled()
    await person.speaks(request.param)
    return Owner(person, request.param)


async def test_values_are_shown_in_words(owner: Owner) -> None:
    seen = await owner.opens()
    title, values, upcoming = seen.text.split("\n\n")
    assert title == owner.words("Settings")
    found = dict(line.split(": ", 1) for line in values.splitlines())
    here = "Lissabon, dort ist es 09:" if owner.language == "de" else "09:"
    assert found.pop(owner.words("Clock")).startswith(here)
    assert found == {
        owner.words(label): value if value == "20:30" else owner.words(value)
        for label, value in {
            "Time": "20:30",
            "Days": "every day",
            "Language": "English, as in Telegram",
            "Depth": "up to 2, a fact and a feeling",
            "Left out": "nothing",
            "Quiet hours": "22:00 to 07:00",
            "Reminder": "off",
            "Older lines": "off",
            "Questions for two": "off",
            "Weekly recap": "on",
            "Without sound": "off",
            "Discreet mode": "off",
            "Name": "not set",
        }.items()
    }
    assert upcoming == f"{owner.words('The next question comes')} {owner.words('today at')} 20:30."


async def test_settings_stay_in_one_message(owner: Owner) -> None:
    settings = await owner.opens()
    assert settings.labels[-1] == owner.words("Done")
    ways = [
        *([label] for label in settings.labels[:-1]),
        [owner.words("Quiet hours"), owner.words("Other hours")],
        [owner.words(way) for way in ("Clock", "Somewhere else", "List by region", "Europe and the Atlantic")],
        [owner.words("Pause"), "Bis zu einem Tag" if owner.language == "de" else "Until a date"],
    ]
    assert len(ways) == 18
    for way in ways:
        for step, label in enumerate(way, 1):
            seen = await owner.taps(label)
            assert seen.message_id == settings.message_id
            assert seen.labels[-1] == owner.words("Back"), way[:step]
        for _ in way:
            seen = await owner.taps("Back")
            if owner.words("Settings") in seen.text:
                break
        assert seen.text == settings.text
        assert seen.buttons == settings.buttons
    seen = await owner.taps("Done")
    assert seen.text.startswith(owner.words("All set."))
    assert not seen.labels


async def test_hour_can_be_tapped_or_typed(owner: Owner) -> None:
    await owner.opens()
    await owner.taps("Time")
    await owner.reads("I ask at 20:30.")
    await owner.taps("12:30")
    await owner.reads("From now on I ask at", " 12:30. ")
    typed = {
        "en": {
            "7:45": "07:45",
            "19.30": "19:30",
            "8pm": "20:00",
            "20h15": "20:15",
            "half past 7": "07:30",
            "8": "08:00",
        },
        "de": {
            "7:45": "07:45",
            "19.30": "19:30",
            "20 Uhr": "20:00",
            "20h15": "20:15",
            "halb acht": "07:30",
            "8": "08:00",
        },
    }
    today = "12:30"
    for text, at in typed[owner.language].items():
        await owner.opens("/time")
        await owner.person.says(text)
        seen = await owner.reads("From now on I ask at", f" {at}")
        # If the new hour has passed today, today's question keeps its old hour, so that the day isn't lost.
        today = at if time.fromisoformat(at) > time(9) else today
        assert seen.text.endswith(f"{owner.words('today at')} {today}.")
    await owner.opens("/time")
    for unclear in ("quarter to something", "Dinner at 8 pm", "Essen um 20 Uhr"):
        await owner.person.says(unclear)
        await owner.reads("I couldn't read that as a time.")
    await owner.person.says("0:05")
    await owner.reads("From now on I ask at", " 00:05")
    await owner.taps("Back")
    await owner.sees_value("Time", "00:05")


async def test_going_back_stops_awaiting_the_hour(house: House, owner: Owner) -> None:
    await owner.opens("/time")
    await owner.taps("Back")
    await owner.person.says("8")
    await owner.person.waits_for(lambda seen: bool(seen.labels), what="whether to keep this as a line")
    assert house.stored("SELECT ask_at FROM users WHERE id = ?", owner.person.id) == [("20:30",)]


async def test_days_are_unticked_and_one_stays(owner: Owner) -> None:
    days = say_in(owner.language).weekdays_short()
    await owner.opens()
    seen = await owner.taps("Days")
    assert seen.labels[:7] == [f"✓ {day}" for day in days]
    today = owner.person.telegram.now.weekday()
    seen = await owner.taps(f"✓ {days[today]}")
    assert f"{owner.words('tomorrow at')} 20:30" in seen.text
    await owner.taps("Monday to Friday", "Back")
    await owner.sees_value("Days", "Monday to Friday")
    seen = await owner.taps("Days")
    for day in days[1:5]:
        seen = await owner.taps(f"✓ {day}")
    await owner.taps(days[6], f"✓ {days[0]}", "Back")
    await owner.sees_value("Days", "Sunday")
    await owner.taps("Days")
    await owner.person.taps(f"✓ {days[6]}")
    assert (await owner.person.answered()).startswith(owner.words("One day has to stay."))
    await owner.taps("Every day", "Back")
    await owner.sees_value("Days", "every day")


async def _clock_is(house: House, owner: Owner, zone: str) -> None:
    await until(lambda: house.stored("SELECT zone FROM users WHERE id = ?", owner.person.id) == [(zone,)], zone)


async def test_zone_by_the_present_time(house: House, owner: Owner) -> None:
    await owner.opens()
    seen = await owner.taps("Clock")
    assert owner.words("Set to Lisbon") in seen.text
    assert owner.words("What time is it for you now?") in seen.text
    seen = await owner.taps("Somewhere else")
    half = next(label for label in seen.labels if re.fullmatch(r"14:\d\d", label) and label[3] in "345")
    await owner.taps(half)
    await owner.reads("nearest to you")
    seen = await owner.taps("Kolkata")
    assert re.match(
        rf"{owner.words('It is now')} 14:\d\d in K\w+\. {owner.words('The next question comes')}", seen.text
    )
    assert f"{owner.words('today at')} 20:30" in seen.text
    await owner.taps("Back")
    await _clock_is(house, owner, "Asia/Kolkata")


async def test_zone_by_name_or_clock_time(house: House, owner: Owner) -> None:
    await owner.opens()
    await owner.taps("Clock")
    await owner.person.says(f"{house.telegram.now.astimezone(ZoneInfo('Asia/Kathmandu')):%H:%M}")
    await owner.person.hears("Kathmandu")  # only one zone shows such a time
    await owner.person.says("europe/warsaw")
    await owner.person.hears("Warschau" if owner.language == "de" else "Warsaw")
    await owner.taps("Yes")
    await _clock_is(house, owner, "Europe/Warsaw")


async def test_zone_by_a_localized_city(house: House, owner: Owner) -> None:
    await owner.opens()
    await owner.taps("Clock")
    await owner.person.says("Xyzzyville-on-Nowhere")
    await owner.reads("I don't know that place.")
    await owner.person.says("Wien" if owner.language == "de" else "Vienna")
    seen = await owner.person.waits_for(lambda seen: bool(seen.labels), what="Vienna")
    if owner.words("Yes") not in seen.labels:
        label = next(label for label in seen.labels if "Österreich" in label or "Austria" in label)
        await owner.person.taps(label)
    else:
        await owner.taps("Yes")
    await owner.reads("It is now", "The next question comes")
    await owner.taps("Back")
    await owner.sees_value("Time", "20:30")
    await _clock_is(house, owner, "Europe/Vienna")


async def test_zone_by_a_shared_location(house: House, owner: Owner) -> None:
    await owner.opens()
    await owner.taps("Clock", "Somewhere else", "Share my location")
    await owner.reads("Only the time zone is kept")
    assert owner.person.keyboard
    await owner.person.sends("location", latitude=27.72, longitude=85.32)
    await owner.reads("It is now")
    await owner.taps("No")
    await owner.reads("What time is it for you now?")
    await owner.person.sends("location", latitude=27.72, longitude=85.32)
    await owner.taps("Yes")
    await owner.sees_value("Time", "20:30")
    assert not owner.person.keyboard
    await _clock_is(house, owner, "Asia/Kathmandu")


@pytest.mark.parametrize("way_out", ["Back", "Done", "/settings", "/cancel", "/today", "/help"])
async def test_location_keyboard_goes_away_on_leaving(owner: Owner, way_out: str) -> None:
    settings = await owner.opens()
    await owner.taps("Clock", "Somewhere else", "Share my location")
    await owner.reads("Only the time zone is kept")
    assert owner.person.keyboard
    await owner.person.says("Lisbon")
    await owner.taps("No")
    if way_out == "Back":
        await owner.taps("Back")
    elif way_out == "Done":
        await owner.person.taps_data(settings, "v1:settings_done:")
        await owner.reads("All set.")
    else:
        await owner.person.says(way_out)
    await owner.person.telegram.until(lambda: not owner.person.keyboard)
    assert not owner.person.keyboard


async def test_zone_from_the_list(house: House, owner: Owner) -> None:
    await owner.opens()
    await owner.taps("Clock", "Somewhere else", "List by region")
    await owner.reads("Which part of the world?")
    seen = await owner.taps("Europe and the Atlantic", "More ›")
    assert owner.words("‹ Before") in seen.labels
    while not (found := [label for label in seen.labels if label.startswith(("Warsaw", "Warschau"))]):
        seen = await owner.taps("More ›")
    (warsaw,) = found
    seen = await owner.taps(warsaw)
    assert re.match(rf"{owner.words('It is now')} 1\d:\d\d in Wars\w+\.", seen.text)
    assert warsaw.endswith(re.search(r"\d\d:\d\d", seen.text)[0])  # type: ignore[index]  # it is there
    await _clock_is(house, owner, "Europe/Warsaw")


async def test_new_language_applies_at_once(owner: Owner) -> None:
    other = Owner(owner.person, "en" if owner.language == "de" else "de")
    own, others = ("Deutsch", "English") if owner.language == "de" else ("English", "Deutsch")
    await owner.opens("/language")
    seen = await owner.reads("In which language should I write?")
    assert any(label.startswith("✓ ") for label in seen.labels)
    await owner.taps(others)
    seen = await other.reads("In which language should I write?")
    assert f"✓ {others}" in seen.labels
    await other.taps("Back")
    await other.sees_value("Language", others)
    await other.opens("/language")
    await other.taps(own)
    await owner.reads("In which language should I write?")
    await owner.taps("Wie in Telegram" if owner.language == "de" else "As in Telegram", "Back")
    await owner.sees_value("Language", "English, as in Telegram")


async def test_ceiling_is_set(owner: Owner) -> None:
    await owner.opens()
    await owner.taps("Depth")
    seen = await owner.reads("How deep may a question go?")
    assert seen.buttons[0] == ["1", "✓ 2", "3", "4", "5"]
    await owner.taps("4", "Back")
    await owner.sees_value("Depth", "up to 4, a regret or a doubt")


async def test_themes_and_subjects_are_muted(house: House, owner: Owner) -> None:
    themes = [say_in(owner.language).title(theme.title) for theme in CONTENT.themes]
    await owner.opens()
    seen = await owner.taps("Left out")
    assert owner.words("Ticked subjects may come up.") in seen.text
    assert [label for label in seen.labels[:-1] if not label.startswith("✓ ")] == []
    assert len(seen.labels) == len(themes) + len(Sensitivity) + 1
    money = next(label for label in seen.labels if "alles über Geld" in label or "anything on money" in label)
    await owner.taps(f"✓ {themes[0]}", f"✓ {themes[1]}", "Back")
    await owner.sees_value("Left out", f"{themes[0]}, {themes[1]}")
    await owner.taps("Left out", money, "Back")
    await owner.sees_value("Left out", "3 Themen" if owner.language == "de" else "3 subjects")
    await owner.taps("Left out", money.removeprefix("✓ "))
    for theme in themes[2:]:
        await owner.person.taps(f"✓ {theme}")
        if await owner.person.answered():
            break
        await owner.person.hears("")
    assert [toast for toast in owner.person.toasts if toast] == [owner.words("Something has to be left to ask about.")]
    await owner.person.says("/today")
    await owner.person.waits_for(lambda seen: bool(seen.labels), what="a question")
    (prompt_id,) = await house.prompts(owner.person, "asks")
    muted = {theme.id for theme in CONTENT.themes[:2]}
    assert CONTENT.prompts[prompt_id].theme not in muted


async def test_quiet_hours_are_set_or_removed(owner: Owner) -> None:
    await owner.opens()
    seen = await owner.taps("Quiet hours")
    assert owner.words("In your quiet hours I never write first.") in seen.text
    assert owner.words("22:00 to 07:00") in seen.text
    await owner.taps("23:00 to 08:00", "Back")
    await owner.sees_value("Quiet hours", "23:00 to 08:00")
    await owner.taps("Quiet hours", "Other hours")
    await owner.reads("From when to when?")
    await owner.person.says("always")
    await owner.reads("I couldn't read that.")
    await owner.person.says("0:00 bis 24:00" if owner.language == "de" else "0:00 to 24:00")
    await owner.reads("I couldn't read that.")
    await owner.person.says("von halb elf abends bis 6:45" if owner.language == "de" else "10.30 pm to 6:45")
    await owner.reads("In your quiet hours I never write first.", "22:30 to 06:45")
    await owner.taps("No quiet hours", "Back")
    await owner.sees_value("Quiet hours", "none")


async def test_options_are_off_until_turned_on(owner: Owner) -> None:
    await owner.opens()
    seen = await owner.taps("Reminder")
    assert owner.words("Turn it on") in seen.labels
    await owner.taps("Turn it on", "Back")
    await owner.sees_value("Reminder", "on")
    await owner.taps("Reminder", "Turn it off", "Back")
    await owner.sees_value("Reminder", "off")
    seen = await owner.taps("Older lines")
    assert ("noch so" if owner.language == "de" else "still so") in seen.text
    await owner.taps("Turn it on", "Back")
    await owner.sees_value("Older lines", "on")


async def test_button_sets_what_it_shows(house: House, owner: Owner) -> None:
    """Two messages show the same settings: what the older one shows as off is turned on, and not off again."""
    for _ in range(2):
        await owner.opens()
    first, second = [seen for seen in owner.person.sees if owner.words("Settings") in seen.text]
    for seen in (first, second):
        await owner.person.taps(owner.words("Reminder"), seen)
        await owner.reads("It is", "off")
    for seen in (first, second):
        await owner.person.taps(owner.words("Turn it on"), seen.message_id)
        await owner.person.answered()
    await house.caught_up()
    kept = "SELECT soft_reminder, days, muted FROM users WHERE id = ?"  # sealed anew, it would be another
    before = house.stored(kept, owner.person.id)
    assert before[0][:2] == (1, 127)
    for data in ("flip:soft_reminder", "toggle_day:3", "toggle_theme:work", "toggle_sensitivity:money"):
        await owner.person.taps_data(second, f"v1:{data}")  # of an earlier version: shown, and not changed
        await owner.person.answered()
    await house.caught_up()
    assert house.stored(kept, owner.person.id) == before


async def test_quiet_hours_mention_their_question(owner: Owner) -> None:
    await owner.opens()
    seen = await owner.taps("Quiet hours")
    assert owner.words("still comes at") not in seen.text
    await owner.opens("/time")
    await owner.person.says("23:00")
    await owner.reads("From now on I ask at")
    await owner.opens()
    seen = await owner.taps("Quiet hours")
    assert owner.words("Only your question still comes at 23:00") in seen.text


async def test_name_shown_to_a_partner(owner: Owner) -> None:
    await owner.opens()
    await owner.taps("Name")
    await owner.reads("Send the name")
    await owner.person.says("x" * 41)
    await owner.reads("That's longer than 40 characters.")
    await owner.person.says("<b>Björn</b> & Søn")
    await owner.sees_value("Name", "<b>Björn</\u2060b> & Søn")  # a word joiner keeps it from being a command
    await owner.taps("Name")
    await owner.reads("Your partner sees you as", "<b>Björn</\u2060b> & Søn")
    await owner.taps("Remove it")
    await owner.sees_value("Name", "not set")
