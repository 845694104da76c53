"""Every screen, in every language: it fits Telegram, says only what is translatable, and its buttons lead somewhere."""

import inspect
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from functools import cache
from itertools import count, groupby, product
from math import gcd, prod
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, ClassVar, Final, Union, get_args, get_origin, get_type_hints
from zoneinfo import ZoneInfo

import pytest

from bot import app, library
from bot.config import LONGEST_SHOWN, load
from bot.crypto import KeyRing
from bot.demo.entities import formatted
from bot.domain import results
from bot.domain.content import Wish
from bot.domain.feelings import Feeling, pack
from bot.domain.invitations import read_link
from bot.domain.journal import By, Filter
from bot.domain.model import DEEPEST, Rhythm, User
from bot.domain.recap import weeks_until
from bot.domain.results import PauseDayWanted, Result, Silence, unpack
from bot.domain.results.journal import JournalLine, JournalPage
from bot.domain.results.privacy import PolicyShown
from bot.domain.results.sharing import ShareList
from bot.domain.ritual import Terms
from bot.domain.sharing import ResponseKind, When
from bot.domain.times import EVERY_DAY
from bot.domain.undecided import Waits
from bot.domain.zones import KNOWN_ZONES, Region
from bot.i18n import Say, languages, say_in
from bot.services.settings import SWITCHES
from bot.storage.store import Store
from bot.tg.actions import BOARD, LIMIT, Tap
from bot.tg.screens import SCREENS, Button, Operator, Place, Screen, View, always, show
from bot.tg.screens.screen import unlinked
from bot.tg.screens.sharing import glimpse
from bot.tg.sender import _keyboard

MOST_CHARACTERS: Final = 4096
MOST_BELOW_A_PICTURE: Final = 1024
MOST_ON_A_TOAST: Final = 200
MOST_ON_A_BUTTON: Final = 40
FITS_ON_A_BUTTON: Final = {1: 33, 2: 16, 3: 9.8, 4: 7, 5: 5.5, 6: 4.5, 7: 3.6, 8: 3}
"""Letters that Telegram shows on a phone 360 points wide, by the number of buttons in the row."""
BIGGEST_ID: Final = (1 << 63) - 1
NOW: Final = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
MOMENTS: Final = tuple(NOW + step for step in (timedelta(hours=1), timedelta(days=1), timedelta(days=4), timedelta(99)))
CONTENT: Final = library.load(library.content_folder())
WORDS: Final = "⟦<&>'\"%(n)s⟧" * 25
"""Texts that somebody may write: as long as a line, without a letter, and with all that HTML or we could misread."""
NAME: Final = "⟦<&> %s⟧" * 5
WRITTEN: Final = re.compile("⟦[^⟧\n]*?(?:⟧|…)")  # some of it may be cut


