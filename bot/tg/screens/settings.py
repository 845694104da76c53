"""Screens of the settings: an overview of all values, and a screen for each of them."""

from datetime import time
from typing import Final, TypeVar

from bot.domain.content import Sensitivity
from bot.domain.model import Step, User
from bot.domain.pairing import NAME_LIMIT
from bot.domain.results import (
    CeilingSetting,
    DaysSetting,
    HourSetting,
    LanguageSetting,
    LastDay,
    LastTheme,
    NameSetting,
    QuietSetting,
    SettingsClosed,
    SettingsShown,
    SwitchSetting,
    ThemesSetting,
)
from bot.domain.times import EVERY_DAY, is_quiet_at
from bot.i18n import languages
from bot.services.names import read_own_name
from bot.services.settings import SWITCHES, position
from bot.tg.actions import (
    CEILING,
    FLIP,
    LANGUAGE,
    MY_CLOCKS,
    MY_DAYS,
    MY_HOUR,
    NAME,
    PAUSE,
    QUIET,
    QUIET_OTHER,
    SET_CEILING,
    SET_DAYS,
    SET_HOUR,
    SET_LANGUAGE,
    SET_QUIET,
    SETTINGS_DONE,
    SWITCH,
    THEMES,
    TOGGLE_DAY,
    TOGGLE_SENSITIVITY,
    TOGGLE_THEME,
    UNNAME,
    Action,
    Tap,
)
from bot.tg.screens.screen import (
    Button,
    Place,
    Screen,
    View,
    back_to_settings,
    button,
    in_rows,
    shown,
    unlinked,
)
from bot.tg.screens.setting_words import (
    days_in_words,
    depth_in_words,
    hours_in_words,
    muted_in_words,
    position_in_words,
    switch_words,
)
from bot.tg.screens.start import HOURS

_WORKDAYS: Final = frozenset(range(5))
_NIGHTS: Final = (
    (time(22, 0), time(7, 0)),
    (time(23, 0), time(8, 0)),
    (time(21, 0), time(9, 0)),
)
_CHOSEN: Final = "✓ "


def _user(view: View) -> User:
    if view.user is None:
        raise LookupError("settings are of somebody")
    return view.user


def settings_shown(view: View, _: SettingsShown) -> Screen:
    say, user = view.say, _user(view)
    labels = _labels(view)
    # Translators: in the settings, where no hour is set
    clock = say.clock(user.ask_at) if user.ask_at else say("none")
    zone = user.zone or "UTC"
    language = say.language_name(user.language)
    values = {
        MY_HOUR(): clock,
        MY_DAYS(): days_in_words(view, user.days),
        # Translators: in the settings: the user's clock now, and the place whose clock it is
        MY_CLOCKS(): say("%(clock)s now, in %(place)s", clock=view.clock(view.now), place=say.city(zone)),
        # Translators: in the settings; %(language)s is the language that Telegram is set to
        LANGUAGE(): language if user.language_chosen else say("%(language)s, as in Telegram", language=language),
        # Translators: in the settings: the deepest kind of question; %(depth)s is 1 to 5, %(what)s like "a fact"
        CEILING(): say("up to %(depth)s, %(what)s", depth=user.ceiling, what=depth_in_words(view, user.ceiling)),
        THEMES(): muted_in_words(view, user),
        QUIET(): hours_in_words(view, user.quiet),
        **{SWITCH(each): position_in_words(say, each, user) for each in SWITCHES},
        # Translators: in the settings, where no name is set
        NAME(): unlinked(view.words.get("name", "")) or say("not set"),
    }
    lines = [
        # Translators: a line of the settings: %(label)s is like "Time", %(value)s its value
        say("%(label)s: %(value)s", label=labels[tap], value=value)
        for tap, value in values.items()
    ]
    buttons = [button(labels[tap], tap) for tap in values]
    # Translators: button in the settings: a pause
    buttons.append(button(say("Pause"), PAUSE()))
    # Translators: button; closes the settings
    done = button(say("Done"), SETTINGS_DONE())
    # Translators: title of the settings
    title = say("Settings")  # not inside the f-string, where extraction would miss it
    text = f"<b>{title}</b>\n\n" + "\n".join(lines) + "\n\n" + _next(view)
    return Screen(text, (*in_rows(buttons), (done,)))


