"""Choosing a time zone by clock, city, location or list, in the same way at the start and in the settings."""

from dataclasses import replace
from datetime import datetime
from itertools import groupby
from typing import Final, NamedTuple

from bot.domain.results import (
    Came,
    CityWanted,
    ClockWanted,
    PlaceSought,
    PlaceWanted,
    RegionWanted,
    RegionZones,
    SettingsShown,
    ZoneChanged,
)
from bot.domain.times import clock_offsets, local
from bot.domain.zones import REGIONS, Region, zones_of
from bot.tg.actions import (
    MY_CLOCK,
    MY_CLOCKS,
    MY_PLACE,
    MY_PLACES,
    MY_ZONE,
    REGION,
    REGION_LIST,
    START_CLOCK,
    START_CLOCKS,
    START_PLACE,
    START_ZONE,
    Action,
)
from bot.tg.screens.pairing import nowhere
from bot.tg.screens.screen import Button, Makers, Place, Screen, View, back_to_settings, button
from bot.tg.screens.settings import settings_shown

_CLOCKS_A_ROW: Final = 5
_DAYS_A_ROW: Final = 3
_PLAIN_CLOCK: Final = len("20:30")
_PAGE: Final = 12


class _Actions(NamedTuple):
    """The actions to use. The settings have their own, so that an old button from the start changes nothing."""

    clock: Action[int]
    clocks: Action[()]
    place: Action[()]
    zone: Action[str]
    found: Action[str]


_AT_THE_START: Final = _Actions(START_CLOCK, START_CLOCKS, START_PLACE, START_ZONE, START_ZONE)
_IN_SETTINGS: Final = _Actions(MY_CLOCK, MY_CLOCKS, MY_PLACES, MY_ZONE, MY_PLACE)


def _actions(result: ClockWanted | CityWanted | PlaceWanted | PlaceSought) -> _Actions:
    return _IN_SETTINGS if result.settings else _AT_THE_START


def clock_wanted(view: View, result: ClockWanted) -> Screen:
    say = view.say
    choices, actions = clock_offsets(view.now), _actions(result)
    clocks = [button(_clock_label(view, choice.local), actions.clock(choice.minutes)) for choice in choices]
    rows = _rows_of_clocks(clocks)
    # Translators: button under the clock times; the user then types a city or shares a location
    rows.append((button(say("Type a city or share a location"), _actions(result).place()),))
    if result.settings:
        # Translators: button under the clock times; shows the parts of the world, then their cities
        rows.append((button(say("List by region"), REGION_LIST()),))
        rows.append((back_to_settings(view),))
    if result.unclear:
        # Translators: a city could not be found
        text = say("I don't know that place. Try the nearest larger city, or tap the time it is for you now.")
    else:
        # Translators: the second of two questions at the start, so that the bot knows the time zone; the buttons are
        # clock times
        text = say("What time is it for you now? Tap it below, or type the name of a city.")
    if result.invite is Came.WAITS:
        # Translators: before the second of two questions at the start, to somebody who was invited by a partner
        text = say("One short question first, then the invitation you came with.") + "\n\n" + text
    elif result.invite is Came.NOWHERE:
        text = nowhere(view) + "\n\n" + text
    if result.settings and view.user and view.user.zone:
        # Translators: in the settings, before the question what time it is now. %(clock)s is like 20:14.
        set_to = say("Set to %(place)s, where it is %(clock)s now.", place=say.city(view.user.zone), clock=_now(view))
        text = f"{set_to}\n\n{text}"
    return Screen(text, tuple(rows))


def _rows_of_clocks(clocks: list[Button]) -> list[tuple[Button, ...]]:
    """Arrange the clocks in rows: those with a weekday are longer, so fewer fit in a row on a phone."""
    rows: list[tuple[Button, ...]] = []
    for has_day, group in groupby(clocks, key=lambda clock: len(clock.text) > _PLAIN_CLOCK):
        alike = list(group)
        a_row = _DAYS_A_ROW if has_day else _CLOCKS_A_ROW
        rows += [tuple(alike[at : at + a_row]) for at in range(0, len(alike), a_row)]
    return rows


def _now(view: View) -> str:
    return view.clock(view.now)


