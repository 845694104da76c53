"""The HTTP server: the Bot API on one side, the page and its controls on the other. `create_app` is the entry point."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.demo import methods, profile, receiving
from bot.demo.control import routes
from bot.demo.errors import Refused, bad_request
from bot.demo.faults import ANSWERS, GET_UPDATES, HTML_502, SLOW, Fault
from bot.demo.keys import NEXT_DUE, TIME_FILE, WALKING, WORLD, ZONES, NextDue, Zones
from bot.demo.pages import guard, page_routes
from bot.demo.receiving import Alive
from bot.demo.render import phone_of
from bot.demo.signatures import Signature, Upload, check, find_signature
from bot.demo.timefile import TimeFile
from bot.demo.updates import CLOSING
from bot.demo.world import World

MAX_BODY = 60 * 2**20  # bytes: the largest document, and some room around it
_TOKEN = re.compile(r"[0-9]+:[A-Za-z0-9_-]+")
_METHODS: dict[str, Callable[[World, dict[str, Any]], Any]] = methods.METHODS | profile.METHODS
_ASYNC_METHODS: dict[str, Callable[[World, dict[str, Any], Alive], Awaitable[Any]]] = receiving.METHODS


def create_app(
    world: World, *, time_file: TimeFile | None = None, next_due: NextDue | None = None, zones: Zones | None = None
) -> web.Application:
    """Serve this world. Without a time file its clock can't be moved from outside.

    `next_due` returns when the bot has something planned next, and `zones` the time zones that people have told it.
    """
    app = web.Application(client_max_size=MAX_BODY, middlewares=[guard])
    app[WORLD], app[TIME_FILE], app[NEXT_DUE], app[ZONES] = world, time_file, next_due, zones
    app[WALKING] = asyncio.Lock()
    app.router.add_route("*", "/bot{token}/{method}", bot_api)
    app.router.add_get("/file/bot{token}/{path:.+}", bot_file)
    app.add_routes([*routes(), *page_routes()])
    app.cleanup_ctx.append(_run_world)
    app.on_shutdown.append(_end_connections)
    return app


async def _run_world(app: web.Application) -> AsyncIterator[None]:
    world = app[WORLD]
    world.hub.view = lambda chat_id: phone_of(world, chat_id)
    yield
    await world.webhook.stop()


async def _end_connections(app: web.Application) -> None:
    """End all open connections: pages and long polls."""
    app[WORLD].hub.close()
    app[WORLD].updates.stop_polling(CLOSING)


@dataclass
class _Outcome:
    status: int
    body: Any  # what a server without faults would have said
    cut: bool = False
    raw: bytes | None = None  # sent instead of the body

    def answer(self, request: web.Request) -> web.StreamResponse:
        if self.cut:
            if request.transport:
                request.transport.abort()
            return web.Response()  # goes nowhere
        if self.raw is not None:
            kind = "text/html" if self.status != 200 else "application/json"  # noqa: PLR2004
            return web.Response(status=self.status, body=self.raw, content_type=kind)
        return web.json_response(self.body, status=self.status)


async def bot_api(request: web.Request) -> web.StreamResponse:
    """Handle one call from the bot. Whatever the outcome, the call is logged."""
    world, name = request.app[WORLD], request.match_info["method"]
    raw: dict[str, Any] = {}
    try:
        raw = await _read(request)
        _check_token(world, request.match_info["token"])
        signature = find_signature(name)
        name = signature.name
        outcome = await _with_faults(world, signature, raw, lambda: _alive(request))
    except Refused as refused:
        outcome = _Outcome(refused.code, refused.body())
    result = outcome.body.get("result", outcome.body.get("description"))
    gone = outcome.cut or not _alive(request)
    logged = {key: repr(value) if isinstance(value, Upload) else value for key, value in raw.items()}
    world.calls.add(name, logged, 0 if gone else outcome.status, result, ok=outcome.body["ok"])
    world.hub.touched()
    return outcome.answer(request)


def _alive(request: web.Request) -> bool:
    """Return whether the caller is still there to read the answer; a bot that was killed is not."""
    return request.transport is not None and not request.transport.is_closing()


async def _read(request: web.Request) -> dict[str, Any]:
    """Return the parameters from the query and the body, unchecked."""
    raw: dict[str, Any] = dict(request.query)
    if request.content_type == "application/json":
        try:
            body = await request.json()
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise bad_request("can't parse request body as a JSON object")
        raw |= body
    elif request.can_read_body:
        for key, value in (await request.post()).items():
            if key in raw:
                raise bad_request(f'parameter "{key}" is given twice')
            raw[key] = Upload(value.filename, value.file.read()) if isinstance(value, web.FileField) else value
    return raw


def _check_token(world: World, token: str) -> None:
    if not _TOKEN.fullmatch(token):
        raise Refused(404, "Not Found")
    if token != world.token:
        raise Refused(401, "Unauthorized")


async def _with_faults(world: World, signature: Signature, raw: dict[str, Any], alive: Alive) -> _Outcome:
    method, chat_id = signature.name, _chat_id(raw)
    if slow := world.faults.take(method, chat_id, (SLOW,)):
        await asyncio.sleep(slow.seconds)
    kinds = ANSWERS if method.lower() != GET_UPDATES else tuple(kind for kind in ANSWERS if kind != "malformed")
    fault = world.faults.take(method, chat_id, kinds)
    if fault is None:
        return await _run(world, signature, raw, alive)
    return await _broken(fault, world, signature, raw, alive)


async def _broken(fault: Fault, world: World, signature: Signature, raw: dict[str, Any], alive: Alive) -> _Outcome:
    if fault.kind == "cut_before":
        return _Outcome(0, {"ok": False, "description": "cut before it was applied"}, cut=True)
    if fault.kind == "502":
        return _Outcome(502, {"ok": False, "description": "Bad Gateway"}, raw=HTML_502.encode())
    if fault.kind not in ("cut_after", "malformed", "strange"):
        raise fault.refusal()
    outcome = await _run(world, signature, raw, alive)
    if fault.kind == "cut_after":
        outcome.cut = True
    elif fault.kind == "strange":
        outcome.raw = json.dumps({"ok": True, "result": fault.result}).encode()
    else:
        outcome.raw = json.dumps(outcome.body).encode()[:-2]
    return outcome


async def _run(world: World, signature: Signature, raw: dict[str, Any], alive: Alive) -> _Outcome:
    params = check(signature, raw)
    if signature.name in _METHODS:
        result = _METHODS[signature.name](world, params)
    else:
        result = await _ASYNC_METHODS[signature.name](world, params, alive)
    return _Outcome(200, {"ok": True, "result": result})


def _chat_id(raw: dict[str, Any]) -> int | None:
    try:
        return int(raw["chat_id"])
    except (KeyError, TypeError, ValueError):
        return None


async def bot_file(request: web.Request) -> web.Response:
    world = request.app[WORLD]
    file_id = request.match_info["path"].rpartition("/")[2]
    stored = world.files.get(file_id)
    if request.match_info["token"] != world.token or stored is None or stored.path != request.match_info["path"]:
        return web.json_response(Refused(404, "Not Found").body(), status=404)
    return web.Response(body=stored.content, content_type="application/octet-stream")
