"""Values of settings in words."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.domain.model import User
from bot.domain.times import EVERY_DAY, Days, QuietHours
from bot.i18n import Say
from bot.services.settings import SWITCHES, position
from bot.tg.screens.screen import View

_WORKDAYS = frozenset(range(5))


def days_in_words(view: View, days: Days) -> str:
    say = view.say
    if days == EVERY_DAY:
        # Translators: in the settings: a question on every day
        return say("every day")
    if days == _WORKDAYS:
        # Translators: in the settings: a question on working days
        return say("Monday to Friday")
    names = say.weekdays() if len(days) == 1 else say.weekdays_short()
    return ", ".join(names[day] for day in sorted(days))


def depth_in_words(view: View, depth: int) -> str:
    say = view.say
    words = {
        # Translators: depth 1 of 5: what the lightest questions ask for
        1: say("a fact"),
        # Translators: depth 2 of 5
        2: say("a fact and a feeling"),
        # Translators: depth 3 of 5
        3: say("a preference or a need"),
        # Translators: depth 4 of 5
        4: say("a regret or a doubt"),
        # Translators: depth 5 of 5: the deepest questions
        5: say("a fear, a shame or a longing"),
    }
    return words[depth]


def muted_in_words(view: View, user: User) -> str:
    say = view.say
    count = len(user.muted_themes) + len(user.muted_sensitivities)
    if not count:
        # Translators: in the settings: no subject is left out
        return say("nothing")
    titles = [say.title(theme.title) for theme in view.library.themes if theme.id in user.muted_themes]
    if user.muted_sensitivities or len(titles) > 3:  # noqa: PLR2004  # more names than fit on a line
        # Translators: in the settings: how many subjects are left out. %(n)s is their number.
        return say.plural("%(n)s subject", "%(n)s subjects", count)
    return ", ".join(titles)


def hours_in_words(view: View, quiet: QuietHours | None) -> str:
    say = view.say
    if quiet is None:
        # Translators: in the settings: there are no quiet hours
        return say("none")
    # Translators: quiet hours, like "22:00 to 07:00"
    return say("%(start)s to %(end)s", start=say.clock(quiet.start), end=say.clock(quiet.end))


@dataclass(frozen=True, slots=True)
class SwitchWords:
    """A switch in words."""

    label: str
    """Its name, and the label of the button that leads to it."""
    told: str
    """What it does."""
    positions: tuple[str, ...]
    """The words for each of its positions, in the order that SWITCHES has them."""
    choices: tuple[str, ...]
    """The labels of the buttons that set it to each of its positions, in the same order."""


def switch_words(say: Say) -> Mapping[str, SwitchWords]:
    """Return the words for each of SWITCHES."""
    off_on = (
        # Translators: something in the settings is off
        say("off"),
        # Translators: something in the settings is on
        say("on"),
    )
    turn_off_on = (
        # Translators: button; what is on is turned off
        say("Turn it off"),
        # Translators: button; what is off is turned on
        say("Turn it on"),
    )
    return {
        "soft_reminder": SwitchWords(
            # Translators: a setting and its button: a question that is still open is shown once more
            say("Reminder"),
            # Translators: in the settings: what the soft reminder does
            say(
                "A soft reminder: a question that is still open two hours later comes once more, or when your quiet "
                "hours end. Never after you answered it, skipped it or put it off."
            ),
            off_on,
            turn_off_on,
        ),
        "callbacks": SwitchWords(
            # Translators: a setting and its button: whether an older line of the user's own comes back as a question
            say("Older lines"),
            # Translators: in the settings: what happens with older lines, if this is on
            say(
                "Once you've had the questions I have for you, an older line of yours comes back now and "
                "then, at most once in six days: still so, done with, or different? It is shown to nobody "
                "else."
            ),
            off_on,
            turn_off_on,
        ),
        "weekly_recap": SwitchWords(
            # Translators: a setting and its button: a picture of the last eight weeks that comes on Sundays
            say("Weekly recap"),
            # Translators: in the settings: what the weekly recap is. "/recap" is a command.
            say(
                "On Sundays, after a week with a line in it: a picture of your words of the last eight weeks. It is "
                "shown to nobody else. /recap shows it at any time."
            ),
            off_on,
            turn_off_on,
        ),
        "partnered": SwitchWords(
            # Translators: a setting and its button: whether questions about the two come also without a Pair here
            say("Questions for two"),
            # Translators: in the settings: for somebody who has a partner, but isn't paired with them here
            say(
                "If you have a partner, but are here alone: questions about the two of you come as well, and nobody is "
                "told. Once you're both here, they come anyway."
            ),
            off_on,
            turn_off_on,
        ),
        "discreet": SwitchWords(
            # Translators: a setting and its button: words don't stay in the chat
            say("Discreet mode"),
            # Translators: in the settings: what discreet mode does, and what it can't. "/hide" is a command.
            say(
                "The question and what you write are removed once it is kept. Words I show go after five minutes or "
                "by “Hide this”; so does what you haven't decided about, but a button brings it back. What comes by "
                "itself is covered, also in notifications. /hide removes what is here already.\n\nTelegram keeps "
                "copies of its own for a while, and what is older than two days I can't remove. Against somebody with "
                "your phone in hand, Telegram's passcode lock helps: Settings, Privacy and Security, Passcode."
            ),
            off_on,
            turn_off_on,
        ),
        "silent": SwitchWords(
            # Translators: a setting and its button: messages come without a sound
            say("Without sound"),
            # Translators: in the settings: what messages without a sound are
            say("My messages come without a sound. They still show up in your notifications."),
            off_on,
            turn_off_on,
        ),
    }


def position_in_words(say: Say, switch: str, facts: object) -> str:
    """Return the position that a switch is in, by the facts of a User or of a profile."""
    return switch_words(say)[switch].positions[SWITCHES[switch].index(position(switch, facts))]
