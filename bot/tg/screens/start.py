"""The start: consent, the hour, the clock, the city, and that all is ready."""

from datetime import datetime, time
from typing import Final

from bot.domain.results import (
    Came,
    CityWanted,
    ClockWanted,
    ConsentWanted,
    Declined,
    HourWanted,
    PlaceSought,
    PlaceWanted,
    Ready,
)
from bot.domain.times import clock_offsets, local
from bot.tg.screens.pairing import nowhere
from bot.tg.screens.screen import Button, Makers, Place, Screen, View, button

HOURS: Final = (time(8, 0), time(12, 30), time(20, 30))
_CLOCKS_A_ROW: Final = 5


def consent_wanted(view: View, _: ConsentWanted) -> Screen:
    say = view.say
    text = "\n\n".join(
        (
            # Translators: the greeting's first sentence: what Ajar is. A door need not be open; ajar is enough.
            say("Ajar asks you one small question a day, and you answer in one line."),
            # Translators: the greeting's second sentence: what stays private
            say("Nobody sees your line but you, unless you decide to share it with your partner."),
            # Translators: the greeting's third sentence, honest about the platform and about whoever runs this bot
            say(
                "Telegram can technically read what is written here, and whoever runs this bot holds the key to the "
                "encrypted copy it keeps."
            ),
            # Translators: the conditions, said once. "/support" is a command and stays as it is.
            say(
                "It is for adults, it is not therapy, and it is not for a relationship in which you feel afraid. "
                "If that is where you are, /support says where to turn. You need not agree to anything for that."
            ),
        )
    )
    return Screen(
        text,
        (
            # Translators: button; by tapping it the user confirms being 18 and agrees that their lines are stored
            (button(say("I'm 18 or older, and I agree"), "consent", view.words.get("secret", "")),),
            (
                # Translators: button; shows what is stored, how and for how long
                button(say("What is stored"), "privacy"),
                # Translators: button; declines for now, nothing is stored
                button(say("Not now"), "decline"),
            ),
        ),
    )


def declined(view: View, _: Declined) -> Screen:
    # Translators: after "Not now" at the greeting. "/start" is a command and stays as it is.
    return Screen(view.say("That's fine. Nothing was stored. /start is here if you want it another day."))


def hour_wanted(view: View, result: HourWanted) -> Screen:
    say = view.say
    if result.unclear:
        # Translators: the user typed an hour that could not be read. The examples are ways of writing an hour.
        text = say("I couldn't read that as a time. Write it like 7:45, 19.30 or 8 pm.")
    elif result.typed:
        # Translators: after "Another time". The examples are ways of writing an hour.
        text = say("At what time? Write it like 7:45, 19.30 or 8 pm.")
    else:
        # Translators: the first of two questions at the start
        text = say("When shall I ask you? Pick a quiet minute of your day. You can change it any time.")
    if result.invite is Came.WAITS:
        # Translators: before the first of two questions at the start, to somebody who was invited by a partner
        text = say("Two short questions first, then the invitation you came with.") + "\n\n" + text
    elif result.invite is Came.NOWHERE:
        text = nowhere(view) + "\n\n" + text
    hours = tuple(button(say.clock(at), "hour", f"{at:%H%M}") for at in HOURS)
    # Translators: button; the user then types an hour
    other = button(say("Another time"), "hour", "other")
    return Screen(text, (hours,) if result.typed or result.unclear else (hours, (other,)))


def clock_wanted(view: View, result: ClockWanted) -> Screen:
    say = view.say
    choices = clock_offsets(view.now)
    clocks = [button(_clock_label(view, choice.local), "clock", choice.minutes) for choice in choices]
    rows = [tuple(clocks[at : at + _CLOCKS_A_ROW]) for at in range(0, len(clocks), _CLOCKS_A_ROW)]
    # Translators: button under the clock times; the user then types a city or shares a location
    rows.append((button(say("Type a city or share a location"), "place"),))
    if result.unclear:
        # Translators: a city could not be found
        text = say("I don't know that place. Try the nearest larger city, or tap the time it is for you now.")
    else:
        # Translators: the second of two questions at the start, so that the bot knows the time zone; the buttons are
        # clock times
        text = say("What time is it for you now? Tap it below, or type the name of a city.")
    return Screen(text, tuple(rows))


