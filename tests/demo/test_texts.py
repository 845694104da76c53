"""Texts, HTML and entities: what the real server accepts, and the words in which it refuses."""

from typing import Any

import aiohttp
import pytest

from tests.demo.conftest import Api
from tests.standin import Person

EMOJI = "😀"  # two UTF-16 code units, four bytes of UTF-8


async def html(api: Api, alice: Person, text: str) -> dict[str, Any]:
    result: dict[str, Any] = await api.ok("sendMessage", chat_id=alice.id, text=text, parse_mode="HTML")
    return result


async def test_offsets_count_utf16_code_units(api: Api, alice: Person) -> None:
    message = await html(api, alice, f"{EMOJI} <b>é{EMOJI}</b> <i>x</i>")
    assert message["text"] == f"{EMOJI} é{EMOJI} x"
    assert message["entities"] == [
        {"type": "bold", "offset": 3, "length": 3},
        {"type": "italic", "offset": 7, "length": 1},
    ]


@pytest.mark.parametrize(
    ("tag", "kind"),
    [
        ("b", "bold"),
        ("strong", "bold"),
        ("i", "italic"),
        ("em", "italic"),
        ("u", "underline"),
        ("ins", "underline"),
        ("s", "strikethrough"),
        ("del", "strikethrough"),
        ("strike", "strikethrough"),
        ("code", "code"),
        ("pre", "pre"),
        ("tg-spoiler", "spoiler"),
        ("blockquote", "blockquote"),
    ],
)
async def test_each_tag_has_its_entity(api: Api, alice: Person, tag: str, kind: str) -> None:
    message = await html(api, alice, f"a <{tag}>b c</{tag}>")
    assert message["entities"] == [{"type": kind, "offset": 2, "length": 3}]


async def test_tags_with_attributes(api: Api, alice: Person) -> None:
    text = (
        '<a href="https://a.example/?x=1&amp;y=2">link</a> <blockquote expandable>q</blockquote> '
        '<span class="tg-spoiler">s</span> <pre><code class="language-python">p</code></pre>'
    )
    message = await html(api, alice, text)
    assert message["entities"] == [
        {"type": "text_link", "offset": 0, "length": 4, "url": "https://a.example/?x=1&y=2"},
        {"type": "expandable_blockquote", "offset": 5, "length": 1},
        {"type": "spoiler", "offset": 7, "length": 1},
        {"type": "pre", "offset": 9, "length": 1, "language": "python"},
    ]


async def test_times_have_their_moment(api: Api, alice: Person) -> None:
    text = 'at <tg-time unix="1647531900">22:45</tg-time>, <tg-time unix="1647531900" format="wDT">then</tg-time>'
    message = await html(api, alice, text)
    assert message["text"] == "at 22:45, then"
    assert message["entities"] == [
        {"type": "date_time", "offset": 3, "length": 5, "unix_time": 1647531900, "date_time_format": ""},
        {"type": "date_time", "offset": 10, "length": 4, "unix_time": 1647531900, "date_time_format": "wDT"},
    ]


async def test_nested_tags_and_character_references(api: Api, alice: Person) -> None:
    message = await html(api, alice, "<b>1 &lt; <i>2</i></b> &amp; &quot;&#51;&quot; &#x1F600; &nbsp;")
    assert message["text"] == '1 < 2 & "3" 😀 &nbsp;'
    assert [entity["type"] for entity in message["entities"]] == ["bold", "italic"]


async def test_trimmed_text_moves_its_entities(api: Api, alice: Person) -> None:
    message = await html(api, alice, "\n  <b>  bold  </b> \n")
    assert message["text"] == "bold"
    assert message["entities"] == [{"type": "bold", "offset": 0, "length": 4}]


