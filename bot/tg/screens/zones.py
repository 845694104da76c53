"""Screens to choose a zone by a likely clock, any clock, a city, a location or a list."""

from dataclasses import replace
from datetime import datetime
from itertools import groupby
from typing import Final

from bot.domain.model import Step
from bot.domain.results import (
    Came,
    CityWanted,
    ClockWanted,
    ElsewhereWanted,
    PlaceSought,
    PlaceWanted,
    RegionWanted,
    RegionZones,
    SettingsShown,
    Unclear,
    ZoneChanged,
)
from bot.domain.times import clock_offsets, likely_clocks, local
from bot.domain.zones import REGIONS, Region, zones_of
from bot.i18n import speakers
from bot.services.names import read_own_name
from bot.tg.actions import (
    MY_CLOCK,
    MY_CLOCKS,
    MY_ELSEWHERE,
    MY_PLACES,
    MY_ZONE,
    REGION,
    REGION_LIST,
    START_ZONE,
    Tap,
)
from bot.tg.screens.pairing import nowhere
from bot.tg.screens.screen import Button, Place, Screen, View, back_to_settings, button, in_rows, shown
from bot.tg.screens.settings import settings_shown

_CLOCKS_A_ROW: Final = 5
_DAYS_A_ROW: Final = 3
_PLAIN_CLOCK: Final = len("20:30")
_HALF_A_ROW: Final = 15
_PAGE: Final = 12


def _pick(view: View, zone: str) -> Tap:
    """Return the Tap that chooses a zone. The start has another one, so that its buttons do nothing later."""
    return START_ZONE(zone) if _at_the_start(view) else MY_ZONE(zone)


def _at_the_start(view: View) -> bool:
    return view.user is not None and view.user.step is not Step.READY


def clock_wanted(view: View, result: ClockWanted) -> Screen:
    say = view.say
    parts = []
    if result.invite == Came.NOWHERE:
        parts.append(nowhere(view))
    if not _at_the_start(view) and view.user and view.user.zone:
        place = say.city(view.user.zone)
        # Translators: in the settings, before the question what time it is now. %(clock)s is like 20:14.
        parts.append(say("Set to %(place)s, where it is %(clock)s now.", place=place, clock=view.clock(view.now)))
    parts.append(_unclear(view, result) if result.unclear else clock_question(view))
    return Screen("\n\n".join(parts), clock_rows(view))


def clock_question(view: View) -> str:
    # Translators: asked at the start, so that the bot knows the time zone; the buttons are cities with their clocks
    return view.say("What time is it for you now? Tap your clock, or type the name of your town.")


def clock_rows(view: View) -> tuple[tuple[Button, ...], ...]:
    """Return the buttons of the likely clocks, and those that lead on or back."""
    buttons = [
        # Translators: button; a city and the time it is there now, like "Berlin 20:14"
        button(view.say("%(city)s %(clock)s", city=view.say.city(zone), clock=_clock_in(view, zone)), _pick(view, zone))
        for zone in likely_clocks(speakers(_tag(view)), view.now)
    ]
    # Translators: button; none of the cities named is near; the user then types one
    elsewhere = button(view.say("Somewhere else"), MY_ELSEWHERE())
    back = () if _at_the_start(view) else ((back_to_settings(view),),)
    return (*_packed(buttons), (elsewhere,), *back)


def _tag(view: View) -> str:
    """Return the language tag of the user's Telegram, which may name a country."""
    return (view.user and view.user.telegram_language) or view.say.language


def _packed(buttons: list[Button]) -> list[tuple[Button, ...]]:
    """Arrange buttons, with two in a row where both are short."""
    rows: list[tuple[Button, ...]] = []
    half: int | None = None  # the index of the row with room for another short one
    for each in buttons:
        is_short = len(each.text) <= _HALF_A_ROW
        if is_short and half is not None:
            rows[half] = (*rows[half], each)
            half = None
        else:
            rows.append((each,))
            half = len(rows) - 1 if is_short else half
    return rows


