"""Screens of the Pause: its length, a calendar, and its end."""

from calendar import Calendar
from datetime import date, timedelta
from typing import Final

from bot.domain.results import (
    Paused,
    PauseDayWanted,
    PauseWanted,
    PauseWhichDay,
    Resumed,
)
from bot.tg.actions import (
    BLANK,
    PAUSE,
    PAUSE_BACK,
    PAUSE_DAY,
    PAUSE_DAYS,
    PAUSE_MONTH,
    PAUSE_OPEN,
    PAUSE_UNTIL,
    RESUME,
)
from bot.tg.screens.screen import Button, Screen, View, back_to_settings, button, shown

_BLANK: Final = "·"


def pause_wanted(view: View, result: PauseWanted) -> Screen:
    say = view.say
    return Screen(
        # Translators: how long shall the pause be; the choices are buttons
        say("For how long? I won't write by myself until then, and nobody can tell."),
        (
            (
                # Translators: button: a pause of three days
                button(say("Three days"), PAUSE_DAYS(3)),
                # Translators: button: a pause of a week
                button(say("A week"), PAUSE_DAYS(7)),
            ),
            (
                # Translators: button; a calendar follows
                button(say("Until a date"), PAUSE_DAY()),
                # Translators: button: a pause without an end
                button(say("Until I say so"), PAUSE_OPEN()),
            ),
            (back_to_settings(view) if not result.paused else button(_back(view), PAUSE_BACK()),),
        ),
    )


def _back(view: View) -> str:
    # Translators: button; back to where one came from
    return view.say("Back")


def pause_day_wanted(view: View, result: PauseDayWanted) -> Screen:
    say = view.say
    if result.unclear:
        # Translators: the day that was typed or tapped can't be meant; the examples are ways of writing a day
        text = say("I need a day from tomorrow on, within a year. Tap it, or write it like 24 December or next Friday.")
    else:
        # Translators: a calendar follows as buttons; the examples are ways of writing a day
        text = say(
            "On which day should the questions come again? Tap it, or write it like 24 December, Friday or in 10 days."
        )
    weeks = Calendar().monthdatescalendar(result.month.year, result.month.month)
    rows = [
        tuple(_day_button(result, day) for day in week) for week in weeks if any(_serves(result, day) for day in week)
    ]
    names = tuple(button(name, BLANK()) for name in say.weekdays_shortest())
    back = button(_back(view), PAUSE())
    return Screen(text, (_months(view, result), names, *rows, (back,)))


def pause_which_day(view: View, result: PauseWhichDay) -> Screen:
    days = [(button(view.date(day), PAUSE_UNTIL(day)),) for day in result.days]
    # Translators: the day that was typed can be one or the other; both follow as buttons
    text = view.say("That can be two days. Which one do you mean?")
    return Screen(text, (*days, (button(_back(view), PAUSE()),)))


def _serves(result: PauseDayWanted, day: date) -> bool:
    """Return whether the day is in the shown month and can be chosen."""
    return day.month == result.month.month and result.today < day <= result.last


def _day_button(result: PauseDayWanted, day: date) -> Button:
    if not _serves(result, day):
        return button(_BLANK, BLANK())
    return button(str(day.day), PAUSE_UNTIL(day))


def _months(view: View, result: PauseDayWanted) -> tuple[Button, ...]:
    """Return the row with the shown month, and the months before and after it if they have days to choose from."""
    before, after = result.month - timedelta(days=1), result.month + timedelta(days=31)
    has_before = before > result.today
    has_after = after.replace(day=1) <= result.last
    return (
        button("‹", PAUSE_MONTH(before)) if has_before else button(_BLANK, BLANK()),
        button(view.say.month(result.month), BLANK()),
        button("›", PAUSE_MONTH(after)) if has_after else button(_BLANK, BLANK()),
    )


def paused(view: View, result: Paused) -> Screen:
    say = view.say
    # Translators: the user is in a pause already
    already = say("You're paused.")
    # Translators: the pause begins
    begun = say("Paused.")
    text = already if result.already else begun
    if result.next_at:
        # Translators: in a pause; %(when)s is like "Sunday at 20:30"
        text += " " + say(
            "The next question comes %(when)s. I won't write by myself before then, and nobody can tell.",
            when=view.when(result.next_at),
        )
    else:
        # Translators: in a pause without an end
        text += " " + say("I won't write by myself until you say so, and nobody can tell.")
    # Translators: button; the pause ends now
    resume = button(say("Resume"), RESUME())
    # Translators: button; the pause is made longer or shorter
    change = button(say("Change it"), PAUSE())
    return Screen(text, ((resume, change), (back_to_settings(view),)))


def resumed(view: View, result: Resumed) -> Screen:
    say = view.say
    when = view.when(result.next_at)
    if result.was_paused:
        # Translators: the pause is over; nothing has piled up. %(when)s is like "tomorrow at 20:30".
        return Screen(say("Good to have you back. Nothing has piled up. The next question comes %(when)s.", when=when))
    # Translators: /resume without a pause. %(when)s is like "tomorrow at 20:30".
    return Screen(say("You weren't paused. The next question comes %(when)s.", when=when))


SCREENS: Final = (
    shown(PauseWanted, pause_wanted),
    shown(PauseDayWanted, pause_day_wanted),
    shown(PauseWhichDay, pause_which_day),
    shown(Paused, paused),
    shown(Resumed, resumed),
)