def _labels(view: View) -> dict[Tap, str]:
    say = view.say
    return {
        # Translators: a setting and its button: the hour of the question
        MY_HOUR(): say("Time"),
        # Translators: a setting and its button: the weekdays with a question
        MY_DAYS(): say("Days"),
        # Translators: a setting and its button: the time zone
        MY_CLOCKS(): say("Clock"),
        # Translators: a setting and its button
        LANGUAGE(): say("Language"),
        # Translators: a setting and its button: how deep questions may go
        CEILING(): say("Depth"),
        # Translators: a setting and its button: subjects that are not asked about
        THEMES(): say("Left out"),
        # Translators: a setting and its button: hours without messages
        QUIET(): say("Quiet hours"),
        **{SWITCH(switch): words.label for switch, words in switch_words(say).items()},
        # Translators: a setting and its button: the name that the partner sees
        NAME(): say("Name"),
    }


def _next(view: View) -> str:
    say, user = view.say, _user(view)
    if user.receives_only:
        # Translators: in the settings of somebody who only receives
        return say("You get no question of your own. Set a time to get one.")
    if user.next_ask_at is None:
        # Translators: in the settings, in a pause without an end. "/resume" is a command and stays as it is.
        return say("You're paused. /resume ends it.")
    when = view.when(user.next_ask_at)
    if user.paused_at:
        # Translators: in the settings, in a pause; %(when)s is like "Sunday at 20:30"
        return say("You're paused. The next question comes %(when)s.", when=when)
    # Translators: %(when)s is like "tomorrow at 20:30"
    return say("The next question comes %(when)s.", when=when)


def settings_closed(view: View, _: SettingsClosed) -> Screen:
    # Translators: the settings were closed
    return Screen(view.say("All set.") + " " + _next(view))


def hour_setting(view: View, result: HourSetting) -> Screen:
    say, user = view.say, _user(view)
    if result.unclear:
        # Translators: the user typed an hour that could not be read. The examples are ways of writing an hour.
        text = say("I couldn't read that as a time. Write just the time, like 7:45, 19.30 or 8 pm.")
    elif result.moved:
        # Translators: another hour was set. %(clock)s is like 20:30.
        text = say("From now on I ask at %(clock)s.", clock=say.clock(user.ask_at or time())) + " " + _next(view)
    else:
        now = say.clock(user.ask_at or time())
        # Translators: in the settings; the examples are ways of writing an hour. %(clock)s is like 20:30.
        text = say("I ask at %(clock)s. Tap another time, or write it like 7:45, 19.30 or 8 pm.", clock=now)
        if user.ask_at is None:
            # Translators: in the settings of somebody who only receives; the examples are ways of writing an hour
            text = say("You get no question of your own. For one a day, tap a time, or write it like 7:45 or 8 pm.")
    hours = tuple(button(say.clock(at), SET_HOUR(at)) for at in HOURS)
    return Screen(text, (hours, (back_to_settings(view),)))


def days_setting(view: View, result: DaysSetting) -> Screen:
    say, user = view.say, _user(view)
    names = say.weekdays_short()
    days = [_switch(names[day], TOGGLE_DAY, day, on=day in user.days) for day in range(7)]
    quick = (
        # Translators: button: a question on every day
        button(say("Every day"), SET_DAYS(EVERY_DAY)),
        # Translators: button: a question from Monday to Friday
        button(say("Monday to Friday"), SET_DAYS(_WORKDAYS)),
    )
    # Translators: in the settings; weekdays follow as buttons, those with a question have a tick
    text = say("On the days with a tick I ask. Tap a day to change it.") + "\n\n" + _next(view)
    if result.unclear:
        # Translators: the weekdays that were typed could not be read; the examples are ways of writing them
        text = say("I couldn't read that. Write the days like Mon-Fri, weekends or Tue and Thu.") + "\n\n" + text
    return Screen(text, (*in_rows(days, 4), quick, (back_to_settings(view),)))


