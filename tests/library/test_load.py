"""A folder of content becomes a Library, or every mistake in it is reported by file and line."""

import shutil
import subprocess
import sys
import time
import tomllib
from dataclasses import FrozenInstanceError
from datetime import date
from inspect import unwrap
from pathlib import Path

import pytest

from bot.domain.content import Format, Prompt, Role, Sensitivity, Support, SupportKind, Tag, Theme, Wish
from bot.library import ContentError, check, content_folder, load, summary
from tests.library.conftest import Content, cue

WORK = "prompts/work.toml"


def test_correct_folder_becomes_a_library(content: Content) -> None:
    content.spoil(WORK, "sensitivities = []", 'sensitivities = ["loss", "money"]\ntags = ["not-monday"]')
    library = load(content.folder)

    assert library.themes == (Theme("work", "Work"), Theme("weather", "Weather"))
    assert list(library.prompts) == ["work.d1", "work.d2", "weather.d1", "weather.d2"]
    assert library.prompts["work.d1"] == Prompt(
        id="work.d1",
        theme="work",
        depth=1,
        text="What of work is at depth 1?",
        role=Role.TELLER,
        format=Format.ONE_FACT,
        examples=("Rain on work 1.", "Sun on work 1."),
        sensitivities=frozenset({Sensitivity.LOSS, Sensitivity.MONEY}),
        tags=frozenset({Tag.NOT_MONDAY}),
    )
    assert [prompt.id for prompt in library.by_theme["weather"]] == ["weather.d1", "weather.d2"]
    assert [prompt.id for prompt in library.by_depth[2]] == ["work.d2", "weather.d2"]
    assert library.by_depth[5] == ()
    assert [cue.wish for cue in library.cues] == list(Wish)
    assert library.support == ()


def test_library_cannot_be_changed(content: Content) -> None:
    library = load(content.folder)
    with pytest.raises(FrozenInstanceError):
        library.themes = ()  # type: ignore[misc]
    with pytest.raises(TypeError):
        library.prompts["work.d1"] = library.prompts["work.d2"]  # type: ignore[index]


def test_library_needs_prompts_for_one(content: Content) -> None:
    for theme in ("work", "weather"):
        content.spoil(f"prompts/{theme}.toml", 'role = "teller"', 'role = "either"')
    nothing = 'there is no prompt of depth 1 whose role is "teller", so nobody outside a pair can be asked'
    assert check(content.folder) == [f"content/themes.toml:1: {nothing}"]


LONG_PROMPT = "A" * 150 + "?"

