"""Screens of the start: consent, the hour, and the message that everything is ready. `zones` has the clock."""

from datetime import time
from typing import Final

from bot.domain.results import (
    Came,
    ConsentWanted,
    Declined,
    HourOrLine,
    HourWanted,
    Ready,
)
from bot.tg.actions import CONSENT, DECLINE, HOUR_TYPED, KEEP, START_HOUR, TODAY, WAIT, WHAT_IS_STORED
from bot.tg.screens.pairing import consent_of_guest, nowhere
from bot.tg.screens.screen import Button, Place, Screen, View, button, draft_card, private, shown

HOURS: Final = (time(8, 0), time(12, 30), time(20, 30))


def consent_wanted(view: View, result: ConsentWanted) -> Screen:
    if result.invited:
        return _consent_of_guest(view)
    say = view.say
    # Translators: the greeting's example question; an easy one that a stranger would answer, and not the first asked
    question = say("What was the best minute of today?")
    # Translators: the greeting's example answer to it: a plain one that anybody could write
    line = say("Ten past six, in the car, engine off.")
    text = "\n\n".join(
        (
            # Translators: the greeting's first sentence: what Ajar is. An example of a question and an answer follows.
            say("One small question a day, one line back: twenty seconds. Like this:"),
            f"<i>{question}</i>\n<blockquote>{line}</blockquote>",
            # Translators: the greeting: what stays private
            say("Nobody sees it unless you show them.") + " " + _readers(view),
            _conditions(view),
        )
    )
    if result.typed:
        # Translators: to somebody who types something instead of agreeing; the greeting follows. We don't remember who
        # came by an invitation until they agree.
        unread = say("I'm a bot and kept nothing. Invited? Open the link again.")
        text = unread + "\n\n" + text
    return Screen(text, agreement(view, _stored(view)))


def _consent_of_guest(view: View) -> Screen:
    text, ways = consent_of_guest(view, view.words.get("secret", ""))
    # Translators: button; declines for now, nothing is stored
    not_now = button(view.say("Not now"), DECLINE())
    return Screen("\n\n".join((text, _readers(view), _conditions(view))), (*ways, (_stored(view), not_now)))


def _readers(view: View) -> str:
    # Translators: the greeting, honest about the platform and about whoever runs this bot
    return view.say("Telegram, and whoever runs this bot, could read along.")


def _conditions(view: View) -> str:
    say = view.say
    # Translators: the conditions, said once. "/support" is a command and stays as it is.
    conditions = say("Not therapy, and not for a relationship in which you are afraid; for that there is /support.")
    # Translators: the greeting: European law wants an express yes to what is about health or sex
    return say("Your yes covers lines about health or sex too.") + " " + conditions


def _stored(view: View) -> Button:
    # Translators: button; shows what is stored, how and for how long
    return button(view.say("What is stored"), WHAT_IS_STORED(view.words.get("secret", "")))


def agreement(view: View, beside: Button) -> tuple[tuple[Button, ...], ...]:
    """Return the buttons to agree and to decline, which carry the Invite that somebody came with."""
    say = view.say
    return (
        # Translators: button; by tapping it the user confirms being 18 and agrees that their lines are stored
        (button(say("I'm 18 or older; keep my lines"), CONSENT(view.words.get("secret", ""))),),
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
        text = say("I couldn't read that as a time. Write just the time, like 7:45, 19.30 or 8 pm.")
    elif result.typed:
        # Translators: after "Another time". The examples are ways of writing an hour.
        text = say("At what time? Write it like 7:45, 19.30 or 8 pm.")
    elif result.begun:
        text = hour_question(view)
    else:
        # Translators: at the start, before the first question was answered
        text = say("When should I ask you? Pick a quiet minute of your day. You can change it any time.")
    if result.invite == Came.NOWHERE:
        text = nowhere(view) + "\n\n" + text
    is_typed = result.typed or result.unclear
    # The user's answer or consent stays above.
    return Screen(text, hour_rows(view, other=not is_typed), place=Place.HERE if is_typed else Place.BELOW)


def hour_question(view: View) -> str:
    # Translators: at the start, after the first answer was kept; hours follow as buttons
    return view.say("When should I ask tomorrow?")


def hour_rows(view: View, *, other: bool = True) -> tuple[tuple[Button, ...], ...]:
    """Return the buttons of the offered hours, and one for any `other` hour, which is then typed."""
    hours = tuple(button(view.say.clock(at), START_HOUR(at)) for at in HOURS)
    # Translators: button; the user then types an hour
    return (hours, (button(view.say("Another time"), START_HOUR(None)),)) if other else (hours,)


def hour_or_line(view: View, result: HourOrLine) -> Screen:
    say = view.say
    return Screen(
        # Translators: a time of day was typed below the first question
        say("Is that the time at which I should ask you, or your line?"),
        (
            (
                # Translators: button; the text was meant as the time of day at which the question comes
                button(say("The time"), HOUR_TYPED(result.draft_id)),
                button(say("My line"), KEEP(result.draft_id)),
            ),
        ),
        card=draft_card(result.draft_id),
    )


def ready(view: View, result: Ready) -> Screen:
    say = view.say
    user = view.user
    place = say.city(user.zone) if user and user.zone else ""
    when = view.when(result.first_at)
    if user and user.receives_only:
        # Translators: the start is done for somebody who only wants to receive. "/time" is a command.
        text = say(
            "That's all I need. I'll write when there is something for you, on %(place)s time. If you ever want a "
            "question of your own, /time sets its hour.",
            place=place,
        )
        return Screen(text, place=Place.BELOW)
    if result.again:
        # Translators: /start by somebody who is set up already. %(when)s is like "tomorrow at 20:30".
        text = say("You're all set. The next question comes %(when)s, %(place)s time.", when=when, place=place)
        # Translators: button; shows today's question now
        return Screen(text, ((button(say("Today's question"), TODAY()),),))
    if result.begun:
        # Translators: the start is done, and the first line is kept. %(when)s is like "tomorrow at 20:30".
        text = say("That's all I need. The next question comes %(when)s, %(place)s time.", when=when, place=place)
        return Screen(text, place=Place.BELOW)
    # Translators: the start is done. %(when)s is like "today at 20:30".
    text = say("That's all I need. Your question comes %(when)s, %(place)s time.", when=when, place=place)
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


SCREENS: Final = (
    shown(ConsentWanted, consent_wanted),
    shown(Declined, declined),
    shown(HourWanted, hour_wanted),
    private(HourOrLine, hour_or_line),
    shown(Ready, ready),
)