T = TypeVar("T")


def _switch(label: str, action: Action[T, bool | None], what: T, *, on: bool) -> Button:
    """Make a button that shows whether something is on and sets the other state; a second tap changes nothing."""
    return button((_CHOSEN if on else "") + label, action(what, not on))


def last_day(view: View, _: LastDay) -> Screen:
    # Translators: a short word over the chat; the last weekday can't be taken out. "/pause" is a command.
    return Screen(view.say("One day has to stay. For none at all there is /pause."), place=Place.TOAST)


def language_setting(view: View, result: LanguageSetting) -> Screen:
    say, user = view.say, _user(view)
    rows = [
        (button((_CHOSEN if _is_chosen(user, each) else "") + say.language_name(each), SET_LANGUAGE(each)),)
        for each in languages()
    ]
    # Translators: button: the bot follows the language that Telegram is set to
    telegram = ("" if user.language_chosen else _CHOSEN) + say("As in Telegram")
    rows.append((button(telegram, SET_LANGUAGE(None)),))
    # Translators: in the settings; languages follow as buttons
    text = say("In which language should I write?")
    if result.unclear:
        # Translators: a language was typed that isn't there; the ones that are follow as buttons
        text = say("I don't write in that one. These I have:")
    back = ((back_to_settings(view),),) if user.step is Step.READY else ()
    return Screen(text, (*rows, *back))


def _is_chosen(user: User, language: str) -> bool:
    return user.language_chosen and user.language == language


def ceiling_setting(view: View, result: CeilingSetting) -> Screen:
    say, user = view.say, _user(view)
    depths = range(1, 6)
    marks = tuple(
        button((_CHOSEN if depth == user.ceiling else "") + str(depth), SET_CEILING(depth)) for depth in depths
    )
    lines = "\n".join(f"{depth} · {depth_in_words(view, depth)}" for depth in depths)
    text = "\n\n".join(
        (
            # Translators: in the settings; a list of depths 1 to 5 follows, and buttons with the numbers
            say("How deep may a question go? It starts light, and never goes past your mark. Only you can move that."),
            lines,
        )
    )
    if result.unclear:
        # Translators: something other than a number from 1 to 5 was typed; the list of depths follows
        text = say("I need a number from 1 to 5.") + "\n\n" + text
    return Screen(text, (marks, (back_to_settings(view),)))


def themes_setting(view: View, _: ThemesSetting) -> Screen:
    say, user = view.say, _user(view)
    themes = [
        _switch(say.title(theme.title), TOGGLE_THEME, theme.id, on=theme.id not in user.muted_themes)
        for theme in view.library.themes
    ]
    names = {
        # Translators: button; questions of any theme that touch on one's childhood
        Sensitivity.CHILDHOOD: say("anything on childhood"),
        # Translators: button; questions of any theme that touch on loss
        Sensitivity.LOSS: say("anything on loss"),
        # Translators: button; questions of any theme that touch on money
        Sensitivity.MONEY: say("anything on money"),
        # Translators: button; questions of any theme that touch on having children or not
        Sensitivity.CHILDREN: say("anything on children"),
        # Translators: button; questions of any theme that touch on bodies
        Sensitivity.BODIES: say("anything on bodies"),
        # Translators: button; questions of any theme that touch on sex
        Sensitivity.SEX: say("anything on sex"),
    }
    touching = [
        _switch(names[each], TOGGLE_SENSITIVITY, each, on=each not in user.muted_sensitivities) for each in Sensitivity
    ]
    # Translators: in the settings; themes and sensitive subjects follow as buttons; those that may come up have a tick
    text = say("Ticked subjects may come up. Tap one to leave it out, or to take it in again. Nobody is told.")
    return Screen(text, (*in_rows(themes), *((each,) for each in touching), (back_to_settings(view),)))