PROMPT_MISTAKES = [
    ("depth = 1\n", "", 1, '"depth" is missing'),
    ("sensitivities = []\n", "", 1, '"sensitivities" is missing'),
    (
        "depth = 1",
        'depht = 1\nmood = "x"\ndepth = 1',
        3,
        '"depht" is not known here; known are id, depth, role, format, text, examples, sensitivities, tags',
    ),
    ("depth = 1", 'depth = "1"', 3, "depth is a text; expected a whole number"),
    ("depth = 1", "depth = true", 3, "depth is true or false; expected a whole number"),
    ("depth = 1", "depth = 1.0", 3, "depth is a number; expected a whole number"),
    ("depth = 2", "depth = 6", 15, "depth is 6; it can be 1 to 5"),
    ("depth = 2", "depth = 0", 15, "depth is 0; it can be 1 to 5"),
    ('role = "teller"', 'role = "partner"', 4, 'role is "partner"; it can be teller, either, receiver'),
    ('role = "teller"', "role = 3", 4, 'role is "3"; it can be teller, either, receiver'),
    (
        'format = "one fact"',
        'format = "essay"',
        5,
        (
            'format is "essay"; it can be one fact, name it, pick one, this or that, finish the line, '
            "scale by things, deed, two words, nearly said"
        ),
    ),
    (
        "sensitivities = []",
        'sensitivities = ["loss",\n  "exams"]',
        12,
        'sensitivities is "exams"; it can be childhood, loss, money, children, bodies, sex',
    ),
    ("sensitivities = []", 'sensitivities = "loss"', 11, "sensitivities is a text; expected a list"),
    (
        "sensitivities = []",
        'sensitivities = []\ntags = ["tuesday"]',
        12,
        (
            'tags is "tuesday"; it can be not-monday, not-free-day, free-day, not-january, dark-months, holidays, '
            "not-first-week"
        ),
    ),
    (
        "sensitivities = []",
        'sensitivities = []\ntags = ["free-day", "not-free-day"]',
        12,
        "tags name both free-day and not-free-day, so it could never be asked",
    ),
    (
        '"What of work is at depth 1?"',
        '"What do you two call work?"',
        6,
        'text says "you two", so its role is "either" or "receiver": only for a pair',
    ),
    (
        '"What of work is at depth 1?"',
        '"What does your Partner\'s work smell of?"',
        6,
        'text says "Partner", so its role is "either" or "receiver": only for a pair',
    ),
    ('"What of work is at depth 1?"', f'"{LONG_PROMPT}"', 6, "text is 151 characters long; at most 140 are allowed"),
    ('"What of work is at depth 1?"', '"Tell me about work."', 6, "text does not end in a question mark"),
    (
        '"What of work is at depth 1?"',
        '"What? And why?"',
        6,
        "text has more than one question mark; a prompt asks one thing",
    ),
    ('"What of work is at depth 1?"', '"What of\\nwork?"', 6, "text has a line break; expected one line"),
    ('"What of work is at depth 1?"', '"""\nWhat\nof work?"""', 6, "text has a line break; expected one line"),
    ('"What of work is at depth 1?"', '"What of\u2028work?"', 6, "text has a line break; expected one line"),
    ('"What of work is at depth 1?"', '"What  of work?"', 6, "text has stray spaces"),
    ('"What of work is at depth 1?"', '"What of work? "', 6, "text has stray spaces"),
    ('"What of work is at depth 1?"', '""', 6, "text is empty"),
    ('"What of work is at depth 1?"', '"  "', 6, "text is empty"),
    ('"What of work is at depth 1?"', "14", 6, "text is a number; expected a text"),
    ('"What of work is at depth 1?"', "2026-01-31", 6, "text is a date or time; expected a text"),
    ('"What of work is at depth 1?"', '"What work, hey! Which?"', 6, "text has an exclamation mark"),
    (
        '"What of work is at depth 1?"',
        '"What helps you Heal?"',
        6,
        'text says "Heal", which is a word of the clinic',
    ),
    (
        '"What of work is at depth 1?"',
        '"Where are you vulnerable?"',
        6,
        'text says "vulnerable", which is a word of the clinic',
    ),
    (
        '"What of work is at depth 1?"',
        '"What does your wife say?"',
        6,
        'text says "wife", which is not gender-neutral',
    ),
    (
        '"Sun on work 1."',
        '"My hubby."',
        9,
        'examples says "hubby", which is too cute',
    ),
    ('"Sun on work 1."', '"Yes!"', 9, "examples has an exclamation mark"),
    ('"Sun on work 1."', f'"{"a" * 301}"', 9, "examples is 301 characters long; at most 300 are allowed"),
    ('"Sun on work 1."', "7", 9, "examples is a number; expected a text"),
    ('  "Sun on work 1.",\n', "", 7, "examples has 1 entries; expected 2"),
    ('  "Sun on work 1.",\n', '  "Sun.",\n  "Both.",\n', 7, "examples has 3 entries; expected 2"),
    ("examples = [\n", 'examples = "x"\nsensitivity = [\n', 7, "examples is a text; expected a list of texts"),
    (
        'id = "work.d1"',
        'id = "Work 1"',
        2,
        'id is "Work 1"; expected "work." and then lower-case letters, digits and single hyphens',
    ),
    (
        'id = "work.d1"',
        'id = "weather.d3"',
        2,
        'id is "weather.d3"; expected "work." and then lower-case letters, digits and single hyphens',
    ),
    ('format = "one fact"', 'format = "finish the line"', 6, "text has no … for the end that the answer adds"),
    ('format = "one fact"', 'format = "this or that"', 6, 'text has no "or", as "this or that" needs'),
    ('format = "one fact"', 'format = "pick one"', 6, 'text has no "or", as "pick one" needs'),
]


@pytest.mark.parametrize(("old", "new", "line", "sentence"), PROMPT_MISTAKES, ids=[m[3][:50] for m in PROMPT_MISTAKES])
def test_mistake_in_a_prompt_is_located(content: Content, old: str, new: str, line: int, sentence: str) -> None:
    content.spoil(WORK, old, new)
    assert f"content/prompts/work.toml:{line}: {sentence}" in check(content.folder)


@pytest.mark.parametrize("text", ["What keeps you healthy?", "Which trip was long?", "What is the condition of it?"])
def test_harmless_lookalikes_are_allowed(content: Content, text: str) -> None:
    content.spoil(WORK, "What of work is at depth 1?", text)
    assert check(content.folder) == []


def test_longest_allowed_text_is_fine(content: Content) -> None:
    content.spoil(WORK, "What of work is at depth 1?", "é" * 139 + "?")
    assert check(content.folder) == []