def _unclear(view: View, result: ClockWanted) -> str:
    say = view.say
    if result.unclear == Unclear.CLOCK:
        # Translators: a time of day was typed that no clock in the world shows now. %(clock)s is like 20:14.
        return say(
            "Nobody's clock shows that right now. Type what yours shows at this minute, like %(clock)s, or a town.",
            clock=view.clock(view.now),
        )
    if result.unclear == Unclear.TIME:
        # Translators: something like 25:00 was typed, which is no time of day. %(clock)s is like 20:14.
        return say(
            "There is no such time of day. Type what your clock shows now, like %(clock)s, or the name of your town.",
            clock=view.clock(view.now),
        )
    # Translators: a city could not be found
    return say("I don't know that place. Try the nearest larger city, or tap the time it is for you now.")


def elsewhere_wanted(view: View, _: ElsewhereWanted) -> Screen:
    say = view.say
    clocks = [button(_clock_label(view, choice.local), MY_CLOCK(choice.minutes)) for choice in clock_offsets(view.now)]
    rows = [
        *_rows_of_clocks(clocks),
        (
            # Translators: button; a keyboard comes whose key shares the location
            button(say("Share my location"), MY_PLACES()),
            # Translators: button; shows the parts of the world, then their cities
            button(say("List by region"), REGION_LIST()),
        ),
        # Translators: button; back to the cities and clocks that were offered first
        (button(say("Back"), MY_CLOCKS()),),
    ]
    # Translators: all clock times that exist now follow as buttons
    text = say("Type the name of your town, or what your clock shows now. Or tap that time:")
    return Screen(text, tuple(rows))


def _rows_of_clocks(clocks: list[Button]) -> list[tuple[Button, ...]]:
    """Arrange the clocks in rows. Those with a weekday are longer, so fewer of them fit in a row on a phone."""
    rows: list[tuple[Button, ...]] = []
    for has_day, group in groupby(clocks, key=lambda clock: len(clock.text) > _PLAIN_CLOCK):
        alike = list(group)
        a_row = _DAYS_A_ROW if has_day else _CLOCKS_A_ROW
        rows += in_rows(alike, a_row)
    return rows


def _clock_label(view: View, here: datetime) -> str:
    """Return a clock's time, with the weekday if that differs from UTC's, as two clocks can be a whole day apart."""
    shown = view.say.clock(here.time())
    return shown if here.date() == view.now.date() else f"{view.say.weekday_short(here.date())} {shown}"


def _clock_in(view: View, zone: str) -> str:
    return view.say.clock(local(view.now, zone).time())


def city_wanted(view: View, result: CityWanted) -> Screen:
    say = view.say
    if result.called and len(result.zones) == 1:
        return place_sought(replace(view, places=((say.city(result.zones[0]), result.zones[0]),)), PlaceSought())
    has_one_clock = len({_clock_in(view, zone) for zone in result.zones}) == 1
    labels = {zone: say.city(zone) if has_one_clock else _label(view, say.city(zone), zone) for zone in result.zones}
    rows = [
        *((button(labels[zone], _pick(view, zone)),) for zone in result.zones),
        (button(say("Somewhere else"), MY_ELSEWHERE()),),
    ]
    # Translators: cities follow as buttons which all show the same clock now; summer time makes them differ later
    return Screen(say("Which of these is nearest to you? Summer time differs from place to place."), tuple(rows))


def place_wanted(view: View, _: PlaceWanted) -> Screen:
    say = view.say
    return Screen(
        # Translators: the user then types a city, or taps the keyboard button that shares the location
        say("Type the name of your city, or share your location. Only the time zone is kept, not the place."),
        # Translators: button of the keyboard; Telegram then asks for permission to share the location
        wants_location=(say("Share my location"), say("Back")),
    )


