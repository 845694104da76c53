"""The Pause: its length, a calendar and its end; and the Rhythm at which the bot asks on its own."""

from calendar import Calendar
from datetime import date, timedelta
from typing import Final

from bot.domain.results import (
    DailyAgain,
    DeeperTaken,
    HourMoved,
    NothingOpen,
    OfferDeeper,
    OfferHour,
    OfferLeft,
    Paused,
    PauseDayWanted,
    PauseWanted,
    PauseWhichDay,
    Resumed,
)
from bot.tg.actions import (
    BLANK,
    LEAVE_OFFER,
    MOVE_HOUR,
    PAUSE,
    PAUSE_BACK,
    PAUSE_DAY,
    PAUSE_DAYS,
    PAUSE_MONTH,
    PAUSE_OPEN,
    PAUSE_UNTIL,
    RESUME,
    TAKE_DEEPER,
)
from bot.tg.screens.screen import Button, Makers, Place, Screen, View, back_to_settings, button
from bot.tg.screens.setting_words import depth_in_words

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
            "On which day shall the questions come again? Tap it, or write it like 24 December, Friday or in 10 days."
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
    """Return whether the day is in the month shown and can be chosen."""
    return day.month == result.month.month and result.today < day <= result.last


def _day_button(result: PauseDayWanted, day: date) -> Button:
    if not _serves(result, day):
        return button(_BLANK, BLANK())
    return button(str(day.day), PAUSE_UNTIL(day))


def _months(view: View, result: PauseDayWanted) -> tuple[Button, ...]:
    """Return the row with the month shown, and the months before and after it if they have days to choose from."""
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
    already = say("You're on a pause.")
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
    return Screen(say("You weren't on a pause. The next question comes %(when)s.", when=when))


def nothing_open(view: View, _: NothingOpen) -> Screen:
    # Translators: /snooze while there is no question to put off. "/today" is a command and stays as it is.
    return Screen(view.say("No question is open right now. /today brings one."))


def daily_again(view: View, result: DailyAgain) -> Screen:
    # Translators: the bot had slowed down; now it asks daily again. %(when)s is like "tomorrow at 20:30".
    text = view.say("A question a day again. The next one comes %(when)s.", when=view.when(result.next_at))
    return Screen(text, place=Place.BESIDE)


def offer_hour(view: View, result: OfferHour) -> Screen:
    say = view.say
    clock = say.clock(result.at)
    set_to = say.clock(view.user.ask_at) if view.user and view.user.ask_at else ""
    known = view.user.ask_at if view.user else None
    return Screen(
        # Translators: an offer, made once; %(clock)s is like 22:15
        say("You mostly answer around %(clock)s. Shall I ask then? I won't bring this up again.", clock=clock),
        (
            (
                # Translators: button; the question comes at %(clock)s from now on
                button(say("Ask at %(clock)s", clock=clock), MOVE_HOUR(result.at, known)),
                # Translators: button; the hour stays as it is
                button(say("Stay at %(clock)s", clock=set_to), LEAVE_OFFER()),
            ),
        ),
    )


def hour_moved(view: View, result: HourMoved) -> Screen:
    # Translators: the hour was moved. %(when)s is like "tomorrow at 22:15".
    return Screen(view.say("Moved. The next question comes %(when)s.", when=view.when(result.next_at)))


def offer_deeper(view: View, result: OfferDeeper) -> Screen:
    say = view.say
    return Screen(
        # Translators: an offer, made once a depth; %(what)s is like "a preference or a need". "Something lighter" is
        # the button under each question.
        say(
            "Shall the questions go one notch deeper: %(what)s? “Something lighter” always takes you back. "
            "No is fine, and I won't bring it up again.",
            what=depth_in_words(view, result.depth),
        ),
        (
            (
                # Translators: button; questions go one notch deeper
                button(say("One notch deeper"), TAKE_DEEPER(result.depth)),
                # Translators: button; questions stay as deep as they are
                button(say("Stay here"), LEAVE_OFFER()),
            ),
        ),
    )


def deeper_taken(view: View, _: DeeperTaken) -> Screen:
    # Translators: questions go one notch deeper from the next one on
    return Screen(view.say("One notch deeper, from the next question on."))


def offer_left(view: View, _: OfferLeft) -> Screen:
    # Translators: an offer was declined
    return Screen(view.say("It stays as it is."))


MAKERS: Final[Makers] = {
    PauseWanted: pause_wanted,
    PauseDayWanted: pause_day_wanted,
    PauseWhichDay: pause_which_day,
    Paused: paused,
    Resumed: resumed,
    NothingOpen: nothing_open,
    DailyAgain: daily_again,
    OfferHour: offer_hour,
    HourMoved: hour_moved,
    OfferDeeper: offer_deeper,
    DeeperTaken: deeper_taken,
    OfferLeft: offer_left,
}
