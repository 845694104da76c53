"""The bot's own profile, and how calls are made in general."""

import aiohttp
import pytest

from tests.demo.conftest import Api
from tests.standin import Person, Telegram

HELP = {"command": "help", "description": "What this is"}


async def test_commands_by_scope_and_language(api: Api) -> None:
    private = {"type": "all_private_chats"}
    await api.ok("setMyCommands", commands=[HELP])
    await api.ok("setMyCommands", commands=[{**HELP, "description": "Was das ist"}], scope=private, language_code="de")
    assert await api.ok("getMyCommands") == [HELP]
    assert (await api.ok("getMyCommands", scope=private, language_code="de"))[0]["description"] == "Was das ist"
    assert await api.ok("getMyCommands", scope=private) == []
    _, state = await api.control("state", verb="GET")
    assert sorted(state["bot"]["commands"]) == ["", "de"]
    await api.ok("deleteMyCommands")
    assert await api.ok("getMyCommands") == []


async def test_commands_of_one_chat(api: Api, telegram: Telegram) -> None:
    alice = await telegram.person("Alice")
    scope = {"type": "chat", "chat_id": alice.id}
    assert await api.refused("setMyCommands", commands=[HELP], scope=scope) == "Bad Request: chat not found"
    await alice.says("/start")
    await api.ok("setMyCommands", commands=[HELP], scope=scope)
    assert await api.ok("getMyCommands", scope=scope) == [HELP]
    assert await api.ok("getMyCommands") == []
    _, state = await api.control("state", verb="GET")
    assert [phone["commands"] for phone in state["phones"] if phone["user"]["id"] == alice.id] == [{"": [HELP]}]
    await api.ok("deleteMyCommands", scope=scope)
    assert await api.ok("getMyCommands", scope=scope) == []


@pytest.mark.parametrize(
    ("commands", "error"),
    [
        ([{"command": "Help", "description": "x"}], "BOT_COMMAND_INVALID"),
        ([{"command": "a" * 33, "description": "x"}], "BOT_COMMAND_INVALID"),
        ([{"command": "help-me", "description": "x"}], "BOT_COMMAND_INVALID"),
        ([{"command": "help", "description": ""}], "BOT_COMMAND_DESCRIPTION_INVALID"),
        ([{"command": "help", "description": "x" * 257}], "BOT_COMMAND_DESCRIPTION_INVALID"),
        ([HELP] * 101, "BOT_COMMANDS_TOO_MUCH"),
    ],
)
async def test_invalid_commands_are_refused(api: Api, commands: list[dict[str, str]], error: str) -> None:
    assert await api.refused("setMyCommands", commands=commands) == f"Bad Request: {error}"


async def test_language_codes_have_two_letters(api: Api) -> None:
    description = await api.refused("setMyDescription", description="x", language_code="deu")
    assert description == "Bad Request: invalid language code specified"


async def test_descriptions(api: Api) -> None:
    for kind, method, limit in (("description", "Description", 512), ("short_description", "ShortDescription", 120)):
        await api.ok(f"setMy{method}", **{kind: "x" * limit})
        await api.ok(f"setMy{method}", **{kind: "auf Deutsch"}, language_code="de")
        assert await api.ok(f"getMy{method}", language_code="de") == {kind: "auf Deutsch"}
        assert await api.ok(f"getMy{method}", language_code="fr") == {kind: "x" * limit}
        assert "too long" in await api.refused(f"setMy{method}", **{kind: "x" * (limit + 1)})
        await api.ok(f"setMy{method}", language_code="de")
        assert await api.ok(f"getMy{method}", language_code="de") == {kind: "x" * limit}


async def test_get_me(api: Api) -> None:
    me = await api.ok("getMe")
    assert (me["is_bot"], me["username"]) == (True, "ajar_demo_bot")
    assert api.telegram.token.startswith(f"{me['id']}:")


