"""Draws weeks as strips of a landscape with their words, as SVG and from that as PNG.

The picture has its own background, since Telegram doesn't tell a bot whether a chat is dark or light. All text has a
contrast of at least 5 to 1. Lengths are in points; the picture is 400 points wide, about its width on a phone.
"""

import html
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Final

import resvg_py
import uharfbuzz

from bot.pictures import Picture, Week

_FONTS: Final = tuple(
    str(Path(__file__).parent / "fonts" / name)
    for name in ("NotoSans-Regular.ttf", "NotoSansHebrew-Regular.ttf", "NotoSansArabic-Regular.ttf")
)
"""Latin, Greek, Cyrillic and Devanagari; Hebrew; Arabic. Each character comes from the first font that has it."""
_FAMILIES: Final = "Noto Sans, Noto Sans Hebrew, Noto Sans Arabic"

_WIDTH: Final = 400.0
_PIXELS: Final = 2.4
"""Pixels per point. A picture 960 pixels wide is sharp on a phone; a wider one would cost more than it gains."""
_MARGIN: Final = 22.0
_WORD: Final = 21.0
_LABEL: Final = 15.0
_LINE: Final = 29.0
_AIR: Final = 22.0
"""The height of a strip besides its lines."""
_APART: Final = 18.0
"""The distance between two words, and between a label and the first word."""
_WAVE: Final = 8.0
_MOST_LINES: Final = 2
_MORE_LINES: Final = 4
"""How many strips can have a second line, the latest first, as a taller picture would be shown narrower."""
_LEAST: Final = 11.0
"""The smallest size; long words are drawn smaller than others, but not smaller than this."""

_FAR: Final = (0x4A, 0x66, 0x74)
_NEAR: Final = (0x1D, 0x30, 0x38)
_INK: Final = "#fbf4e6"
_PALE_INK: Final = "#e9eeee"

_JOINERS: Final = "\u200c\u200d"
"""Format characters that control how letters join, which Persian needs."""


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    size: float
    width: float


@cache
def _fonts() -> tuple[uharfbuzz.Font, ...]:
    return tuple(uharfbuzz.Font(uharfbuzz.Face(uharfbuzz.Blob.from_file_path(name))) for name in _FONTS)


def drawable(text: str) -> str:
    """Return the part of a text that our fonts can draw, such as a word without its emoji; "" if no letter is left."""
    kept = "".join(letter for letter in unicodedata.normalize("NFC", text) if _is_drawable(letter))
    kept = " ".join(kept.split())
    return kept if any(letter.isalnum() for letter in kept) else ""


def _is_drawable(letter: str) -> bool:
    if letter in _JOINERS:
        return True
    return not unicodedata.category(letter).startswith("C") and _font_of(letter) is not None


@cache
def _font_of(letter: str) -> int | None:
    return next((at for at, font in enumerate(_fonts()) if font.get_nominal_glyph(ord(letter))), None)


def width_of(text: str, size: float) -> float:
    """Return the width of a drawable text at this size."""
    return sum(_advance(at or 0, "".join(run)) for at, run in groupby(text, _font_of)) * size / 1000


@cache
def _advance(at: int, run: str) -> int:
    buffer = uharfbuzz.Buffer()
    buffer.add_str(run)
    buffer.guess_segment_properties()
    uharfbuzz.shape(_fonts()[at], buffer)
    return sum(position.x_advance for position in buffer.glyph_positions or ())


