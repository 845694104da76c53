import json
from pathlib import Path

import pytest

from bot.domain.content import Wish
from bot.domain.model import POLICY_VERSION

SHELF = """[[word]]
id = "heavy"
text = "heavy"
line = "you carry something"

[[word]]
id = "sad"
of = "heavy"
text = "sad"
line = "close behind the eyes"

[[word]]
id = "warm"
text = "warm"
line = "as under a coat"
"""
HINTS = """[[board]]
id = "heavy"
words = ["cried", "rain"]

[[board]]
id = "warm"
words = ["sun"]
"""
POLICY = f"""version = {POLICY_VERSION}

[[section]]
heading = "Who"
text = "Whoever runs this: %(name)s."
"""
STEM = f'[[stem]]\nid = "heard"\nwishes = {json.dumps(list(Wish))}\ntext = "I heard …"\n'


class Content:
    """A small correct library on disk, to be broken in one place at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "prompts").mkdir(parents=True)
        self.write(
            "themes.toml", '[[theme]]\nid = "work"\ntitle = "Work"\n\n[[theme]]\nid = "weather"\ntitle = "Weather"\n'
        )
        for theme in ("work", "weather"):
            self.write(f"prompts/{theme}.toml", "\n".join(prompt(theme, depth) for depth in (1, 2)))
        self.write("cues.toml", "\n".join(cue(wish) for wish in Wish))
        self.write("stems.toml", STEM)
        self.write("shelf.toml", SHELF)
        (folder / "hints").mkdir()
        self.write("hints/en.toml", HINTS)
        self.write("support.toml", "# nothing verified yet\n")
        (folder / "policy").mkdir()
        self.write("policy/en.toml", POLICY)

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, encoding="utf-8")

    def spoil(self, name: str, old: str, new: str) -> None:
        """Replace the first `old` in a file by `new`."""
        text = (self.folder / name).read_text(encoding="utf-8")
        assert old in text
        self.write(name, text.replace(old, new, 1))

    def append(self, name: str, text: str) -> None:
        path = self.folder / name
        self.write(name, path.read_text(encoding="utf-8") + text)


def prompt(theme: str, depth: int) -> str:
    """Eleven lines: header 1, id 2, depth 3, role 4, format 5, text 6, examples 7 (8 and 9), sensitivities 11."""
    return (
        f'[[prompt]]\nid = "{theme}.d{depth}"\ndepth = {depth}\nrole = "teller"\nformat = "one fact"\n'
        f'text = "What of {theme} is at depth {depth}?"\n'
        f'examples = [\n  "Rain on {theme} {depth}.",\n  "Sun on {theme} {depth}.",\n]\nsensitivities = []\n'
    )


def cue(wish: str) -> str:
    return f'[[cue]]\nid = "{wish}.nod"\nwish = "{wish}"\ntext = "A nod for {wish}."\n'


@pytest.fixture
def content(tmp_path: Path) -> Content:
    return Content(tmp_path / "content")