def test_duplicate_id_names_the_first(content: Content) -> None:
    content.spoil(WORK, 'id = "work.d2"', 'id = "work.d1"')
    assert check(content.folder) == [
        'content/prompts/work.toml:14: id "work.d1" is already used at content/prompts/work.toml:2'
    ]


def test_equal_texts_ignore_case_and_spaces(content: Content) -> None:
    content.spoil("prompts/weather.toml", "What of weather is at depth 1?", "what OF  work is at depth 1?")
    assert check(content.folder) == [
        "content/prompts/weather.toml:6: text has stray spaces",
        "content/prompts/weather.toml:6: text is the same as at content/prompts/work.toml:6",
    ]


def test_example_must_not_repeat_another_text(content: Content) -> None:
    """gettext sees equal texts once, so two meanings could not be translated separately."""
    content.spoil(WORK, "Sun on work 2.", "Rain on work 1.")
    assert check(content.folder) == [
        "content/prompts/work.toml:21: examples is the same as at content/prompts/work.toml:8"
    ]


def test_all_mistakes_are_reported_in_order(content: Content) -> None:
    content.spoil(WORK, "depth = 2", "depth = 9")
    content.spoil(WORK, 'role = "teller"', 'role = "boss"')
    content.spoil("prompts/weather.toml", "Sun on weather 1.", "Sun!")
    content.spoil("cues.toml", "A nod for listen.", "A nod for listen")
    with pytest.raises(ContentError) as caught:
        load(content.folder)
    assert caught.value.problems == [
        "content/cues.toml:4: text does not end in a full stop; a cue is one sentence",
        "content/prompts/weather.toml:9: examples has an exclamation mark",
        "content/prompts/work.toml:1: there is no prompt of depth 2; everybody starts with a ceiling of 2",
        'content/prompts/work.toml:4: role is "boss"; it can be teller, either, receiver',
        "content/prompts/work.toml:15: depth is 9; it can be 1 to 5",
    ]
    assert str(caught.value) == "\n".join(caught.value.problems)


def test_unknown_themes_file_is_reported(content: Content) -> None:
    content.write("prompts/gardening.toml", "")
    assert check(content.folder) == ['content/prompts/gardening.toml:1: there is no theme "gardening" in themes.toml']


def test_theme_without_a_file_is_reported(content: Content) -> None:
    content.append("themes.toml", '[[theme]]\nid = "sea"\ntitle = "Sea"\n')
    assert check(content.folder) == ["content/prompts/sea.toml:1: this file is missing"]


def test_theme_named_twice_is_reported(content: Content) -> None:
    content.append("themes.toml", '\n[[theme]]\nid = "work"\ntitle = "Labour"\n')
    assert check(content.folder) == ['content/themes.toml:10: id "work" is already used at content/themes.toml:2']


def test_empty_file_of_prompts_is_reported(content: Content) -> None:
    content.write(WORK, "# later\n")
    assert "content/prompts/work.toml:1: there is no [[prompt]] in this file" in check(content.folder)


@pytest.mark.parametrize("name", ["themes.toml", "cues.toml", "support.toml"])
def test_missing_file_is_reported(content: Content, name: str) -> None:
    (content.folder / name).unlink()
    assert f"content/{name}:1: this file is missing" in check(content.folder)


def test_folder_instead_of_file_is_reported(content: Content) -> None:
    (content.folder / "cues.toml").unlink()
    (content.folder / "cues.toml").mkdir()
    assert check(content.folder) == ["content/cues.toml:1: this file cannot be read: Is a directory"]


def test_missing_folder_is_reported(tmp_path: Path) -> None:
    assert "nowhere/themes.toml:1: this file is missing" in check(tmp_path / "nowhere")


def test_invalid_toml_names_its_line(content: Content) -> None:
    content.spoil(WORK, 'role = "teller"', "role = teller")
    assert check(content.folder) == ["content/prompts/work.toml:4: this is not TOML: Invalid value (column 8)"]


def test_duplicate_key_names_its_line(content: Content) -> None:
    content.spoil(WORK, "depth = 1\n", "depth = 1\ndepth = 2\n")
    (problem,) = check(content.folder)
    assert problem.startswith("content/prompts/work.toml:4: this is not TOML: Cannot overwrite a value")


def test_unfinished_file_names_its_end(content: Content) -> None:
    content.append(WORK, 'x = "')
    (problem,) = check(content.folder)
    assert problem.startswith("content/prompts/work.toml:24: this is not TOML: ")


