"""The stand-in's idea of the Bot API, compared with an independent one: what aiogram generates from the reference.

The stand-in may know less (what the bot has no use for is refused), but never something different.
"""

import types
import typing
from typing import Any

import pytest
from telegram.constants import ReactionEmoji

from bot.demo import server, shapes
from bot.demo.reactions import EMOJI
from bot.demo.shapes import Shape
from bot.demo.signatures import PARAMETERS, SIGNATURES, Signature
from bot.demo.updates import KINDS
from tests.demo.conftest import Api

SIGNED = sorted(SIGNATURES.values(), key=lambda signature: signature.name)
# The real server accepts other ways to name a message, or other contents; here there is only this one.
ONLY_WAY = {
    "editMessageText": {"chat_id", "message_id", "text"},
    "editMessageCaption": {"chat_id", "message_id"},
    "editMessageReplyMarkup": {"chat_id", "message_id"},
}
SHAPES = {
    "InlineKeyboardMarkup": shapes.INLINE_KEYBOARD,
    "InlineKeyboardButton": shapes.INLINE_BUTTON,
    "ReplyKeyboardMarkup": shapes.REPLY_KEYBOARD,
    "KeyboardButton": shapes.KEY,
    "ReplyKeyboardRemove": shapes.REMOVE_KEYBOARD,
    "ForceReply": shapes.FORCE_REPLY,
    "LinkPreviewOptions": shapes.LINK_PREVIEW,
    "ReplyParameters": shapes.REPLY_PARAMETERS,
    "MessageEntity": shapes.ENTITY,
    "BotCommand": shapes.COMMAND,
    "ReactionTypeEmoji": shapes.REACTION,
}
# Fields that aiogram fills in automatically, so that its models don't call them required; the reference does.
ALWAYS_THERE = {
    "ReplyKeyboardRemove": {"remove_keyboard"},
    "ForceReply": {"force_reply"},
    "ReactionTypeEmoji": {"type"},
    "ReplyParameters": {"message_id"},  # optional since polls and stories, which are not served
}


def schema(signature: Signature) -> dict[str, Any]:
    """Return the fields of the method that are not deprecated."""
    import aiogram.methods  # takes seconds, so only the process that runs these tests loads it

    model = getattr(aiogram.methods, signature.name[0].upper() + signature.name[1:])
    assert model.__api_method__ == signature.name
    fields: dict[str, Any] = model.model_fields
    return {name: field for name, field in fields.items() if not (field.json_schema_extra or {}).get("deprecated")}


def kinds_in(annotation: Any) -> set[str]:
    """Yield the names of all types in an annotation, without wrappers."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType, typing.Annotated, list):
        return set().union(*(kinds_in(part) for part in typing.get_args(annotation)))
    return {getattr(annotation, "__name__", "")} - {"NoneType", "Default", ""}


@pytest.mark.parametrize("signature", SIGNED, ids=lambda signature: signature.name)
def test_parameters_and_requirements_match(signature: Signature) -> None:
    fields = schema(signature)
    known = signature.required | signature.optional
    assert known <= set(fields), f"{signature.name} has no {known - set(fields)}"
    required = {name for name, field in fields.items() if field.is_required()}
    assert signature.required == required | ONLY_WAY.get(signature.name, set())


@pytest.mark.parametrize("signature", SIGNED, ids=lambda signature: signature.name)
def test_parameters_have_the_right_type(signature: Signature) -> None:
    fields = schema(signature)
    simple = {"int": shapes.integer, "bool": shapes.boolean, "str": shapes.string}
    for name in signature.required | signature.optional:
        kinds = kinds_in(fields[name].annotation)
        check = PARAMETERS[name]
        if name == "chat_id":
            assert kinds == {"int", "str"}
        elif check in simple.values():
            assert [simple[kind] for kind in kinds if kind in simple] == [check], name
        elif name in ("photo", "document"):
            assert kinds == {"InputFile", "str"}
        else:
            assert check.__qualname__.startswith("parsed"), f"{name} is {kinds}: not a plain value"
            assert typing.get_origin(fields[name].annotation) is not None


@pytest.mark.parametrize("signature", SIGNED, ids=lambda signature: signature.name)
async def test_every_other_parameter_is_refused(api: Api, signature: Signature) -> None:
    for name in set(schema(signature)) - signature.required - signature.optional:
        status, body = await api.call(signature.name, **{name: "1"})
        assert status == 400
        assert body["description"] == f'Bad Request: strict: {signature.name} takes no parameter "{name}" here'


@pytest.mark.parametrize("kind", sorted(SHAPES))
def test_objects_match_the_reference(kind: str) -> None:
    import aiogram.types

    fields, shape = getattr(aiogram.types, kind).model_fields, SHAPES[kind]
    assert set(shape.required) | set(shape.optional) <= set(fields)
    required = {name for name, field in fields.items() if field.is_required()} | ALWAYS_THERE.get(kind, set())
    assert set(shape.required) == required
    simple = {"int": shapes.integer, "bool": shapes.boolean, "str": shapes.string}
    for name, check in (shape.required | shape.optional).items():
        kinds = kinds_in(fields[name].annotation) & set(simple)
        assert not kinds or {simple[each] for each in kinds} == {check} or isinstance(check, Shape), name


def test_every_signature_has_its_method() -> None:
    implemented = set(server._METHODS) | set(server._ASYNC_METHODS)
    assert implemented == {signature.name for signature in SIGNED}


def test_update_kinds_exist() -> None:
    import aiogram.types

    assert set(aiogram.types.Update.model_fields) - {"update_id"} == KINDS


def test_reactions_are_those_of_telegram() -> None:
    assert {emoji.value for emoji in ReactionEmoji} == EMOJI
