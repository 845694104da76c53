"""Values of settings in words."""

from collections.abc import Mapping

from bot.domain.model import User
from bot.domain.times import EVERY_DAY, Days, QuietHours
from bot.i18n import Say
from bot.services.settings import position
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


def switch_labels(say: Say) -> Mapping[str, str]:
    """Return the name of each of SWITCHES."""
    return {
        # Translators: a setting and its button: a question that is still open is shown once more
        "soft_reminder": say("Reminder"),
        # Translators: a setting and its button: whether an older line of the user's own comes back as a question
        "callbacks": say("Older lines"),
        # Translators: a setting and its button: a picture of the last eight weeks that comes on Sundays
        "weekly_recap": say("Weekly recap"),
        # Translators: a setting and its button: whether questions about the two of them come also without a Pair here
        "partnered": say("Questions for two"),
        # Translators: a setting and its button: words don't stay in the chat
        "discreet": say("Discreet mode"),
        # Translators: a setting and its button: messages come without a sound
        "silent": say("Without sound"),
    }


def position_in_words(view: View, switch: str, facts: object) -> str:
    """Return the position that a switch is in, by the facts of a User or of a profile."""
    # Translators: something in the settings is on
    on = view.say("on")
    # Translators: something in the settings is off
    off = view.say("off")
    return on if position(switch, facts) else off


def change_in_words(view: View, value: object) -> str:
    """Return the label of the button that sets a switch to another position."""
    # Translators: button; what is on is turned off
    turn_off = view.say("Turn it off")
    # Translators: button; what is off is turned on
    return view.say("Turn it on") if value else turn_off
