"""Words that occur nowhere else, and the search for them in whatever the bot leaves behind or shows of itself."""

import base64
import contextlib
import json
import re
import secrets
import string
from collections.abc import Iterator
from pathlib import Path

import psutil

from bot.places import FILE_NAME

PREFIX = "zq"
"""No word of any language begins so, and nothing else in the tests does."""
STEM = 12
"""A word's stem, as the Shelf finds it, may lack its ending, so only this many letters are searched for."""


class Canaries:
    """Makes a word for each place at which somebody types something, and finds the words again."""

    def __init__(self) -> None:
        self.places: dict[str, str] = {}
        """Where each word was typed, by its stem."""

    def __call__(self, place: str) -> str:
        """Return a sentence with a new word, to be typed at this place."""
        return f"It was {self.word(place)} and a little more."

    def word(self, place: str) -> str:
        word = PREFIX + "".join(secrets.choice(string.ascii_lowercase) for _ in range(14))
        self.places[word[:STEM]] = place
        return word

    def found_in(self, content: bytes) -> set[str]:
        """Return the places whose words are in there: plain, in UTF-16, in hexadecimal or in base64."""
        lowered = content.lower()
        return {self.places[stem] for stem, form in self._forms() if form in lowered or form in content}

    def _forms(self) -> Iterator[tuple[str, bytes]]:
        for stem in self.places:
            for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
                raw = stem.encode(encoding)
                yield stem, raw
                yield stem, raw.hex().encode()
            for shift in range(3):  # a base64 group holds three bytes, and the word can begin at any of them
                encoded = base64.b64encode(b"\0" * shift + stem.encode() + b"\0" * 3).decode()
                yield stem, encoded[-(-shift * 4 // 3) : (shift + STEM) * 4 // 3].encode()

    def leaks(self, *folders: Path, pid: int | None = None) -> list[str]:
        """Return everything in these folders, and of this process and its children, that has a word in it.

        The index of places is left out: it is large, was made before the tests, and is only read.
        """
        files = [file for folder in folders for file in folder.rglob("*") if file.is_file() and file.name != FILE_NAME]
        seen = [(str(file), file) for file in files]
        if pid is not None:
            seen += list(_of_process(pid))
        seen += [(f"ps: {process}", process) for process in Path("/proc").glob("[0-9]*/cmdline")]
        leaks = []
        for name, file in seen:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError):
                leaks += [f"{place} is in {name}" for place in sorted(self.found_in(file.read_bytes()))]
        return leaks


def _of_process(pid: int) -> Iterator[tuple[str, Path]]:
    """Yield what a process shows of itself: its environment, and files that it has open though they were removed."""
    for process in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
        about = Path(f"/proc/{process.pid}")
        yield f"the environment of {process.pid}", about / "environ"
        with contextlib.suppress(OSError):
            yield from ((f"an open file of {process.pid}", fd) for fd in (about / "fd").iterdir() if _is_removed(fd))


def _is_removed(fd: Path) -> bool:
    try:
        return str(fd.readlink()).endswith(" (deleted)") and fd.is_file()
    except OSError:
        return False


def core_limit(pid: int) -> str:
    """Return how large a core dump of this process may be."""
    limits = Path(f"/proc/{pid}/limits").read_text()
    found = re.search(r"Max core file size +(\S+) +(\S+)", limits)
    assert found
    return json.dumps(found.groups())