async def test_unknown_chats(api: Api, telegram: Telegram) -> None:
    stranger = await telegram.person("Zoe")
    for chat_id in (5, stranger.id):
        assert await api.refused("getChat", chat_id=chat_id) == "Bad Request: chat not found"


# How calls are made


async def test_unknown_methods_and_tokens(api: Api) -> None:
    assert await api.call("sendPigeon") == (
        404,
        {"ok": False, "error_code": 404, "description": "Not Found: method not found"},
    )
    for token, status, description in (("1:abc", 401, "Unauthorized"), ("abc", 404, "Not Found")):
        async with api.session.get(f"{api.telegram.url}/bot{token}/getMe") as answer:
            assert (answer.status, (await answer.json())["description"]) == (status, description)


async def test_method_name_ignores_case(api: Api, alice: Person) -> None:
    params = {"chat_id": str(alice.id), "text": "x", "protect_content": "true"}
    for verb, how in (("GET", {"params": params}), ("POST", {"data": params}), ("POST", {"json": params})):
        async with api.session.request(verb, api.url("SENDmessage"), **how) as answer:  # type: ignore[arg-type]
            assert (await answer.json())["result"]["has_protected_content"] is True
    assert {call["method"] for call in api.telegram.calls()} == {"sendMessage"}


@pytest.mark.parametrize(
    ("params", "error"),
    [
        (
            {"chat_id": 1001, "text": "x", "disable_web_page_preview": True},
            'takes no parameter "disable_web_page_preview"',
        ),
        ({"chat_id": 1001, "text": "x", "business_connection_id": "1"}, 'takes no parameter "business_connection_id"'),
        ({"text": "x"}, "Bad Request: chat_id is empty"),
        ({"chat_id": 1001}, "Bad Request: message text is empty"),
        ({"chat_id": 1001, "text": 5}, '"text" must be a string'),
        ({"chat_id": "x", "text": "x"}, '"chat_id" must be an integer'),
        ({"chat_id": True, "text": "x"}, '"chat_id" must be an integer'),
        ({"chat_id": 10.5, "text": "x"}, '"chat_id" must be an integer'),
        ({"chat_id": 1001, "text": "x", "protect_content": 1}, '"protect_content" must be true or false'),
        ({"chat_id": 1001, "text": "x", "disable_notification": "yes"}, '"disable_notification" must be true or'),
        ({"chat_id": 1001, "text": "x", "reply_parameters": "{"}, "can't parse reply_parameters JSON object"),
        ({"chat_id": 1001, "text": "x", "reply_parameters": {}}, 'can\'t find field "message_id"'),
        ({"chat_id": 1001, "text": "x", "reply_parameters": {"message_id": "x"}}, "must be an integer"),
        ({"chat_id": 1001, "text": "x", "reply_parameters": {"message_id": 1, "qoute": ""}}, 'field "qoute"'),
        ({"chat_id": 1001, "text": "x", "link_preview_options": {"disabled": True}}, 'field "disabled"'),
        ({"chat_id": 1001, "text": "x", "entities": {}}, "expected an Array of entities"),
        ({"chat_id": 1001, "text": "x", "entities": [{"type": "bold"}]}, 'can\'t find field "offset"'),
    ],
)
async def test_invalid_parameters_are_refused(api: Api, alice: Person, params: dict[str, object], error: str) -> None:
    assert error in await api.refused("sendMessage", **params)
    assert alice.sees[-1].text == "/start"
    assert api.telegram.refused()[-1]["params"] == params


async def test_invalid_bodies_are_refused(api: Api) -> None:
    headers = {"Content-Type": "application/json"}
    for body in (b"{", b"[]", b"\xff"):
        async with api.session.post(api.url("getMe"), data=body, headers=headers) as answer:
            assert answer.status == 400
    twice = aiohttp.FormData([("chat_id", "1"), ("chat_id", "2")])
    async with api.session.post(api.url("getChat"), data=twice) as answer:
        assert (await answer.json())["description"] == 'Bad Request: parameter "chat_id" is given twice'