def place_sought(view: View, _: PlaceSought) -> Screen:
    """Show the places found for a typed name or a shared location."""
    say = view.say
    if not view.places:
        return clock_wanted(view, ClockWanted(Unclear.PLACE))
    if len(view.places) == 1:
        ((name, zone),) = view.places
        return Screen(
            # Translators: asks whether the place was understood; the clock shows whether it is the right one
            say("It is now %(clock)s in %(place)s. Is that your clock?", clock=_clock_in(view, zone), place=name),
            (
                (
                    # Translators: button; yes, this is the time zone I live in
                    button(say("Yes"), _pick(view, zone)),
                    # Translators: button; no, this is not my clock; the clock times are shown again
                    button(say("No"), MY_CLOCKS()),
                ),
            ),
        )
    rows = [
        *((button(_label(view, name, zone), _pick(view, zone)),) for name, zone in view.places),
        # Translators: button; none of these places; the clock times are shown again
        (button(say("None of these"), MY_CLOCKS()),),
    ]
    # Translators: several places of that name; each button shows a place and the time it is there now
    return Screen(say("Which one is it?"), tuple(rows))


def _label(view: View, name: str, zone: str) -> str:
    return f"{name} · {_clock_in(view, zone)}"


def region_wanted(view: View, _: RegionWanted) -> Screen:
    rows = [(button(_region_name(view, region), REGION(region, 0)),) for region in REGIONS]
    back = button(view.say("Back"), MY_ELSEWHERE())
    # Translators: parts of the world follow as buttons
    return Screen(view.say("Which part of the world?"), (*rows, (back,)))


def _region_name(view: View, region: Region) -> str:
    say = view.say
    names = {
        # Translators: part of the world, on a button
        Region.AFRICA: say("Africa"),
        # Translators: part of the world, on a button: North, Central and South America
        Region.AMERICA: say("The Americas"),
        # Translators: part of the world, on a button
        Region.ASIA: say("Asia"),
        # Translators: part of the world, on a button; the Atlantic's islands are listed with Europe
        Region.EUROPE: say("Europe and the Atlantic"),
        # Translators: part of the world, on a button
        Region.PACIFIC: say("Australia and the Pacific"),
    }
    return names[region]


def region_zones(view: View, result: RegionZones) -> Screen:
    say = view.say
    region = Region(result.region)
    zones = sorted(zones_of(region), key=say.city)
    pages = [zones[at : at + _PAGE] for at in range(0, len(zones), _PAGE)]
    page = min(result.page, len(pages) - 1)
    buttons = [button(_label(view, say.city(zone), zone), _pick(view, zone)) for zone in pages[page]]
    rows = [(each,) for each in buttons]
    turns: list[Button] = []
    if page:
        # Translators: button; the page before this one of a list
        turns.append(button(say("‹ Before"), REGION(region, page - 1)))
    if page < len(pages) - 1:
        # Translators: button; the next page of a list
        turns.append(button(say("More ›"), REGION(region, page + 1)))
    # Translators: button; back to the parts of the world
    back = button(say("Back"), REGION_LIST())
    # Translators: cities follow as buttons, each with the time it is there now
    text = say("%(region)s: tap the city whose clock is yours.", region=_region_name(view, region))
    return Screen(text, (*rows, *([tuple(turns)] if turns else []), (back,)))


def zone_changed(view: View, result: ZoneChanged) -> Screen:
    say = view.say
    user = view.user
    place = say.city(user.zone) if user and user.zone else ""
    # Translators: the time zone was set; confirms it in words. %(clock)s is like 20:14.
    text = say("It is now %(clock)s in %(place)s.", clock=view.clock(view.now), place=place)
    if user and user.next_ask_at:
        # Translators: %(when)s is like "tomorrow at 20:30"
        text += " " + say("The next question comes %(when)s.", when=view.when(user.next_ask_at))
    if result.keyboard:  # the first of two messages takes it away
        return replace(settings_shown(view, SettingsShown()), first=text, place=Place.BELOW)
    return Screen(text, ((back_to_settings(view),),))


SCREENS: Final = (
    shown(ClockWanted, clock_wanted),
    shown(CityWanted, city_wanted),
    shown(ElsewhereWanted, elsewhere_wanted),
    shown(PlaceWanted, place_wanted),
    shown(PlaceSought, place_sought),
    shown(RegionWanted, region_wanted),
    shown(RegionZones, region_zones),
    shown(ZoneChanged, zone_changed, lambda _: read_own_name),
)
