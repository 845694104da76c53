"""Turns the bot's HTML into text with entities, as a phone shows it, following the public server's code.

Offsets and lengths are in UTF-16 code units, byte offsets in errors refer to UTF-8, and the length of a text is counted
in code points. Rules and error texts come from `parse_html` in the server's MessageEntity.cpp.
"""

import re
from dataclasses import dataclass
from typing import Any

from bot.demo.errors import Refused, bad_request, strict

Entity = dict[str, Any]

_TYPES = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "tg-time": "date_time",
    "span": "spoiler",
    "code": "code",
    "pre": "pre",
    "a": "text_link",
    "blockquote": "blockquote",
}
_ENTITY_TYPES = frozenset(_TYPES.values()) | {"expandable_blockquote", "bot_command", "url", "mention", "hashtag"}
_SPACE = " \t\n\v\f\r"
_TIME_FORMAT = re.compile("r|w?[dD]?[tT]?")
_CHARACTER = re.compile(r"&(?:#x([0-9a-fA-F]{1,6})|#([0-9]{1,7})|(lt|gt|amp|quot)(?![a-zA-Z]));?")
_SPECIAL = re.compile("[<&\0]")
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_LAST_CHARACTER = 0x10FFFF
_WITHOUT_SCHEME = "com|net|org|io|me|de|info|app|dev|uk|fr|es|it|ch|at|eu|ru|cn|jp|xyz"  # some of the server's 1,500
_FOUND = (
    (
        "url",
        ".",
        re.compile(
            r"(?:(?:https?|ftp)://[^\s<>\"\u2060]*[\w/]|(?<![\w@.])(?:[\w-]+\.)+"
            rf"(?:{_WITHOUT_SCHEME})(?![\w@-])(?:[/?#][^\s<>\"\u2060]*[\w/])?)",
            re.IGNORECASE,
        ),
    ),
    ("url", "://", re.compile(r"(?<!\w)(?:tg|ton)://[\w?=&/-]+", re.IGNORECASE)),
    ("email", "@", re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")),
    ("mention", "@", re.compile(r"(?<![\w/@])@[a-zA-Z0-9_]{3,32}(?!\w)")),
    ("hashtag", "#", re.compile(r"(?<![\w#@/])#\w*[^\W\d]\w*")),
    ("cashtag", "$", re.compile(r"(?<![\w$])\$[A-Z]{1,8}(?!\w)")),
    ("bot_command", "/", re.compile(r"(?<![\w/<>@])/[a-zA-Z0-9_]{1,64}(?:@[a-zA-Z0-9_]{3,32})?(?![\w/])")),
)
_CONTROL = {code: " " for code in range(32) if code not in (0x0A, 0x0D)} | {0x0D: None}
_END = "\0"  # can't occur in the text, as control characters are removed first; saves a bounds check per step


@dataclass(frozen=True)
class _Open:
    tag: str
    argument: str
    format: str
    offset: int
    pieces: int


def utf16(text: str) -> int:
    """Return the length of the text in UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


def clean(text: str) -> str:
    """Do what the server does first to every text: remove carriage returns, and turn control characters into spaces."""
    return text.translate(_CONTROL)


class _Reader:
    """Reads HTML once, from left to right."""

    def __init__(self, html: str) -> None:
        self.html = html + _END
        self.at = 0
        self.pieces: list[str] = []
        self.offset = 0
        self.open: list[_Open] = []
        self.entities: list[Entity] = []

    def read(self) -> tuple[str, list[Entity]]:
        while (char := self.html[self.at]) != _END:
            if char == "<":
                self._tag()
            elif char == "&":
                self._put(self._character() or self._take(self.at + 1))
            else:
                stop = _SPECIAL.search(self.html, self.at)
                self._put(self._take(stop.start() if stop else len(self.html) - 1))
        if self.open:
            raise self._error(f'Can\'t find end tag corresponding to start tag "{self.open[-1].tag}"')
        return "".join(self.pieces), self.entities

    def _take(self, end: int) -> str:
        start, self.at = self.at, end
        return self.html[start:end]

    def _put(self, text: str) -> None:
        self.pieces.append(text)
        self.offset += utf16(text)

    def _character(self) -> str | None:
        """Read a character reference like `&lt;`. An invalid one is left unchanged, as on the real server."""
        found = _CHARACTER.match(self.html, self.at)
        if not found:
            return None
        if found[3]:
            character = _NAMED[found[3]]
        else:
            code = int(found[1], 16) if found[1] else int(found[2])
            if not 0 < code < _LAST_CHARACTER:
                return None
            character = chr(code)
        self.at = found.end()
        return character

    def _tag(self) -> None:
        begin = self.at
        self.at += 1
        if self.html[self.at] == "/":
            self._end_tag(begin)
        else:
            self._start_tag(begin)

    def _start_tag(self, begin: int) -> None:
        self._skip_until(_SPACE + ">")
        if self.html[self.at] == _END:
            raise self._error("Unclosed start tag", begin)
        tag = self.html[begin + 1 : self.at].lower()
        if tag not in _TYPES:
            raise self._error(f'Unsupported start tag "{tag}"', begin)
        given: dict[str, str] = {}
        while True:
            self._skip_spaces()
            if self.html[self.at] == ">":
                break
            given |= self._attribute(tag, begin)
        self.at += 1
        argument, format_ = given.get("", ""), given.get("format", "")
        if tag == "span" and argument != "spoiler":
            raise self._error('Tag "span" must have class "tg-spoiler"', begin)
        if tag == "tg-time":
            self._check_time(argument, format_)
        self.open.append(_Open(tag, argument, format_, self.offset, len(self.pieces)))

    def _check_time(self, unix: str, format_: str) -> None:
        """What the server says here isn't known; that it refuses such a tag is."""
        if not (unix.isascii() and unix.isdigit() and 0 < int(unix) < 2**31):
            raise self._error("Invalid date specified")
        if not _TIME_FORMAT.fullmatch(format_):
            raise self._error("Invalid date format specified")

    def _attribute(self, tag: str, begin: int) -> dict[str, str]:
        """Read one attribute. Returns what it says about the tag: its argument, under "", or the format of a time."""
        start = self.at
        self._skip_until(_SPACE + "=>/\"'")
        name = self.html[start : self.at]
        if not name:
            what = "Unclosed start tag" if self.html[self.at] == _END else f'Empty attribute name in the tag "{tag}"'
            raise self._error(what, begin)
        self._skip_spaces()
        if self.html[self.at] != "=":
            if self.html[self.at] == _END:
                raise self._error(f'Unclosed start tag "{tag}"', begin)
            return {"": "1"} if (tag, name) == ("blockquote", "expandable") else {}
        self.at += 1
        self._skip_spaces()
        value = self._value()
        if self.html[self.at] == _END:
            raise self._error("Unclosed start tag", begin)
        if (tag, name) == ("tg-time", "format"):
            return {"format": value}
        argument = _argument(tag, name, value)
        return {"": argument} if argument else {}

    def _value(self) -> str:
        quote = self.html[self.at]
        start = self.at
        if quote not in "\"'":
            while self.html[self.at].isalnum() or self.html[self.at] in ".-":
                self.at += 1
            if self.html[self.at] not in _SPACE + ">" + _END:
                raise self._error("Unexpected end of name token", start)
            return self.html[start : self.at].lower()
        self.at += 1
        value: list[str] = []
        while (char := self.html[self.at]) not in (quote, _END):
            value.append((char == "&" and self._character()) or self._take(self.at + 1))
        if self.html[self.at] == quote:
            self.at += 1
        return "".join(value)

    def _end_tag(self, begin: int) -> None:
        if not self.open:
            raise self._error("Unexpected end tag", begin)
        self._skip_until(_SPACE + ">")
        name = self.html[begin + 2 : self.at].lower()
        self._skip_spaces()
        if self.html[self.at] != ">":
            raise self._error("Unclosed end tag", begin)
        opened = self.open.pop()
        if name and name != opened.tag:
            where = f"Unmatched end tag at byte offset {self._bytes(begin)}"
            raise self._error(f'{where}, expected "</{opened.tag}>", found "</{name}>"')
        self.at += 1
        if self.offset > opened.offset:
            self._close(opened)

    def _close(self, opened: _Open) -> None:
        entity: Entity = {"type": _TYPES[opened.tag], "offset": opened.offset, "length": self.offset - opened.offset}
        if opened.tag == "a":
            url = opened.argument or "".join(self.pieces[opened.pieces :])
            if "://" not in url and not url.startswith(("tg:", "mailto:", "tel:")):
                if "." not in url:
                    return  # not an address, so the text stays without a link
                url = f"http://{url}/"
            entity["url"] = url
        elif opened.tag == "blockquote" and opened.argument:
            entity["type"] = "expandable_blockquote"
        elif opened.tag == "tg-time":
            entity |= {"unix_time": int(opened.argument), "date_time_format": opened.format}
        elif opened.tag == "code" and opened.argument:
            entity["language"] = opened.argument  # becomes a language only inside <pre>, see below
        elif opened.tag == "pre" and self.entities:
            inner = self.entities[-1]
            span = ("offset", "length")
            if inner["type"] == "code" and "language" in inner and all(inner[k] == entity[k] for k in span):
                entity["language"] = self.entities.pop()["language"]
        self.entities.append(entity)

    def _skip_until(self, stops: str) -> None:
        while self.html[self.at] not in stops + _END:
            self.at += 1

    def _skip_spaces(self) -> None:
        while self.html[self.at] in _SPACE:
            self.at += 1

    def _bytes(self, position: int) -> int:
        return len(self.html[:position].encode())

    def _error(self, what: str, position: int | None = None) -> Refused:
        where = "" if position is None else f" at byte offset {self._bytes(position)}"
        return bad_request(f"can't parse entities: {what}{where}")


def _argument(tag: str, name: str, value: str) -> str:
    match tag, name:
        case "a", "href":
            return value
        case "code", "class":
            return value.removeprefix("language-") if value.startswith("language-") else ""
        case "span", "class":
            return value.removeprefix("tg-") if value.startswith("tg-") else ""
        case "blockquote", "expandable":
            return "1"
        case "tg-time", "unix":
            return value
    return ""


def formatted(text: str, parse_mode: str | None, entities: list[Entity] | None) -> tuple[str, list[Entity]]:
    """Return the text as shown, trimmed, with its entities in the server's order.

    Raises Refused for HTML that can't be parsed, and for any other parse mode: the bot uses only HTML.
    """
    if parse_mode and entities:
        raise strict("parse_mode and entities exclude each other")
    text = clean(text)
    found = list(entities or [])
    if parse_mode:
        if parse_mode.lower() != "html":
            raise bad_request("unsupported parse_mode")
        text, found = _Reader(text).read()
    for entity in found:
        if entity["type"] != "pre":
            entity.pop("language", None)
    return with_found(*_trimmed(text, found))


def with_found(text: str, entities: list[Entity]) -> tuple[str, list[Entity]]:
    """Add the entities that the server finds itself: commands, addresses, mentions, hashtags. None of them overlap."""
    taken = [(e["offset"], e["offset"] + e["length"]) for e in entities if e["type"] in ("code", "pre", "text_link")]
    for kind, sign, pattern in _FOUND:
        for match in pattern.finditer(text) if sign in text else ():
            start, length = utf16(text[: match.start()]), utf16(match[0])
            if not any(begin < start + length and start < end for begin, end in taken):
                entities.append({"type": kind, "offset": start, "length": length})
                taken.append((start, start + length))
    entities.sort(key=lambda entity: (entity["offset"], -entity["length"]))
    return text, entities


def _trimmed(text: str, entities: list[Entity]) -> tuple[str, list[Entity]]:
    kept = text.strip()
    if kept == text or not entities:
        return kept, entities
    lead, size = utf16(text[: len(text) - len(text.lstrip())]), utf16(kept)
    result = []
    for entity in entities:
        start = max(entity["offset"] - lead, 0)
        end = min(entity["offset"] + entity["length"] - lead, size)
        if end > start:
            result.append({**entity, "offset": start, "length": end - start})
    return kept, result


def checked_entities(text: str, entities: list[Entity]) -> list[Entity]:
    """Check entities that the bot sends instead of HTML: of known types, and within the text."""
    size = utf16(text)
    for entity in entities:
        if entity["type"] not in _ENTITY_TYPES:
            raise bad_request(f'can\'t parse entities: unsupported type "{entity["type"]}" specified')
        if not 0 <= entity["offset"] < entity["offset"] + entity["length"] <= size:
            raise bad_request("entity beginning or end is outside of the text")
    return [dict(entity) for entity in entities]