def _clock_label(view: View, here: datetime) -> str:
    """Return a clock time, with its weekday if that isn't Greenwich's: two clocks can differ by a whole day."""
    shown = view.say.clock(here.time())
    return shown if here.date() == view.now.date() else f"{view.say.weekday_short(here.date())} {shown}"


def city_wanted(view: View, result: CityWanted) -> Screen:
    say = view.say
    if result.called and len(result.zones) == 1:
        return place_sought(replace(view, places=((say.city(result.zones[0]), result.zones[0]),)), _sought(result))
    clocks = {view.say.clock(local(view.now, zone).time()) for zone in result.zones}
    labels = {
        zone: say.city(zone) if len(clocks) == 1 else _place_label(view, say.city(zone), zone) for zone in result.zones
    }
    rows = [(button(labels[zone], _actions(result).zone(zone)),) for zone in result.zones]
    # Translators: button; none of the cities named is near; the user then types one
    rows.append((button(say("Somewhere else"), _actions(result).place()),))
    if result.settings:
        rows.append((back_to_settings(view),))
    # Translators: cities follow as buttons which all show the same clock now; summer time makes them differ later
    return Screen(say("Which of these is nearest to you? Summer time differs from place to place."), tuple(rows))


def _sought(result: CityWanted) -> PlaceSought:
    return PlaceSought(settings=result.settings)


def place_wanted(view: View, _: PlaceWanted) -> Screen:
    say = view.say
    return Screen(
        # Translators: the user then types a city, or taps the keyboard button that shares the location
        say("Type the name of your city, or share your location. Only the time zone is kept, not the place."),
        # Translators: button of the keyboard; Telegram then asks for permission to share the location
        wants_location=say("Share my location"),
    )


def place_sought(view: View, result: PlaceSought) -> Screen:
    """Show the places found for what was typed or shared."""
    say = view.say
    actions = _actions(result)
    back = ((back_to_settings(view),),) if result.settings else ()
    if not view.places:
        return clock_wanted(view, ClockWanted(unclear=True, settings=result.settings))
    if len(view.places) == 1:
        ((name, zone),) = view.places
        clock = say.clock(local(view.now, zone).time())
        return Screen(
            # Translators: asks whether the place was understood; the clock shows whether it is the right one
            say("It is now %(clock)s in %(place)s. Is that your clock?", clock=clock, place=name),
            (
                (
                    # Translators: button; yes, this is the time zone I live in
                    button(say("Yes"), actions.found(zone)),
                    # Translators: button; no, this is not my clock; the clock times are shown again
                    button(say("No"), actions.clocks()),
                ),
                *back,
            ),
        )
    rows: list[tuple[Button, ...]] = [
        (button(_place_label(view, name, zone), actions.found(zone)),) for name, zone in view.places
    ]
    # Translators: button; none of these places; the clock times are shown again
    rows.append((button(say("None of these"), actions.clocks()),))
    # Translators: several places of that name; each button shows a place and the time it is there now
    return Screen(say("Which one is it?"), (*rows, *back))


def _place_label(view: View, name: str, zone: str) -> str:
    return f"{name} · {view.say.clock(local(view.now, zone).time())}"


def region_wanted(view: View, _: RegionWanted) -> Screen:
    rows = [(button(_region_name(view, region), REGION(region, 0)),) for region in REGIONS]
    # Translators: in the settings; parts of the world follow as buttons
    return Screen(view.say("Which part of the world?"), (*rows, (back_to_settings(view),)))


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
    buttons = [button(_place_label(view, say.city(zone), zone), MY_ZONE(zone)) for zone in pages[page]]
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
    text = say("It is now %(clock)s in %(place)s.", clock=_now(view), place=place)
    if user and user.next_ask_at:
        # Translators: %(when)s is like "tomorrow at 20:30"
        text += " " + say("The next question comes %(when)s.", when=view.when(user.next_ask_at))
    if result.sought:
        return replace(settings_shown(view, SettingsShown()), first=text, place=Place.BELOW)
    return Screen(text, ((back_to_settings(view),),))


MAKERS: Final[Makers] = {
    ClockWanted: clock_wanted,
    CityWanted: city_wanted,
    PlaceWanted: place_wanted,
    PlaceSought: place_sought,
    RegionWanted: region_wanted,
    RegionZones: region_zones,
    ZoneChanged: zone_changed,
}