def _longest(texts: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(sorted(texts, key=lambda name: len(texts[name].text))[-3:])


BY_NAME: Final[dict[str, tuple[Any, ...]]] = {
    "incident": ("7KQ2M9XZ",),
    "problems": ((), ("database", "disk", "outbox", "start", "telegram", "webhook")),
    "version": ("0.1.0",),
    "schema": ("0034",),
    "free_gib": (12, None),
    "silent_minutes": (0, 70, None),
    "late_minutes": (0, 70),
    "incidents": (0, 70),
    "since": (NOW,),
    "backup": (date(2026, 12, 30), None),
    "rehearsed": (date(2026, 12, 30), None),
    "prompt_id": (*_longest(CONTENT.prompts), None, "gone.by-now"),
    "cue_id": tuple(cue.id for cue in CONTENT.cues),
    "wish": tuple(Wish),
    "answer": tuple(ResponseKind),
    "question": (ResponseKind.HARDEST, "gone"),
    "stem": ("", CONTENT.stems[0].id, "gone-by-now"),
    "terms": tuple(Terms),
    "waits": tuple(Waits),
    "choices": (tuple((when, NOW + timedelta(days=2)) for when in When), ()),
    "region": tuple(Region),
    "zones": (tuple(sorted(KNOWN_ZONES, key=len)[-8:]),),
    "switch": tuple(SWITCHES),
    "command": ("today", "settings"),
    "depth": tuple(range(1, DEEPEST + 1)),
    "weekday": tuple(range(7)),
    "page": (0, 99),
    "others": (0, 7),
    "stale": ((),),
    "preface": (None,),
}
"""Values of fields whose type doesn't say which values are possible."""


WEEKS_OF_WORDS: Final = json.dumps(
    [
        [first.isoformat(), pack([Feeling(own=f"⟦<{at}{letter}&'%s😀>{'x' * 15}⟧") for letter in "abcdefghij"])]
        for at, first in enumerate(weeks_until(NOW.date()))
    ]
)
"""More words of the user's own than fit below a picture."""


class Spoken(dict[str, str]):
    """Every word that a screen can ask for."""

    def __missing__(self, name: str) -> str:
        if "." in name:  # one of several, whose id follows
            return self[name.partition(".")[0]]
        return NAME if name in {"name", "first_name", "me", "own"} else WORDS

    def __contains__(self, name: object) -> bool:
        return True

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ARG002  # there is nothing that is missing
        return self[name]


LINK: Final = max((link for n in range(1, 65) if (link := read_link("A" * n))), key=len)
"""The longest secret that a link can carry."""
LONGEST_CUE: Final = max(CONTENT.cues, key=lambda cue: len(cue.text)).id
SPOKEN: Final = Spoken(
    code="K7M2-9QXD",
    link=LINK,
    secret=LINK,
    wish=Wish.ADVICE.value,
    unsure="",
    cue_id=LONGEST_CUE,
    length="4096",
    line_day="2026-11-25",
    open_days="2026-11-22 2026-11-25",
    question=ResponseKind.MORE.value,
    kept_on="2026-11-22",
    lines="8",
    feared="5",
    came="1",
    feelings=pack([Feeling(own="⟦<&'%s\"⟧"), Feeling(shelf="made-light-of"), *[Feeling(shelf="heavy")] * 4]),
    boards="heavy gone-by-now small",
    filter=Filter(By.WORD, Feeling(own="⟦<&'%s\"⟧")).pack(),
    places=json.dumps([(BIGGEST_ID, 5)] * 6),
    themes=" ".join(theme.id for theme in CONTENT.themes),
    weeks=WEEKS_OF_WORDS,
    tapped=BOARD("wound-up", BIGGEST_ID).pack(),
)


class Pseudo(Say):
    """A language in which everything said through the catalogs is between «guillemets»."""


def _between_guillemets(way: Callable[..., Any]) -> Callable[..., Any]:
    def say(*given: Any, **values: Any) -> Any:
        said = way(*given, **values)
        return f"«{said}»" if isinstance(said, str) else tuple(f"«{each}»" for each in said)

    return say


for _name, _way in vars(Say).items():
    if inspect.isfunction(_way) and (_name == "__call__" or not _name.startswith("_")):
        setattr(Pseudo, _name, _between_guillemets(_way))


def _values(hint: Any, name: str) -> tuple[Any, ...]:
    """Yield values that a field can have: the longest, the extremes, both of two."""
    if name in BY_NAME:
        return BY_NAME[name]
    kind, parts = get_origin(hint), get_args(hint)
    if kind in {Union, UnionType}:
        return tuple(value for part in parts for value in _values(part, name))
    if kind is tuple and parts[-1] is Ellipsis:
        each = _values(parts[0], name)
        return (), tuple(each[at % len(each)] for at in range(8))
    if kind is tuple:
        return tuple(product(*(_values(part, name)[-1:] for part in parts)))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return tuple(hint)
    plain: dict[Any, tuple[Any, ...]] = {
        bool: (False, True),
        int: (0, BIGGEST_ID) if name == "reflection_id" else (BIGGEST_ID,),
        datetime: MOMENTS,
        date: (date(2026, 11, 22), date(2026, 12, 30)),
        time: (time(7, 30), time(23, 59)),
        NoneType: (None,),
    }
    assert hint in plain, f"{name}: {hint} - say in BY_NAME which values it can have"
    return plain[hint]


MOST_EXAMPLES: Final = int(os.environ.get("AJAR_SCREENS", "100"))
"""The most combinations of values for a kind of Result; few kinds have more. `make prove` takes 10,000."""


def examples(kind: type[Result]) -> tuple[Result, ...]:
    """Return a Result for each combination of values, or for an even spread of them that has each value of a field."""
    hints = get_type_hints(kind)
    values = {field.name: _values(hints[field.name], field.name) for field in fields(kind)}
    all_of_them = prod(map(len, values.values()))
    step = next(at for at in count(round(all_of_them * GOLDEN)) if gcd(at, all_of_them) == 1)
    places = [at * step % all_of_them for at in range(min(all_of_them, MOST_EXAMPLES))]
    return tuple(kind(**_combined(values, place)) for place in sorted(places))


GOLDEN: Final = 0.618
"""The part of a circle whose multiples are spread most evenly over it."""


def _combined(values: Mapping[str, tuple[Any, ...]], place: int) -> dict[str, Any]:
    """Return the combination in this place when all are in a row."""
    chosen = {}
    for name, each in values.items():
        place, at = divmod(place, len(each))
        chosen[name] = each[at]
    return chosen


RESULTS: Final = [kind for _, kind in sorted({kind.__name__: kind for kind in Result.__subclasses__()}.items())]
USER: Final = User(
    BIGGEST_ID, "en", NOW, ask_at=time(20, 30), zone="America/Argentina/Buenos_Aires", next_ask_at=MOMENTS[1]
)
USERS: Final = (
    USER,
    replace(USER, ceiling=DEEPEST, days=frozenset({6}), quiet_from=None, quiet_to=None, next_ask_at=None),
    replace(
        USER, paused_at=NOW, paused_until=date(2026, 12, 30), soft_reminder=True, discreet=True, weekly_recap=True,
        rhythm=Rhythm.WEEKLY, muted_themes=frozenset(theme.id for theme in CONTENT.themes), days=EVERY_DAY,
    ),
)  # fmt: skip
AT_THE_START: Final = (replace(USER, ask_at=None, zone=None), replace(USER, zone=None, telegram_language="en-AU"))
PLACES: Final = (
    (),
    (("Llanfairpwllgwyngyll, GB", "Europe/London"),),
    tuple((f"Springfield {zone}", zone) for zone in KNOWN_ZONES[:6]),
)
SAYS: Final = {**{language: say_in(language) for language in languages()}, "pseudo": Pseudo("en")}


def views(language: str, kind: type[Result]) -> Iterator[View]:
    for user, words in product(USERS, (SPOKEN, {})):
        places = PLACES if kind.__name__ == "PlaceSought" else PLACES[:1]
        for found in places:
            yield View(SAYS[language], NOW, CONTENT, user, found, words, "a_bot_with_a_long_name_bot")


class Watched(View):
    """A view that notes which of its fields are read."""

    read: ClassVar[set[str]] = set()

    def __getattribute__(self, name: str) -> Any:
        Watched.read.add(name)
        return super().__getattribute__(name)


def screens(views: Iterable[View], kind: type[Result]) -> Iterator[tuple[Result, Screen]]:
    """Draw every screen of this kind; those that look the same come once.

    A view is left out if it differs from an earlier one only in what wasn't read to draw the Result there.
    """
    names = [field.name for field in fields(View)]
    values = [[getattr(view, name) for name in names] for view in views]
    watched = [Watched(*each) for each in values]
    others = [
        [{name for name, a, b in zip(names, here, there, strict=True) if a != b} for there in values[:at]]
        for at, here in enumerate(values)
    ]
    drawn: set[Screen] = set()
    for result in examples(kind):
        read: dict[int, set[str]] = {}
        for at, view in enumerate(watched):
            if any(read[before].isdisjoint(others[at][before]) for before in read):
                continue
            Watched.read.clear()
            screen = show(view, result)
            assert screen is not None, result
            read[at] = set(Watched.read)
            if screen not in drawn:
                drawn.add(screen)
                yield result, screen


MOST_WORDS: Final = {results.ConsentWanted: 80, ShareList: 115, JournalPage: 130}
"""The most words on a screen, in any language; 90 on all others. A list of fifteen lines has more, mostly dates, and
so has a page of eight lines with six words for each."""
NAMES: Final = {"name": "Alex", "first_name": "Robin", "me": "Robin", "secret": "A" * 22, "link": "A" * 22} | {
    "code": "K7QX-9M2P"
}


class Brief(Spoken):
    """Names of one word, and nothing else of what people wrote, so that what is counted is ours."""

    def __missing__(self, name: str) -> str:
        if "." in name:
            return self[name.partition(".")[0]]
        return "Alex" if name in {"name", "first_name", "me", "own"} else "…"


BRIEF: Final = Brief(SPOKEN | NAMES | {"weeks": json.dumps([["2026-11-16", pack([Feeling(own="…")])]])})


def words_of(text: str) -> int:
    """Count the words that are seen before anything folded is tapped."""
    unfolded = re.sub("<blockquote expandable>.*?</blockquote>", "", text, flags=re.DOTALL)
    return len(re.findall(r"\w[\w'’-]*", re.sub(r"https://\S+", "link", shown_of(unfolded))))


@pytest.mark.parametrize(
    ("language", "musts"),
    [
        ("en", ("typed that name", "Ask first", "A no is told to nobody", "/unpair")),
        ("de", ("selbst eingetippt", "Frag erst nach", "Von einem Nein erfährt niemand", "/unpair")),
    ],
)
def test_greeting_and_invitation_are_shorter_still(language: str, musts: tuple[str, ...]) -> None:
    """Seventy words for the greeting, eighty for the invitation."""
    view = View(SAYS[language], NOW, CONTENT, None, (), NAMES, "ajar_bot")
    greeting, invited = show(view, results.ConsentWanted()), show(view, results.Invited(1))
    assert greeting
    assert invited
    assert words_of(greeting.text) <= 70
    assert words_of(invited.text) <= 80
    for must in musts:
        assert must in invited.text


@pytest.mark.parametrize("language", languages())
def test_clock_buttons_fit_at_the_start(language: str) -> None:
    for user in AT_THE_START:
        screen = show(View(SAYS[language], NOW, CONTENT, user, (), {}, "a_bot"), results.ClockWanted())
        assert screen
        assert len(buttons(screen)) <= 9
        for row in screen.rows:
            for each in row:
                assert _wide(each.text) <= FITS_ON_A_BUTTON[len(row)], each.text


@cache
def shown_of(text: str) -> str:
    """Return what one reads of it. Raises for HTML that Telegram would refuse."""
    return formatted(text, "HTML", None)[0]


def buttons(screen: Screen) -> list[Button]:
    return [button for row in screen.rows for button in row]


@pytest.fixture(scope="module")
def taps(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The actions of the bot that lead somewhere, as it is assembled to run."""
    folder: Path = tmp_path_factory.mktemp("bot")
    store = Store.at(f"sqlite+aiosqlite:///{folder / 'ajar.db'}", KeyRing.new())
    bot = app.build(load({"AJAR_BOT_TOKEN": "123456:abcdefghijklmnop", "AJAR_DATA_DIR": str(folder)}, None), store)
    return set(bot.routes.taps)


def test_every_result_is_shown_or_silent() -> None:
    assert [kind for kind in RESULTS if (kind in SCREENS) == (kind is Silence)] == []


def test_every_result_survives_storage() -> None:
    for kind in RESULTS:
        for result in examples(kind)[:50]:
            assert unpack(result.pack()) == result


SHOWN: Final = [kind for kind in RESULTS if kind is not Silence]


@pytest.mark.parametrize("kind", SHOWN)
@pytest.mark.parametrize("language", SAYS)
def test_screen_is_right(language: str, kind: type[Result], taps: set[str]) -> None:
    """Each screen is checked for everything once it is drawn, since drawing them all takes the longest."""
    for result, screen in screens(views(language, kind), kind):
        _fits_telegram(result, screen)
        _buttons_fit(result, screen, longest=None if language == "pseudo" else MOST_ON_A_BUTTON)
        _buttons_lead_somewhere(result, screen, taps)
        _is_private_if_it_shows_words(result, screen)
        if language == "pseudo":
            _is_translatable(result, screen)
        else:
            _is_readable_on_a_narrow_phone(result, screen)


def _fits_telegram(result: Result, screen: Screen) -> None:
    for text in (screen.text, screen.first or "x"):
        shown = shown_of(text)
        most = MOST_BELOW_A_PICTURE if screen.picture else MOST_CHARACTERS
        assert 1 <= len(shown) <= most, (result, len(shown))
        assert not re.search(r"%\(|&(?:amp|lt|gt|quot);", WRITTEN.sub("", shown)), (result, shown)
    if screen.place is Place.TOAST:
        assert not screen.rows, result
        assert shown_of(screen.text) == screen.text or not re.search("[<&]", screen.text), result
        assert len(screen.text) <= MOST_ON_A_TOAST, result


def _buttons_fit(result: Result, screen: Screen, *, longest: int | None) -> None:
    _keyboard(screen)  # raises if Telegram's own objects can't be made from it
    assert len(buttons(screen)) <= 100, result
    for button in buttons(screen):
        assert button.text.strip() or button.tap == Tap("blank"), result
        assert longest is None or len(button.text) <= longest, (result, button.text)
        assert "<tg-" not in button.text, (result, button.text)
        assert len(button.copies) <= 256, (result, button)


def _buttons_lead_somewhere(result: Result, screen: Screen, taps: set[str]) -> None:
    for button in buttons(screen):
        assert bool(button.tap) + bool(button.url) + bool(button.copies) == 1, (result, button)
        if button.tap:
            assert button.tap.action in taps, (result, button.tap)
            assert len(button.tap.pack().encode()) <= LIMIT, (result, button.tap)


def _wide(text: str) -> float:
    """Return about how many letters of usual width a text takes."""
    return sum(0.6 if each in "iljtfrI.,:’'|·‹› " else 1.5 if each in "mwMW…✓" else 1 for each in text)


def _is_readable_on_a_narrow_phone(result: Result, screen: Screen) -> None:
    for row in screen.rows:
        for button in row:
            if not WRITTEN.search(button.text):
                assert _wide(button.text) <= FITS_ON_A_BUTTON[len(row)], (result, button.text)


def _is_translatable(result: Result, screen: Screen) -> None:
    if isinstance(result, PolicyShown):
        return  # each language has its own, in content/policy
    for text in (shown_of(screen.text), shown_of(screen.first or ""), *(button.text for button in buttons(screen))):
        assert not _untranslatable(text), (result, text)


def _untranslatable(text: str) -> list[str]:
    """Return letters that didn't come through the catalogs; commands, links and people's own words don't count."""
    for known in (SPOKEN["code"], "Llanfairpwllgwyngyll, GB"):
        text = text.replace(known, "")
    text = WRITTEN.sub("", text)
    text = re.sub(r"https://\S+|(?<!\w)/[a-z]+|Springfield [\w/]+", "", text)
    while (less := re.sub(r"«[^«»]*»", "", text)) != text:
        text = less
    return re.findall(r"[^\W\d_]{2,}", text)


OWN_WORDS: Final = "⟦<&>'"
"""How a text begins that somebody wrote, unlike a name."""


def _is_private_if_it_shows_words(result: Result, screen: Screen) -> None:
    """Then discreet mode removes it again. What a use case reads for a screen must not stay by being forgotten."""
    texts = (shown_of(screen.text), *(each.text for each in buttons(screen)))
    if screen.place is not Place.TOAST and any(OWN_WORDS in text for text in texts):
        assert screen.private, result


TO_ANYBODY: Final = (
    *(results.ConsentWanted, results.Invited, results.Declined, results.Help, results.Support, results.PrivacyShown),
    *(results.EraseWanted, results.StopWanted, results.Cancelled, results.UnknownCommand),
)
"""Screens that people see of whom nothing is stored, too."""


@pytest.mark.parametrize("kind", SHOWN)
@pytest.mark.parametrize("language", languages())
def test_screens_are_short(language: str, kind: type[Result]) -> None:
    users = (None, *AT_THE_START, *USERS) if kind in TO_ANYBODY else (*AT_THE_START, *USERS)
    drawn_for = (
        View(SAYS[language], NOW, CONTENT, user, PLACES[1], words, "ajar_bot")
        for user, words in product(users, (BRIEF, {}))
    )
    for result, screen in screens(drawn_for, kind):
        assert words_of(screen.text) <= MOST_WORDS.get(kind, 90), (result, screen.text)


@pytest.mark.parametrize("language", languages())
def test_emergency_numbers_of_each_country_fit(language: str) -> None:
    for country, entries in groupby(CONTENT.support, key=lambda each: each.country):
        user = replace(USER, zone=None, telegram_language=f"en-{country}")
        view = View(SAYS[language], NOW, CONTENT, user, PLACES[1], BRIEF, "ajar_bot")
        numbers = {entry.number for entry in entries}
        for screen in (always.support(view, results.Support()), always.safety_card(view)):
            assert words_of(screen.text) <= 90, screen.text
            assert numbers <= set(re.findall(r"\d+", screen.text)), screen.text


@pytest.mark.parametrize(
    ("zone", "tag", "says"),
    [
        ("Europe/Berlin", "en", "Germany: call 112\n"),
        ("Europe/Zurich", "de", "Switzerland: ambulance 144, police 117\n"),
        (None, "en-GB", "United Kingdom: call 999\n"),
        (None, "en", "Call your local emergency number"),
        ("Antarctica/Vostok", "ru", "Call your local emergency number"),
    ],
)
def test_emergency_number_is_that_of_the_country(zone: str | None, tag: str, says: str) -> None:
    user = replace(USER, zone=zone, telegram_language=tag)
    view = View(SAYS["en"], NOW, CONTENT, user, PLACES[1], BRIEF, "ajar_bot")
    assert says in always.safety_card(view).text
    assert says in always.support(view, results.Support()).text


def test_old_numbers_are_not_shown() -> None:
    late = NOW + timedelta(days=365)
    user = replace(USER, zone="Europe/Berlin")
    text = always.safety_card(View(SAYS["en"], late, CONTENT, user, PLACES[1], BRIEF, "ajar_bot")).text
    assert "Germany" not in text
    assert "Call your local emergency number" in text


@pytest.mark.parametrize("language", languages())
def test_only_long_screens_are_folded(language: str) -> None:
    folds = {
        kind
        for kind in SHOWN
        for result in examples(kind)[:4]
        if "expandable"
        in SCREENS[kind].make(View(SAYS[language], NOW, CONTENT, USER, PLACES[1], BRIEF, "ajar_bot"), result).text
    }
    assert folds == {results.Help, results.PrivacyShown, PolicyShown}


LINKS: Final = (
    *("example.com", "https://example.com/x", "t.me/some_bot?start=x", "tg://resolve?domain=some_bot", "www.пример.рф"),
    *("@some_bot", "#tag", "$USD", "/forget_me", "/forget_me@some_bot", "somebody@example.com", "+49 170 1234567"),
)


@pytest.mark.parametrize("kind", SHOWN)
def test_name_can_not_be_tapped(kind: type[Result], monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise a partner's name would lead wherever its owner likes, or be a command of the reader's own."""
    for name in LINKS:
        monkeypatch.setattr(sys.modules[__name__], "NAME", name)
        for result in examples(kind)[:4]:
            screen = show(View(SAYS["en"], NOW, CONTENT, USER, (), SPOKEN, "a_bot"), result)
            assert screen
            text, entities = formatted(screen.text, "HTML", None)
            units = text.encode("utf-16-le")
            found = [units[2 * e["offset"] : 2 * (e["offset"] + e["length"])].decode("utf-16-le") for e in entities]
            assert name not in text, (result, text)
            of_it = [each for each in found if each in name and not each.isdigit()]  # the numbers of a list are ours
            assert not of_it, (result, found)


@pytest.mark.parametrize("name", ["Ann-Marie O'Neil", "J. R.", "Zoë 2", "1️⃣ 👩‍💻 🇵🇹", "محمد", "René d.Ä."])
def test_name_looks_as_typed(name: str) -> None:
    assert unlinked(name).replace("\u2060", "") == name
    assert "\u2060\ufe0f" not in unlinked(name)


@pytest.mark.parametrize("language", languages())
def test_menu_and_profile_fit(language: str) -> None:
    say = say_in(language)
    for command, text in always.all_commands(say):
        assert re.fullmatch("[a-z0-9_]{1,32}", command)
        assert 1 <= len(text) <= 256
    assert len({command for command, _ in always.all_commands(say)}) == len(always.all_commands(say)) <= 100
    assert len(always.description(say)) <= 512
    assert len(always.short_description(say)) <= 120


@pytest.mark.parametrize("language", languages())
def test_old_share_has_a_readable_button(language: str) -> None:
    view = View(SAYS[language], NOW, CONTENT, USER, (), {"share.1": "x", "share.2": "x"}, "a_bot")
    ago = NOW - timedelta(days=6, hours=11)
    screen = show(view, ShareList(((1, ago), (2, ago)), (), None, answered=(2,)))
    assert screen
    for (button,) in screen.rows:
        assert _wide(button.text) <= FITS_ON_A_BUTTON[1], button.text


@pytest.mark.parametrize("language", ["en", "de"])
def test_opened_line_has_gaps_of_one_size(language: str) -> None:
    result = JournalLine(1, NOW.date(), reflections=((2, NOW), (3, NOW + timedelta(days=1))))
    view = View(SAYS[language], NOW, CONTENT, USERS[0], words={"line": "Rain all day."})
    assert re.findall(r"\n\n+", show(view, result).text) == ["\n\n", "\n\n"]  # type: ignore[union-attr]


@pytest.mark.parametrize(("prompt", "is_one"), [("body.where", True), (None, False)])
def test_open_day_is_no_question_for_today(prompt: str | None, is_one: bool) -> None:
    view = View(SAYS["en"], NOW, CONTENT, USER, (), {}, "ajar_bot")
    asked = results.Asked(7, prompt, next_at=NOW + timedelta(days=1), used_up=prompt is None)
    assert ("the one for today" in SCREENS[results.Asked].make(view, asked).text) is is_one


def test_help_lists_what_works_now() -> None:
    def offered(user: User | None, *, paired: bool = False) -> set[str]:
        screen = show(View(SAYS["en"], NOW, CONTENT, user, (), {}, "a_bot"), results.Help(paired=paired))
        assert screen
        return set(re.findall(r"^/(\w+) ·", shown_of(screen.text), re.MULTILINE))

    assert offered(None) == {"start", "privacy", "support", "help"}
    assert offered(AT_THE_START[0]) == {"start", "hide", "privacy", "export", "erase", "support", "help"}
    assert {"today", "pair"} <= offered(USER)
    assert not {"start", "share", "unpair", "resume"} & offered(USER)
    assert {"share", "unpair", "today"} <= offered(USER, paired=True)
    assert "pair" not in offered(USER, paired=True)


@pytest.mark.parametrize(
    ("operator", "said"),
    [
        (Operator("Robin Vale", "robin@example.org"), "Robin Vale, robin@example.org."),
        (Operator("Robin <Vale>"), "Robin <Vale>."),
        (Operator(contact="@robin"), "@robin."),
        (Operator(), "They haven't said."),
    ],
)
def test_privacy_says_who_runs_it(operator: Operator, said: str) -> None:
    screen = show(View(SAYS["en"], NOW, CONTENT, USER, operator=operator), results.PrivacyShown())
    assert screen
    assert f"Who runs this. {said}" in shown_of(screen.text)


@pytest.mark.parametrize("language", languages())
def test_longest_policy_fits_a_message(language: str) -> None:
    operator = Operator("x" * LONGEST_SHOWN, "x" * LONGEST_SHOWN)
    screen = show(View(SAYS[language], NOW, CONTENT, USER, operator=operator), PolicyShown())
    assert screen
    assert "x" * LONGEST_SHOWN in shown_of(screen.text)
    assert len(shown_of(screen.text)) <= MOST_CHARACTERS


def test_menu_offers_only_possible_commands() -> None:
    say = say_in("en")
    of_all = {name for name, _ in always.all_commands(say)}
    offered = {
        (paired, paused): {name for name, _ in always.commands(say, paired=paired, paused=paused)}
        for paired in (False, True)
        for paused in (False, True)
    }
    of_two = {"share", "waiting", "noticed", "ritual", "unpair"}
    assert offered[False, False] == of_all - of_two - {"resume"}
    assert offered[False, True] == of_all - of_two
    assert offered[True, False] == of_all - {"pair", "join", "resume"}
    assert offered[True, True] == of_all - {"pair", "join"}


def test_shortened_line_breaks_no_character() -> None:
    family = "👨\u200d👩\u200d👧"
    assert glimpse("x" * 29 + family, 30) == "x" * 29 + "…"
    assert glimpse("x" * 25 + family, 30) == "x" * 25 + family
    assert glimpse("neck, back, feet, stomach", 20) == "neck, back, feet…"
    assert glimpse("neck, back, feet, stomach", 17) == "neck, back, feet…"
    assert glimpse("one " + "x" * 40, 30) == "one " + "x" * 26 + "…"


@pytest.mark.parametrize(
    ("days", "year"), [(8, False), (180, False), (181, True), (365, True), (-40, False), (-400, True)]
)
def test_distant_date_has_its_year(days: int, year: bool) -> None:
    """Somebody on a pause for a year must not read it as one until tomorrow."""
    view = View(SAYS["en"], NOW, CONTENT, None, (), {}, "a_bot")
    day = (NOW + timedelta(days=days)).date()
    assert view.date(day).endswith(f", {day.year}") is year
    if days > 0:
        assert (f"{day.year} at " in view.when(NOW + timedelta(days=days))) is year


def test_phone_knows_the_moment_that_is_said() -> None:
    """By its own clock, so that whoever has told us the wrong zone notices."""
    view = View(SAYS["en"], NOW, CONTENT, replace(USER, zone="Asia/Tokyo"), (), {}, "a_bot")
    moment = NOW + timedelta(hours=1)
    assert view.when(moment) == f'<tg-time unix="{moment.timestamp():.0f}">{view.in_words(moment)}</tg-time>'
    assert f"{moment.astimezone(ZoneInfo('Asia/Tokyo')):%H:%M}" in view.in_words(moment)


def test_moment_that_telegram_cannot_store_is_in_words() -> None:
    view = View(SAYS["en"], NOW, CONTENT, USER, (), {}, "a_bot")
    last = datetime(2038, 1, 19, 3, 14, 7, tzinfo=UTC)
    assert "<tg-time" in view.when(last)
    assert view.when(last + timedelta(seconds=1)) == view.in_words(last + timedelta(seconds=1))


@pytest.mark.parametrize("today", [date(2026, 11, 1), date(2026, 11, 27), date(2026, 11, 29), date(2027, 2, 27)])
def test_every_calendar_week_has_a_button(today: date) -> None:
    view = View(SAYS["en"], NOW, CONTENT, None, (), {}, "a_bot")
    last = today + timedelta(days=365)
    month = today.replace(day=1)
    while month <= last:
        screen = show(view, PauseDayWanted(month, today, last))
        assert screen
        (_, title, _), _, *weeks, _ = screen.rows
        days = [button.text for week in weeks for button in week if button.tap and button.tap.action == "pause_until"]
        assert title.text.endswith(str(month.year))
        assert days == [str(day) for day in range(int(days[0]), int(days[-1]) + 1)]
        assert all(any(button.text != "·" for button in week) for week in weeks)
        arrows = [button.text for button in screen.rows[0]]
        assert (arrows[0] == "‹") is (month > today)
        month = (month + timedelta(days=31)).replace(day=1)