def svg_of(picture: Picture) -> str:
    """Return the picture as SVG."""
    column = max((width_of(drawable(week.label), _LABEL) for week in picture.weeks), default=0) + _APART
    room = _WIDTH - 2 * _MARGIN - column
    lines = _shared_out([_lines(week, room) for week in picture.weeks])
    heights = [_AIR + _LINE * max(len(own), 1) for own in lines]
    height = sum(heights) + 2 * _WAVE
    parts = [f'<rect width="{_WIDTH:g}" height="{height:g}" fill="{_shade(0, len(heights))}"/>']
    top = _WAVE
    for at, (week, own, strip) in enumerate(zip(picture.weeks, lines, heights, strict=True)):
        if at:
            parts.append(_hill(top, height, at, _shade(at, len(heights))))
        parts += _texts(week, own, top + (strip - _LINE * max(len(own), 1)) / 2, column, from_right=picture.from_right)
        top += strip
    size = f'width="{_WIDTH * _PIXELS:.0f}" height="{height * _PIXELS:.0f}" viewBox="0 0 {_WIDTH:g} {height:g}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{_FAMILIES}">{"".join(parts)}</svg>'


def png_of(picture: Picture) -> bytes:
    """Return the picture as PNG. It uses only our own fonts, so that it is the same on every machine."""
    return resvg_py.svg_to_bytes(svg_string=svg_of(picture), skip_system_fonts=True, font_files=list(_FONTS))


def _lines(week: Week, room: float) -> list[list[_Word]]:
    """Lay out the words of a week in lines. A word that is too wide gets smaller, and is cut if that isn't enough."""
    lines: list[list[_Word]] = []
    left = 0.0
    for text in dict.fromkeys(filter(None, map(drawable, week.words))):
        word = _fitted(text, room)
        if not lines or word.width > left:
            lines.append([])
            left = room
        lines[-1].append(word)
        left -= word.width + _APART
    return lines


def _fitted(text: str, room: float) -> _Word:
    size = min(_WORD, max(_LEAST, _WORD * room / width_of(text, _WORD)))
    while width_of(text, size) > room:
        text = text[:-2].rstrip() + "…"
    return _Word(text, size, width_of(text, size))


def _shared_out(weeks: Sequence[list[list[_Word]]]) -> list[list[list[_Word]]]:
    """Give every week one line, and a second one to the latest weeks that need it."""
    more = _MORE_LINES
    shared: list[list[list[_Word]]] = []
    for lines in reversed(weeks):
        most = _MOST_LINES if more else 1
        shared.append(lines[:most])
        more -= len(shared[-1]) > 1
    return shared[::-1]


def _texts(
    week: Week, lines: Sequence[Sequence[_Word]], top: float, column: float, *, from_right: bool
) -> Iterator[str]:
    label = drawable(week.label)
    base = top + _LINE * 0.7
    yield _text(label, _MARGIN, base, width_of(label, _LABEL), _LABEL, _PALE_INK, from_right=from_right)
    for number, words in enumerate(lines):
        left = _MARGIN + column
        for word in words:
            at = base + number * _LINE
            yield _text(word.text, left, at, word.width, word.size, _INK, from_right=from_right)
            left += word.width + _APART


def _text(text: str, left: float, base: float, width: float, size: float, ink: str, *, from_right: bool) -> str:
    """Return a text positioned by its middle, which works for both directions of writing."""
    middle = left + width / 2
    middle = _WIDTH - middle if from_right else middle
    place = f'x="{middle:.1f}" y="{base:.1f}" text-anchor="middle"'
    return f'<text {place} font-size="{size:g}" fill="{ink}">{html.escape(text)}</text>'


def _hill(top: float, bottom: float, at: int, colour: str) -> str:
    """Return a strip with a gentle wave as its upper edge, a little different from the one above."""
    up, down = top - 2 * _WAVE, top + 2 * _WAVE
    first, second = (up, down) if at % 2 else (down, up)
    turn = _WIDTH * (0.35 + 0.06 * (at % 4))
    edge = f"M0 {top:.1f} C{turn / 2:.1f} {first:.1f} {turn:.1f} {second:.1f} {_WIDTH:g} {top:.1f}"
    return f'<path d="{edge} V{bottom:.1f} H0 Z" fill="{colour}"/>'


def _shade(at: int, count: int) -> str:
    """Return the colour of a strip: the further back, the paler."""
    part = at / max(count - 1, 1)
    return "#" + "".join(f"{round(far + (near - far) * part):02x}" for far, near in zip(_FAR, _NEAR, strict=True))
