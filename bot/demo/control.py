"""The API by which the page and the tests control the stand-in: JSON in, JSON out; a refusal is a 4xx with a reason."""

import json
import math
from collections.abc import Callable
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any, TypeVar

from aiohttp import web

from bot.demo import people
from bot.demo.errors import NotPossible
from bot.demo.faults import Fault
from bot.demo.keys import NEXT_DUE, TIME_FILE, WALKING, WORLD, ZONES
from bot.demo.queries import Query
from bot.demo.render import clock_view, phone_view, snapshot
from bot.demo.timefile import TimeFile
from bot.demo.walking import Walk
from bot.demo.world import Json, World

_T = TypeVar("_T")
_PERSON = ("first_name", "last_name", "username", "language_code")
_FARTHEST = timedelta(days=3650).total_seconds()


def routes() -> list[web.RouteDef]:
    return [
        web.get("/demo/state", _state),
        web.post("/demo/phones", _person),
        web.post("/demo/phones/{id}/{act}", _act),
        web.post("/demo/groups", _group),
        web.get("/demo/groups/{id}", _group_state),
        web.post("/demo/groups/{id}/text", _group_text),
        web.post("/demo/groups/{id}/remove", _group_remove),
        web.post("/demo/groups/{id}/upgrade", _group_upgrade),
        web.post("/demo/clock", _clock),
        web.get("/demo/zones", _zones),
        web.post("/demo/faults", _fault),
        web.delete("/demo/faults", _no_faults),
        web.get("/demo/calls", _calls),
        web.post("/demo/updates", _raw_update),
        web.get("/demo/pending", _pending),
    ]


async def _body(request: web.Request) -> Json:
    """Read the body. Only JSON is accepted, partly because another site's page can't send it without a preflight."""
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="Send application/json.")
    try:
        body = await request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise NotPossible("The body is not a JSON object.")
    return body


