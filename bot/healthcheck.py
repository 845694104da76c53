"""Asks the bot on this machine whether it is well. It must start fast, because containers run it every few seconds."""

import json
from http.client import HTTPConnection, HTTPException
from typing import Any, Final

from bot.config import Config

_PATIENCE: Final = 8.0
_ANYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # where to reach a bot that listens on all addresses


def is_well(config: Config) -> tuple[bool, str]:
    """Return whether the bot is well, and a sentence about it."""
    if config.listen is None:
        return False, "AJAR_LISTEN is not set, so there is nothing to ask. Set it like 127.0.0.1:8080, for the bot too."
    answer = ask(config, "/health/ready")
    if answer is None:
        return False, f"No Ajar answers at {config.listen.host}:{config.listen.port}."
    if answer["status"] == "ok":
        return True, "The bot is well."
    problems = answer.get("problems")
    told = [str(each) for each in problems.values()] if isinstance(problems, dict) else []
    return False, f"Not well: {'; '.join(told) or 'it does not say why'}."


def ask(config: Config, path: str) -> dict[str, Any] | None:
    """Return what the bot at AJAR_LISTEN answers, or None if there is no bot."""
    if config.listen is None:
        return None
    host = _ANYWHERE.get(config.listen.host, config.listen.host)
    connection = HTTPConnection(host, config.listen.port, timeout=_PATIENCE)
    try:
        connection.request("GET", path)
        answer = json.loads(connection.getresponse().read())
    except (OSError, HTTPException, ValueError):
        return None
    finally:
        connection.close()
    return answer if isinstance(answer, dict) and "status" in answer else None
