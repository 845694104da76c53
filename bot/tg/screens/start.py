"""The start: consent, the hour, the clock, the city, and the message that everything is ready."""

from datetime import time
from typing import Final

from bot.domain.results import (
    Came,
    ConsentWanted,
    Declined,
    HourWanted,
    Ready,
)
from bot.tg.actions import CONSENT, DECLINE, START_HOUR, TODAY, WAIT, WHAT_IS_STORED
from bot.tg.screens.pairing import nowhere
from bot.tg.screens.screen import Button, Makers, Place, Screen, View, button

HOURS: Final = (time(8, 0), time(12, 30), time(20, 30))


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
    # Translators: button; shows what is stored, how and for how long
    stored = button(say("What is stored"), WHAT_IS_STORED(view.words.get("secret", "")))
    return Screen(text, agreement(view, stored))


def agreement(view: View, beside: Button) -> tuple[tuple[Button, ...], ...]:
    """Return the buttons to agree and to decline, which carry the Invite that somebody came with."""
    say = view.say
    return (
        # Translators: button; by tapping it the user confirms being 18 and agrees that their lines are stored
        (button(say("I'm 18 or older, and I agree"), CONSENT(view.words.get("secret", ""))),),
        (
            beside,
            # Translators: button; declines for now, nothing is stored
            button(say("Not now"), DECLINE()),
        ),
    )


def declined(view: View, _: Declined) -> Screen:
    # Translators: after "Not now" at the greeting. "/start" is a command and stays as it is.
    text = view.say("That's fine. Nothing was stored. /start is here if you want it another day.")
    return Screen(text, place=Place.BELOW)


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
    hours = tuple(button(say.clock(at), START_HOUR(at)) for at in HOURS)
    # Translators: button; the user then types an hour
    other = button(say("Another time"), START_HOUR(None))
    if result.typed or result.unclear:
        return Screen(text, (hours,))
    return Screen(text, (hours, (other,)), place=Place.BELOW)  # what the user agreed to stays above, to be read again


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
        return Screen(text, ((button(say("Today's question"), TODAY()),),))
    # Translators: the start is done. %(when)s is like "today at 20:30".
    text = say("That's all I need. Your question comes %(when)s, by the clock of %(place)s.", when=when, place=place)
    return Screen(
        # Translators: offered at the end of the start
        say("Want to try one now?"),
        (
            (
                # Translators: button; shows the first question at once
                button(say("Yes, one now"), TODAY()),
                # Translators: button; waits for the first question until its hour
                button(say("I'll wait"), WAIT()),
            ),
        ),
        place=Place.BELOW,
        first=text,
    )


MAKERS: Final[Makers] = {
    ConsentWanted: consent_wanted,
    Declined: declined,
    HourWanted: hour_wanted,
    Ready: ready,
}
