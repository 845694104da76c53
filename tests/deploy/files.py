"""Reads the files in deploy/, and knows what Ajar offers them."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import click
import yaml

from bot.cli import main as ajar
from bot.config import FIELDS, FILES

ROOT: Final = Path(__file__).parent.parent.parent
DEPLOY: Final = ROOT / "deploy"
UNITS: Final = DEPLOY / "systemd"
DOCKERFILE: Final = DEPLOY / "container" / "Dockerfile"
SETTINGS: Final = frozenset({*FIELDS, *FILES})
NOT_SETTINGS: Final = frozenset({"AJAR_VERSION"})
"""What only compose files use: the image's version."""


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def every_file() -> list[str]:
    """Return all files in deploy/ but links, which are other files' second names."""
    return sorted(name_of(path) for path in DEPLOY.rglob("*") if path.is_file() and not path.is_symlink())


def documents_of(name: str) -> list[Any]:
    """Return the YAML documents in a file."""
    return [each for each in yaml.safe_load_all((ROOT / name).read_text("utf-8")) if each is not None]


def steps_of(dockerfile: Path) -> list[tuple[str, str]]:
    """Return a container recipe's instructions, like ("RUN", "…"), each in one line and without comments."""
    text = re.sub(r"^\s*#.*\n", "", dockerfile.read_text("utf-8"), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines if line)]


def directives(unit: Path) -> list[tuple[str, str, str]]:
    """Return what a systemd unit sets: section, name, value. A name can be there several times."""
    section, found = "", []
    for line in unit.read_text("utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith(("#", ";")):
            name, is_set, value = line.partition("=")
            assert is_set, f"{unit.name}: {line}"
            found.append((section, name, value))
    return found


def code_of(page: Path) -> str:
    """Return the code on a page, in blocks and between backticks; for any other file, all of it."""
    text = page.read_text("utf-8")
    if page.suffix != ".md":
        return text
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return "\n".join([*blocks, *re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))])


def commands_in(text: str) -> Iterator[list[str]]:
    """Yield the words after `ajar` of every command of Ajar's: in a unit, a script, or the code of a page."""
    begins = r"(?:^\s*|/|=\S+ |\bexec |--rm )(?:ajar )+"
    for found in re.findall(begins + r"(?=[a-z-])([^\n`;|&#)]*)", text, re.MULTILINE):
        try:
            yield shlex.split(found)
        except ValueError:  # an apostrophe: prose
            continue


def refuse_unknown(words: list[str]) -> None:
    """Raise click.UsageError if these words aren't a command of Ajar's with options that it has."""
    command: click.Command = ajar
    context = click.Context(command, info_name="ajar")
    rest = list(words)
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        found = command.get_command(context, rest.pop(0))
        if found is None:
            raise click.UsageError(f"there is no command ajar {' '.join(words)}")
        command = found
    known = {option for each in command.get_params(context) for option in (*each.opts, *each.secondary_opts)}
    if unknown := [word for word in rest if word.startswith("-") and word != "-" and word.split("=")[0] not in known]:
        raise click.UsageError(f"ajar {' '.join(words)} has no {', '.join(unknown)}")
