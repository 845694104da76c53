"""Screens of the pace: asking daily again, and the bot's offers."""

from typing import Final

from bot.domain.results import DailyAgain, DeeperTaken, HourMoved, OfferDeeper, OfferHour, OfferLeft
from bot.tg.actions import LEAVE_OFFER, MOVE_HOUR, TAKE_DEEPER
from bot.tg.screens.screen import Place, Screen, View, button, shown
from bot.tg.screens.setting_words import depth_in_words


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
        say("You mostly answer around %(clock)s. Should I ask then? I won't bring this up again.", clock=clock),
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
            "Should the questions go one notch deeper: %(what)s? “Something lighter” always takes you "
            "back. No is fine, and I won't bring it up again.",
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


SCREENS: Final = (
    shown(DailyAgain, daily_again),
    shown(OfferHour, offer_hour),
    shown(HourMoved, hour_moved),
    shown(OfferDeeper, offer_deeper),
    shown(DeeperTaken, deeper_taken),
    shown(OfferLeft, offer_left),
)