def _clock_label(view: View, here: datetime) -> str:
    """A clock time, with its weekday where that isn't the one in Greenwich: two clocks can differ by a whole day."""
    shown = view.say.clock(here.time())
    return shown if here.date() == view.now.date() else f"{view.say.weekday_short(here.date())} {shown}"


def city_wanted(view: View, result: CityWanted) -> Screen:
    say = view.say
    rows = [(button(say.city(zone), "zone", zone),) for zone in result.zones]
    # Translators: button; none of the cities named is near; the user then types one
    rows.append((button(say("Somewhere else"), "place"),))
    # Translators: cities follow as buttons which all show the same clock now; summer time makes them differ later
    return Screen(say("Which of these is nearest to you? Summer time differs from place to place."), tuple(rows))


def place_wanted(view: View, _: PlaceWanted) -> Screen:
    say = view.say
    return Screen(
        # Translators: the user then types a city, or taps the keyboard button that shares the location
        say("Type the name of your city, or share your location. Only the time zone is kept, not the place."),
        # Translators: button of the keyboard; Telegram then asks for permission to share the location
        wants_location=say("Share my location"),
    )


def place_sought(view: View, _: PlaceSought) -> Screen:
    """The places found for what was typed or shared."""
    say = view.say
    if not view.places:
        return clock_wanted(view, ClockWanted(unclear=True))
    if len(view.places) == 1:
        ((name, zone),) = view.places
        clock = say.clock(local(view.now, zone).time())
        return Screen(
            # Translators: asks whether the place was understood; the clock shows whether it is the right one
            say("It is now %(clock)s in %(place)s. Is that your clock?", clock=clock, place=name),
            (
                (
                    # Translators: button; yes, this is the time zone I live in
                    button(say("Yes"), "zone", zone),
                    # Translators: button; no, this is not my clock; the clock times are shown again
                    button(say("No"), "clocks"),
                ),
            ),
        )
    rows: list[tuple[Button, ...]] = [
        (button(f"{name} · {say.clock(local(view.now, zone).time())}", "zone", zone),) for name, zone in view.places
    ]
    # Translators: button; none of these places; the clock times are shown again
    rows.append((button(say("None of these"), "clocks"),))
    # Translators: several places of that name; each button shows a place and the time it is there now
    return Screen(say("Which one is it?"), tuple(rows))


def ready(view: View, result: Ready) -> Screen:
    say = view.say
    user = view.user
    place = say.city(user.zone) if user and user.zone else ""
    when = view.when(result.first_at)
    if result.again:
        # Translators: /start by somebody who is set up already. %(when)s is like "tomorrow at 20:30".
        text = say(
            "You're all set. The next question comes %(when)s, by the clock of %(place)s.", when=when, place=place
        )
        # Translators: button; shows today's question now
        return Screen(text, ((button(say("Today's question"), "today"),),))
    # Translators: the start is done. %(when)s is like "today at 20:30".
    text = say("That's all I need. Your question comes %(when)s, by the clock of %(place)s.", when=when, place=place)
    return Screen(
        # Translators: offered at the end of the start
        say("Want to try one now?"),
        (
            (
                # Translators: button; shows the first question at once
                button(say("Yes, one now"), "today"),
                # Translators: button; waits for the first question until its hour
                button(say("I'll wait"), "wait"),
            ),
        ),
        place=Place.BELOW,
        first=text,
    )


MAKERS: Final[Makers] = {
    ConsentWanted: consent_wanted,
    Declined: declined,
    HourWanted: hour_wanted,
    ClockWanted: clock_wanted,
    CityWanted: city_wanted,
    PlaceWanted: place_wanted,
    PlaceSought: place_sought,
    Ready: ready,
}
