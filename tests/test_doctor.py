"""What `ajar doctor` says about the operator's own chat with the bot, and about help lines."""

from pathlib import Path
from typing import Final

import pytest

from bot import library
from bot.clock import SystemClock
from bot.config import load
from bot.doctor import Finding, examine
from bot.library.review import review
from tests.standin import Telegram, stand_in

EXAMPLE: Final = Path(__file__).parent.parent / "deploy" / "support.example.toml"


async def test_operator_chat_must_be_writable(tmp_path: Path) -> None:
    async with stand_in() as telegram:
        alice = await telegram.person("Alice")
        well, said = await chat(telegram, tmp_path, alice.id)
        assert not well
        assert "chat not found" in said
        assert said.endswith("from that account")
        await alice.says("/start")
        assert await chat(telegram, tmp_path, alice.id) == (
            True, "operator's chat: AJAR_OPERATOR_CHAT is one that the bot can write to",
        )  # fmt: skip
        well, said = await chat(telegram, tmp_path, None)
        assert well
        assert "set AJAR_OPERATOR_CHAT" in said


async def chat(telegram: Telegram, folder: Path, chat_id: int | None) -> Finding:
    given = {"AJAR_BOT_TOKEN": telegram.token, "AJAR_API_URL": telegram.url, "AJAR_DATA_DIR": str(folder)}
    given |= {"AJAR_OPERATOR_CHAT": str(chat_id)} if chat_id else {}
    (found,) = [each for each in await examine(load(given, None)) if each[1].startswith("operator's chat")]
    return found


@pytest.mark.parametrize(
    ("verified", "well", "says"),
    [
        (
            None,
            False,
            "none, so /support can only name emergency numbers and a directory; put those of your country into a copy",
        ),
        ("2020-01-31", False, "xx-emergency, xx-help-line not shown: verified over twelve months ago; look them up"),
        ("today", True, "1, of XX"),
    ],
)
async def test_help_lines_expire_after_a_year(tmp_path: Path, verified: str | None, *, well: bool, says: str) -> None:
    given = {"AJAR_DATA_DIR": str(tmp_path)}
    if verified:
        day = f"{SystemClock().now():%Y-%m-%d}" if verified == "today" else verified
        (tmp_path / "own.toml").write_text(EXAMPLE.read_text().replace("2020-01-31", day))
        given["AJAR_SUPPORT_FILE"] = str(tmp_path / "own.toml")
    (found,) = [each for each in await examine(load(given, None, need_token=False)) if each[1].startswith("help lines")]
    assert found[0] is well
    assert found[1].startswith(f"help lines: {says}")


def test_example_has_no_mistake() -> None:
    assert review(library.content_folder(), EXAMPLE)[0] == []
    assert review(library.content_folder(), EXAMPLE.with_name("README.md"))[0] != [], "that is none"
