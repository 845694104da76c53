"""Reads a message: its command and the text after that, and the links behind its words."""

import re
import unicodedata
from typing import Final, NamedTuple

from telegram.constants import MessageEntityType

from bot.tg.updates import Message

_COMMAND: Final = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@\w+)?(?![A-Za-z0-9_@/<>])")


class TypedCommand(NamedTuple):
    """A command as it was typed: its name in lower case, and the text after it."""

    name: str
    argument: str


def command_of(text: str) -> TypedCommand | None:
    """Return the command that a text begins with, ignoring white space and invisible marks around it."""
    start = next((at for at, character in enumerate(text) if _shows(character)), len(text))
    match = _COMMAND.match(text, start)
    if match is None:
        return None
    argument_start = next((at for at in range(match.end(), len(text)) if _shows(text[at])), len(text))
    return TypedCommand(match[1].lower(), text[argument_start:].rstrip())


def argument_of(text: str) -> str:
    """Return the text after the command; "" if there is no command."""
    command = command_of(text)
    return command.argument if command else ""


def written(message: Message | None) -> str:
    """Return all the words of a message, including a picture's caption, and the addresses behind them."""
    if message is None:
        return ""
    text = message.text or message.caption or ""
    hidden = [entity.url for entity in message.entities if entity.type == MessageEntityType.TEXT_LINK and entity.url]
    return "\n".join([text, *hidden])


def _shows(character: str) -> bool:
    return not character.isspace() and unicodedata.category(character) != "Cf"
