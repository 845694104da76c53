"""What `ajar doctor` says of the operator's own chat with the bot, to which it reports what only they can mend."""

from pathlib import Path

from bot.config import load
from bot.doctor import Finding, examine
from tests.standin import Telegram, stand_in


async def test_operator_chat_is_one_that_the_bot_can_write_to(tmp_path: Path) -> None:
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