def _field(body: Json, name: str, kind: type[_T], default: _T | None = None) -> _T:
    value = body.get(name)
    if value is None:
        if default is not None:
            return default
        raise NotPossible(f'"{name}" is missing.')
    if kind is float and isinstance(value, int):
        value = float(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise NotPossible(f'"{name}" should be of the kind {kind.__name__}.')
    return value


def _id(request: web.Request) -> int:
    try:
        return int(request.match_info["id"])
    except ValueError:
        raise NotPossible("An id is a number.") from None


# Phones


async def _state(request: web.Request) -> web.Response:
    time_file = request.app[TIME_FILE]
    return web.json_response(snapshot(request.app[WORLD], time_file.offset if time_file else 0.0))


async def _person(request: web.Request) -> web.Response:
    world, body = request.app[WORLD], await _body(request)
    user_id = body.get("id")
    known = isinstance(user_id, int) and user_id in world.chats
    if not known:
        _field(body, "first_name", str)
    if user_id is not None and _field(body, "id", int) <= 0:
        raise NotPossible("A person's id is greater than 0.")
    user = {name: _field(body, name, str) for name in _PERSON if name in body}
    return web.json_response(phone_view(world, world.person(user_id, **user)))


def _say(world: World, user_id: int, body: Json) -> Json:
    reply_to = _field(body, "reply_to", int, 0) or None
    return {"message_id": people.says(world, user_id, _field(body, "text", str), reply_to).message_id}


def _media(world: World, user_id: int, body: Json) -> Json:
    details = {name: value for name, value in body.items() if name != "kind"}
    return {"message_id": people.sends(world, user_id, _field(body, "kind", str), **details).message_id}


def _album(world: World, user_id: int, body: Json) -> Json:
    details = {name: value for name, value in body.items() if name not in ("kind", "count")}
    kind, count = _field(body, "kind", str), _field(body, "count", int)
    return {"message_ids": [each.message_id for each in people.sends_album(world, user_id, kind, count, **details)]}


def _forward(world: World, user_id: int, body: Json) -> Json:
    return {"message_id": people.forwards(world, user_id, _field(body, "text", str)).message_id}


def _edit(world: World, user_id: int, body: Json) -> Json:
    people.edits(world, user_id, _field(body, "message_id", int), _field(body, "text", str))
    return {}


def _delete(world: World, user_id: int, body: Json) -> Json:
    people.hides(world, user_id, _field(body, "message_id", int))
    return {}


def _react(world: World, user_id: int, body: Json) -> Json:
    people.reacts(world, user_id, _field(body, "message_id", int), _field(body, "emoji", str, ""))
    return {}


def _block(world: World, user_id: int, _body: Json) -> Json:
    people.blocks(world, user_id)
    return {}


def _unblock(world: World, user_id: int, _body: Json) -> Json:
    people.unblocks(world, user_id)
    return {}


def _language(world: World, user_id: int, body: Json) -> Json:
    world.person(world.phone(user_id).chat_id, language_code=_field(body, "language_code", str))
    return {}


_ACTS: dict[str, Callable[[World, int, Json], Json]] = {
    "text": _say,
    "media": _media,
    "album": _album,
    "forward": _forward,
    "edit": _edit,
    "delete": _delete,
    "react": _react,
    "block": _block,
    "unblock": _unblock,
    "language": _language,
}


async def _act(request: web.Request) -> web.Response:
    world, user_id, act = request.app[WORLD], _id(request), request.match_info["act"]
    body = await _body(request)
    if act == "tap":
        return web.json_response(await _tap(world, user_id, body))
    if act not in _ACTS:
        raise web.HTTPNotFound(text=f'A phone can do no "{act}".')
    return web.json_response(_ACTS[act](world, user_id, body))


async def _tap(world: World, user_id: int, body: Json) -> Json:
    message_id = _field(body, "message_id", int)
    if "data" in body:
        tapped: Json | Query = people.tap_data(world, user_id, message_id, _field(body, "data", str))
    else:
        row, column = _field(body, "row", int), _field(body, "column", int)
        tapped = people.taps(world, user_id, message_id, row, column)
    if not isinstance(tapped, Query):
        return tapped
    answer = await world.queries.wait(tapped) if body.get("wait") else None
    return {"kind": "callback", "answer": answer}


# Groups


async def _group(request: web.Request) -> web.Response:
    body = await _body(request)
    title, kind, by = _field(body, "title", str), _field(body, "type", str, "group"), _field(body, "by", int)
    chat = people.adds_to_group(request.app[WORLD], title, kind, by)
    return web.json_response({"id": chat.chat_id})


async def _group_state(request: web.Request) -> web.Response:
    chat = request.app[WORLD].group(_id(request))
    sent = [message.content for message in chat.messages.values() if message.by_bot]
    return web.json_response({"id": chat.chat_id, "bot_left": chat.bot_left, "from_bot": sent})


async def _group_text(request: web.Request) -> web.Response:
    body = await _body(request)
    text, by = _field(body, "text", str), _field(body, "by", int)
    message = people.says_in_group(request.app[WORLD], _id(request), text, by)
    return web.json_response({"message_id": message.message_id})


async def _group_remove(request: web.Request) -> web.Response:
    body = await _body(request)
    people.removes_from_group(request.app[WORLD], _id(request), _field(body, "by", int))
    return web.json_response({})


async def _group_upgrade(request: web.Request) -> web.Response:
    body = await _body(request)
    chat = people.upgrades_group(request.app[WORLD], _id(request), _field(body, "by", int))
    return web.json_response({"id": chat.chat_id})


# Clock, faults, calls, updates


async def _clock(request: web.Request) -> web.Response:
    """Move the clock: jump to an offset or by some seconds, or walk, stopping at everything that becomes due."""
    world, time_file, body = request.app[WORLD], request.app[TIME_FILE], await _body(request)
    if time_file is None:
        raise NotPossible("The clock of this stand-in can't be moved from here.")
    if body.get("to") == "next" or body.get("walk"):
        seconds = 0.0 if body.get("to") == "next" else _field(body, "advance", float)
        await _walk(request, time_file, seconds)
    elif "advance" in body:
        _set(world, time_file, time_file.offset + _field(body, "advance", float))
    else:
        _set(world, time_file, _field(body, "offset", float))
    return web.json_response(clock_view(world.now(), time_file.offset))


async def _walk(request: web.Request, time_file: TimeFile, seconds: float) -> None:
    """Walk for this many seconds, or to the next message if it is 0."""
    world, next_due, walking = request.app[WORLD], request.app[NEXT_DUE], request.app[WALKING]
    if next_due is None:
        raise NotPossible("This stand-in doesn't know what the bot has planned.")
    if walking.locked():
        raise NotPossible("The clock is on its way already.")

    def move(moment: datetime) -> None:
        _set(world, time_file, time_file.offset + (moment - world.now()).total_seconds())

    async with walking:
        walk = Walk(world, next_due, move)
        if seconds:
            await walk.to(world.now() + timedelta(seconds=_bounded(seconds)))
        else:
            await walk.to_next_message()


def _set(world: World, time_file: TimeFile, offset: float) -> None:
    time_file.set(_bounded(offset))
    world.hub.tell("clock", clock_view(world.now(), offset))


def _bounded(seconds: float) -> float:
    if not math.isfinite(seconds) or abs(seconds) > _FARTHEST:
        raise NotPossible("The clock moves by ten years at most.")
    return seconds


async def _zones(request: web.Request) -> web.Response:
    zones = request.app[ZONES]
    return web.json_response({str(user_id): zone for user_id, zone in (await zones()).items()} if zones else {})


async def _fault(request: web.Request) -> web.Response:
    body = await _body(request)
    if unknown := sorted(set(body) - {field.name for field in fields(Fault)}):
        raise NotPossible(f"A fault has no {', '.join(unknown)}.")
    chat_id = _field(body, "chat_id", int, 0) or None
    fault = Fault(
        method=_field(body, "method", str, "*"),
        kind=str(_field(body, "kind", object)),
        times=_field(body, "times", int, 1),
        chat_id=chat_id,
        retry_after=_field(body, "retry_after", int, 1),
        seconds=_field(body, "seconds", float, 1.0),
        description=_field(body, "description", str, ""),
    )
    request.app[WORLD].faults.add(fault)
    return web.json_response({})


async def _no_faults(request: web.Request) -> web.Response:
    request.app[WORLD].faults.clear()
    return web.json_response({})


async def _calls(request: web.Request) -> web.Response:
    since = request.query.get("since", "0")
    if not since.isdigit():
        raise NotPossible('"since" is the number of a call.')
    calls: list[Any] = request.app[WORLD].calls.since(int(since))
    return web.json_response(calls, dumps=lambda value: json.dumps(value, default=repr))  # uploads appear as their size


async def _raw_update(request: web.Request) -> web.Response:
    body = await _body(request)
    if "update_id" in body:
        _field(body, "update_id", int)
    return web.json_response({"update_id": request.app[WORLD].updates.add_raw(body)})


async def _pending(request: web.Request) -> web.Response:
    return web.json_response(len(request.app[WORLD].updates.waiting))
