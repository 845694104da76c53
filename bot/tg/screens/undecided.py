"""What stays in the chat, in discreet mode, of a question that isn't decided."""

from typing import Final

from bot.domain.results.undecided import Decided, StillUndecided
from bot.domain.undecided import Undecided, Waits
from bot.i18n import Say
from bot.tg.actions import SHOW_AGAIN, UNDECIDED
from bot.tg.screens.screen import Button, Place, Screen, UndecidedCard, View, button, shown


def undecided(say: Say, about: Undecided) -> Screen:
    """Return a neutral line with a button that asks again."""
    return Screen(
        # Translators: stays in the chat in discreet mode, in place of a text and the question what to do with it. It
        # must not say what that was.
        say("Something is undecided here. It waits for a week."),
        # Translators: button; shows the text and the question again
        ((button(say("Show it"), SHOW_AGAIN(about.waits, about.id)),),),
        place=Place.BESIDE,
        card=UndecidedCard(about),
    )


def emptied(say: Say) -> Screen:
    """Return what stays of a message that has to go and is too old to be removed, or of a neutral line."""
    # Translators: takes the place of what was undecided, once it is decided
    return Screen(say("Nothing is left here."))


def undecided_button(say: Say) -> Button:
    # Translators: button below today's question; leads to a text or a preview that still waits for a decision
    return button(say("Something is undecided"), UNDECIDED())


def still_undecided(view: View, result: StillUndecided) -> Screen:
    return undecided(view.say, Undecided(Waits(result.waits), result.subject_id))


def decided(view: View, _: Decided) -> Screen:
    return emptied(view.say)


SCREENS: Final = (shown(StillUndecided, still_undecided), shown(Decided, decided))