def test_wrong_encoding_names_its_line(content: Content) -> None:
    path = content.folder / WORK
    path.write_bytes(path.read_bytes().replace(b"Sun on work 2", b"S\xfcn on work 2"))
    assert check(content.folder) == ["content/prompts/work.toml:21: this is not UTF-8; save the file in that encoding"]


def test_windows_line_ends_change_nothing(content: Content) -> None:
    content.spoil(WORK, "depth = 2", "depth = 6")
    before = check(content.folder)
    path = content.folder / WORK
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert check(content.folder) == before != []


def test_table_instead_of_list_is_reported(content: Content) -> None:
    content.write("cues.toml", '[cue]\nid = "x"\n')
    assert "content/cues.toml:1: write each entry as a table of its own, under [[cue]]" in check(content.folder)


def test_stray_table_is_reported(content: Content) -> None:
    content.append("themes.toml", "\n[setting]\nx = 1\n")
    assert check(content.folder) == ['content/themes.toml:9: "setting" is not known here; only [[theme]] is']


CUE_MISTAKES = [
    ('wish = "listen"', 'wish = "fix"', 3, f'wish is "fix"; it can be {", ".join(Wish)}'),
    ('wish = "listen"', 'wish = "listen"\ndepth = 4', 4, '"depth" is not known here; known are id, wish, text'),
    ('wish = "listen"\n', "", 1, '"wish" is missing'),
    (
        'id = "listen.nod"',
        'id = "nod"',
        2,
        'id is "nod"; expected "listen." and then lower-case letters, digits and single hyphens',
    ),
    ("A nod for listen.", "Say nothing, it is a journey.", 4, 'text says "journey", which is a word of the clinic'),
    ("A nod for listen.", "a" * 140 + ".", 4, "text is 141 characters long; at most 140 are allowed"),
]


@pytest.mark.parametrize(("old", "new", "line", "sentence"), CUE_MISTAKES)
def test_mistake_in_a_cue_is_located(content: Content, old: str, new: str, line: int, sentence: str) -> None:
    content.spoil("cues.toml", old, new)
    assert f"content/cues.toml:{line}: {sentence}" in check(content.folder)


def test_every_wish_needs_a_cue(content: Content) -> None:
    content.spoil("cues.toml", cue("listen"), "")
    assert check(content.folder) == ['content/cues.toml:1: there is no cue for the wish "listen"']


def test_every_wish_needs_a_stem(content: Content) -> None:
    content.spoil("stems.toml", '"listen", ', "")
    assert check(content.folder) == ['content/stems.toml:1: there is no stem for the wish "listen"']


def test_stem_without_wishes_is_for_every_wish(content: Content) -> None:
    content.write("stems.toml", '[[stem]]\nid = "heard"\ntext = "I heard …"\n')
    assert check(content.folder) == []
    assert [stem.wishes for stem in load(content.folder).stems] == [frozenset(Wish)]


SUPPORT = """[[support]]
id = "xx-line"
kind = "help line"
country = "XX"
name = "A line"
number = "000 000"
source = "https://example.org/contact"
verified_on = 2026-01-31
"""


def test_support_entry_is_read(content: Content) -> None:
    content.write("support.toml", SUPPORT)
    assert load(content.folder).support == (
        Support(
            id="xx-line",
            kind=SupportKind.HELP_LINE,
            country="XX",
            name="A line",
            number="000 000",
            url="",
            source="https://example.org/contact",
            verified_on=date(2026, 1, 31),
        ),
    )


def test_operators_own_help_lines_come_first(content: Content, tmp_path: Path) -> None:
    content.write("support.toml", SUPPORT)
    own = tmp_path / "ours.toml"
    own.write_text(SUPPORT.replace("xx-line", "xx-ours"), encoding="utf-8")
    found = load(content.folder, own).support
    assert [(each.id, each.own) for each in found] == [("xx-ours", True), ("xx-line", False)]
    own.write_text(SUPPORT, encoding="utf-8")
    assert check(content.folder, own) == [f'content/support.toml:2: id "xx-line" is already used at {own}:2']
    assert check(content.folder, tmp_path / "none.toml") == [f"{tmp_path}/none.toml:1: this file is missing"]


