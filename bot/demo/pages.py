"""Serves the browser the page, sent files and a stream of changes, and refuses other sites' requests."""

import asyncio
import ipaddress
import json
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.demo.errors import NotPossible
from bot.demo.keys import WORLD

FOLDER = Path(__file__).parent / "page"
KEEP_ALIVE = 15.0  # seconds
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; style-src 'self'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


def page_routes() -> list[web.AbstractRouteDef]:
    return [
        web.get("/", _index),
        web.static("/static", FOLDER),
        web.get("/demo/events", _events),
        web.get("/demo/files/{id}", _file),
    ]


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Return errors as JSON, and keep other sites' pages out: the server has no login, only its address."""
    if request.path.startswith("/bot"):
        return await handler(request)
    if not _own(request):
        return web.json_response({"error": "This server only talks to its own page."}, status=403)
    try:
        response = await handler(request)
    except NotPossible as reason:
        response = web.json_response({"error": str(reason)}, status=409)
    except web.HTTPException as error:
        if error.status < 400:  # noqa: PLR2004 - not an error
            raise
        response = web.json_response({"error": error.text or error.reason}, status=error.status)
    if not response.prepared:
        response.headers.update(_HEADERS)
    return response


def _own(request: web.Request) -> bool:
    """Return whether a request comes from our own page and not from another site or under a foreign host name."""
    host = urlsplit(f"//{request.host}").hostname or ""
    origin = request.headers.get("Origin")
    if origin and urlsplit(origin).netloc != request.host:
        return False
    if host == "localhost":
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


async def _index(_request: web.Request) -> web.FileResponse:
    return web.FileResponse(FOLDER / "index.html")


async def _file(request: web.Request) -> web.Response:
    stored = request.app[WORLD].files.get(request.match_info["id"])
    if stored is None:
        raise web.HTTPNotFound(text="There is no such file.")
    response = web.Response(body=stored.content, content_type=stored.kind)
    if not stored.kind.startswith("image/"):
        response.headers["Content-Disposition"] = "attachment"  # never shown as one of our own pages
    return response


async def _events(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", **_HEADERS})
    await response.prepare(request)
    hub = request.app[WORLD].hub
    page = hub.join()
    try:
        await response.write(b": hello\n\n")
        while True:
            try:
                event = await asyncio.wait_for(page.get(), KEEP_ALIVE)
            except TimeoutError:
                await response.write(b": still here\n\n")
                continue
            if event is None:
                break
            await response.write(f"event: {event[0]}\ndata: {json.dumps(event[1])}\n\n".encode())
    except ConnectionResetError:
        pass  # the page was closed
    finally:
        hub.leave(page)
    return response