def last_theme(view: View, _: LastTheme) -> Screen:
    # Translators: a short word over the chat; the user can't leave out everything
    return Screen(view.say("Something has to be left to ask about."), place=Place.TOAST)


def quiet_setting(view: View, result: QuietSetting) -> Screen:
    say, user = view.say, _user(view)
    if result.unclear:
        # Translators: the user typed hours that could not be read; the example is a way of writing them
        text = say("I couldn't read that. Write both hours, like 22:30 to 6:45.")
    elif result.typed:
        # Translators: after "Other hours"; the example is a way of writing them
        text = say("From when to when? Write it like 22:30 to 6:45.")
    else:
        # Translators: in the settings; %(hours)s is like "22:00 to 07:00" or "none"
        text = say("In your quiet hours I never write first. Now: %(hours)s.", hours=hours_in_words(view, user.quiet))
        if user.quiet and user.ask_at and is_quiet_at(user.ask_at, user.quiet):
            # Translators: follows the quiet hours, where the question's hour lies in them. %(clock)s is like 23:00.
            text += " " + say(
                "Only your question still comes at %(clock)s, as you set it.",
                clock=say.clock(user.ask_at),
            )
    nights = [(button(_span(view, *night), SET_QUIET(night)),) for night in _NIGHTS]
    others = (
        # Translators: button; there are no quiet hours
        button(say("No quiet hours"), SET_QUIET(None)),
        # Translators: button; the user then types two hours
        button(say("Other hours"), QUIET_OTHER()),
    )
    return Screen(text, (*nights, others, (back_to_settings(view),)))


def _span(view: View, start: time, end: time) -> str:
    # Translators: hours on a button: from %(start)s to %(end)s, like "22:00 to 07:00"
    return view.say("%(start)s to %(end)s", start=view.say.clock(start), end=view.say.clock(end))


def switch_setting(view: View, result: SwitchSetting) -> Screen:
    say, user = view.say, _user(view)
    words = switch_words(say)[result.switch]
    # Translators: in the settings: whether something is on or off; %(state)s is "on" or "off"
    state = say("It is %(state)s.", state=position_in_words(say, result.switch, user))
    now = position(result.switch, user)
    others = [
        (button(words.choices[index], FLIP(result.switch, index)),)
        for index, value in enumerate(SWITCHES[result.switch])
        if value != now
    ]
    return Screen(f"{words.told}\n\n{state}", (*others, (back_to_settings(view),)))


def name_setting(view: View, result: NameSetting) -> Screen:
    say = view.say
    name = view.words.get("name")
    if result.unclear:
        # Translators: the name that was typed is too long. %(limit)s is 40.
        text = say("That's longer than %(limit)s characters. What would be shorter?", limit=NAME_LIMIT)
    elif name:
        # Translators: in the settings; %(name)s is what the partner sees
        text = say("Your partner sees you as %(name)s. Send another name to change it.", name=unlinked(name))
    else:
        # Translators: in the settings; no name is set
        text = say("Send the name your partner should see. It is shown to nobody else.")
    # Translators: button; the name is removed
    remove = ((button(say("Remove it"), UNNAME()),),) if name and not result.paired else ()
    return Screen(text, (*remove, (back_to_settings(view),)))


SCREENS: Final = (
    shown(SettingsShown, settings_shown, lambda _: read_own_name),
    shown(SettingsClosed, settings_closed),
    shown(HourSetting, hour_setting),
    shown(DaysSetting, days_setting),
    shown(LastDay, last_day),
    shown(LanguageSetting, language_setting),
    shown(CeilingSetting, ceiling_setting),
    shown(ThemesSetting, themes_setting),
    shown(LastTheme, last_theme),
    shown(QuietSetting, quiet_setting),
    shown(SwitchSetting, switch_setting),
    shown(NameSetting, name_setting, lambda _: read_own_name),
)