SUPPORT_MISTAKES = [
    ('source = "https://example.org/contact"\n', "", 1, '"source" is missing'),
    ("verified_on = 2026-01-31\n", "", 1, '"verified_on" is missing'),
    (
        "2026-01-31",
        '"2026-01-31"',
        8,
        "verified_on is a text; expected a date like 2026-01-31 without quotes",
    ),
    (
        "2026-01-31",
        "2026-01-31T10:00:00",
        8,
        "verified_on is a date or time; expected a date like 2026-01-31 without quotes",
    ),
    ('number = "000 000"\n', "", 1, 'there is neither a "number" nor a "url"'),
    ("https://example.org/contact", "a friend", 7, "source does not begin with https://"),
    ('"XX"', '"xx"', 4, 'country is "xx"; expected two capital letters like DE'),
    ('"help line"', '"chat"', 3, 'kind is "chat"; it can be emergency, ambulance, police, help line'),
]


@pytest.mark.parametrize(("old", "new", "line", "sentence"), SUPPORT_MISTAKES)
def test_support_mistake_is_reported(content: Content, old: str, new: str, line: int, sentence: str) -> None:
    content.write("support.toml", SUPPORT)
    content.spoil("support.toml", old, new)
    assert check(content.folder) == [f"content/support.toml:{line}: {sentence}"]


EMERGENCY = """[emergency]
source = "https://example.org/list"
verified_on = 2026-01-31

[emergency.numbers]
XX = { emergency = "112" }
YY = { ambulance = "15", police = "17" }
"""


def test_emergency_numbers_share_source_and_day(content: Content, tmp_path: Path) -> None:
    content.write("support.toml", EMERGENCY)
    found = load(content.folder).support
    assert [(each.country, each.kind, each.number) for each in found] == [
        ("XX", SupportKind.EMERGENCY, "112"),
        ("YY", SupportKind.AMBULANCE, "15"),
        ("YY", SupportKind.POLICE, "17"),
    ]
    assert {(each.name, each.source, each.verified_on) for each in found} == {
        ("", "https://example.org/list", date(2026, 1, 31))
    }
    own = tmp_path / "ours.toml"
    own.write_text(EMERGENCY, encoding="utf-8")
    assert check(content.folder, own) == [f'{own}:1: "emergency" is not known here; only [[support]] is']


@pytest.mark.parametrize(
    ("old", "new", "line", "sentence"),
    [
        ('"112"', '"+49 112"', 6, 'emergency is "+49 112"; expected two to five digits'),
        (', police = "17"', "", 7, 'expected an "emergency" number, or an "ambulance" and a "police" one'),
        ('"17"', "17", 7, "police is a number; expected a text"),
        ("XX", "Xx", 6, 'country is "Xx"; expected two capital letters like DE'),
        ("police", "fire", 7, '"fire" is not known here; known are emergency, ambulance, police'),
        ("https", "http", 2, "source does not begin with https://"),
        ("verified_on = 2026-01-31\n", "", 1, '"verified_on" is missing'),
    ],
)
def test_mistake_in_an_emergency_number_is_reported(
    content: Content, old: str, new: str, line: int, sentence: str
) -> None:
    content.write("support.toml", EMERGENCY)
    content.spoil("support.toml", old, new)
    assert f"content/support.toml:{line}: {sentence}" in check(content.folder)


def test_summary_counts_prompts(content: Content) -> None:
    content.spoil("prompts/weather.toml", "depth = 2", "depth = 2\n")
    assert summary(load(content.folder)) == (
        "depth      1    2    3    4    5  all\n"
        "work       1    1    0    0    0    2\n"
        "weather    1    1    0    0    0    2\n"
        "all        2    2    0    0    0    4"
    )


def test_importing_the_library_loads_no_parser() -> None:
    """Commands that need nothing from the library should not pay for it."""
    script = "import sys, bot.library; print([m for m in ('tomllib', 'bot.library.reading') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_library_loads_fast() -> None:
    """Reading the TOML is half of it. They take turns, as a processor's speed depends on what else it does."""
    texts = [file.read_text("utf-8") for file in content_folder().rglob("*.toml")]
    read, loaded = [], []
    for _ in range(5):
        began = time.process_time()
        for text in texts:
            tomllib.loads(text)
        between = time.process_time()
        unwrap(load)(content_folder())  # not what was read before
        read.append(between - began)
        loaded.append(time.process_time() - between)
    assert min(loaded) < 6 * min(read)


def test_installed_package_finds_its_content(tmp_path: Path) -> None:
    """The wheel carries content/ as bot/content."""
    package = Path(__file__).parents[2] / "bot"
    shutil.copytree(package, tmp_path / "bot", ignore=shutil.ignore_patterns("__pycache__", "demo"))
    shutil.copytree(content_folder(), tmp_path / "bot" / "content")
    script = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from bot.library import content_folder, load\n"
        "print(content_folder()); load(content_folder())"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert Path(done.stdout.strip()) == tmp_path / "bot" / "content"