async def test_control_characters_are_removed(api: Api, alice: Person) -> None:
    message = await api.ok("sendMessage", chat_id=alice.id, text="a\r\nb\x01c")
    assert message["text"] == "a\nb c"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("é <p>x</p>", 'Unsupported start tag "p" at byte offset 3'),
        ("<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        (f"{EMOJI}</b>", "Unexpected end tag at byte offset 4"),
        ("<b>x</i>", 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'),
        ("1 <", "Unclosed start tag at byte offset 2"),
        ("<b", "Unclosed start tag at byte offset 0"),
        ('<a href="x', "Unclosed start tag at byte offset 0"),
        ("<a href", 'Unclosed start tag "a" at byte offset 0'),
        ('<a ="x">y</a>', 'Empty attribute name in the tag "a" at byte offset 0'),
        ("<b>x</b", "Unclosed end tag at byte offset 4"),
        ("<a href=x_y>z</a>", "Unexpected end of name token at byte offset 8"),
        ('<span class="x">y</span>', 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        ("1 < 2", 'Unsupported start tag "" at byte offset 2'),
        ("<tg-time>x</tg-time>", "Invalid date specified"),
        ('<tg-time unix="1647531900" format="q">x</tg-time>', "Invalid date format specified"),
    ],
)
async def test_invalid_html_is_refused(api: Api, alice: Person, text: str, error: str) -> None:
    description = await api.refused("sendMessage", chat_id=alice.id, text=text, parse_mode="HTML")
    assert description == f"Bad Request: can't parse entities: {error}"
    assert alice.sees[-1].text == "/start", "nothing was sent"


async def test_without_parse_mode_tags_are_text(api: Api, alice: Person) -> None:
    message = await api.ok("sendMessage", chat_id=alice.id, text="<b>x</b> & </i>")
    assert message["text"] == "<b>x</b> & </i>"
    assert "entities" not in message


async def test_other_parse_modes_are_refused(api: Api, alice: Person) -> None:
    description = await api.refused("sendMessage", chat_id=alice.id, text="x", parse_mode="Markdown")
    assert description == "Bad Request: unsupported parse_mode"


@pytest.mark.parametrize("text", ["", "   ", "\n", "<b> </b>"])
async def test_empty_texts(api: Api, alice: Person, text: str) -> None:
    description = await api.refused("sendMessage", chat_id=alice.id, text=text, parse_mode="HTML")
    assert description == "Bad Request: message text is empty"


async def test_text_length_is_counted_after_parsing(api: Api, alice: Person) -> None:
    message = await html(api, alice, f"<b>{EMOJI * 4096}</b>")
    assert message["entities"][0]["length"] == 8192
    description = await api.refused("sendMessage", chat_id=alice.id, text="x" * 4097)
    assert description == "Bad Request: message is too long"


async def test_caption_length(api: Api, alice: Person) -> None:
    data = document_with(alice, "x" * 1025)
    async with api.session.post(api.url("sendDocument"), data=data) as answer:
        assert (await answer.json())["description"] == "Bad Request: message caption is too long"
    async with api.session.post(api.url("sendDocument"), data=document_with(alice, EMOJI * 1024)) as answer:
        assert (await answer.json())["result"]["caption"] == EMOJI * 1024


def document_with(alice: Person, caption: str) -> aiohttp.FormData:
    form = aiohttp.FormData({"chat_id": str(alice.id), "caption": caption})
    form.add_field("document", b"x", filename="a.txt")
    return form


async def test_commands_get_their_own_entity(api: Api, alice: Person) -> None:
    message = await html(api, alice, f"{EMOJI} try /help or /pause, not a/b nor <code>/today</code>")
    commands = [entity for entity in message["entities"] if entity["type"] == "bot_command"]
    assert commands == [
        {"type": "bot_command", "offset": 7, "length": 5},
        {"type": "bot_command", "offset": 16, "length": 6},
    ]


async def test_entities_given_instead_of_html(api: Api, alice: Person) -> None:
    spoiler = {"type": "spoiler", "offset": 0, "length": 2}
    message = await api.ok("sendMessage", chat_id=alice.id, text=EMOJI, entities=[spoiler])
    assert message["entities"] == [spoiler]
    for wrong in ({"type": "spoiler", "offset": 1, "length": 2}, {"type": "spoiler", "offset": -1, "length": 1}):
        description = await api.refused("sendMessage", chat_id=alice.id, text=EMOJI, entities=[wrong])
        assert description == "Bad Request: entity beginning or end is outside of the text"
    both = await api.refused("sendMessage", chat_id=alice.id, text=EMOJI, entities=[spoiler], parse_mode="HTML")
    assert "exclude each other" in both
