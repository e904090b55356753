"""The pages as an ASGI application: dispatch, who may do what, faults told in one sentence."""

import asyncio
import json
import traceback
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import structlog
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from supervisor.page_guard import HEADERS, called_rightly, has_token, is_loopback
from supervisor.page_routes import Answer, Deed, Get, Live, Post, Routes

MOST_BODY_BYTES = 4 * 1024 * 1024
"""A mended payload of a megabyte, written as JSON, may be longer than itself."""

_METHODS = ("GET", "HEAD", "POST")
_MOST_LISTENERS = 32
_EVENT_STREAM = "text/event-stream"
_TICK_S, _TICKS = 0.25, 4
_NO_TOKEN = "needs the token that stands in supervisor.json"


class App:
    """Turns away who may not ask, then lets Starlette find the page.

    ``host`` is where the pages listen; streams end soon after ``ending`` says so.
    """

    def __init__(self, routes: Routes, host: str, ending: Callable[[], bool]) -> None:
        self._routes = routes
        self._loopback = is_loopback(host)
        self._ending = ending
        self._listeners = 0
        self._site = Starlette(
            routes=list(self._every()),
            exception_handlers={HTTPException: self._missing, Exception: _failed},
        )

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""

        async def sealed(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = _sealed(message.get("headers", ()))
            await send(message)

        refused = self._refused(Request(scope)) if scope["type"] == "http" else None
        await (refused or self._site)(scope, receive, sealed)

    def _refused(self, request: Request) -> Response | None:
        if self._loopback and not called_rightly(request.headers.get("host", "")):
            return _response(Answer.fault(403, "this page answers to loopback names only"))
        if request.method not in _METHODS:
            takes = "POST" if request.url.path in self._routes.posts else "GET, HEAD"
            sentence = f"{request.url.path} takes {takes} and no {request.method}"
            return _response(Answer.fault(405, sentence), {"Allow": takes})
        if not self._allowed(request):
            what = "an action" if request.method == "POST" else "reading from another machine"
            return _response(Answer.fault(401, f"{what} {_NO_TOKEN}"))
        return None

    def _allowed(self, request: Request) -> bool:
        if has_token(request.headers.get("authorization", ""), self._routes.token):
            return True
        if request.method not in ("GET", "HEAD"):
            return False
        path, routes = request.url.path, self._routes
        told = path in routes.gets or path in routes.lives
        return self._loopback or path in routes.open or (routes.static is not None and not told)

    def _every(self) -> list[BaseRoute]:
        routes = self._routes
        found: list[BaseRoute] = [Route(path, _page(get)) for path, get in routes.gets.items()]
        found += [Route(path, self._live(live)) for path, live in routes.lives.items()]
        for path, post in routes.posts.items():
            found.append(Route(path, self._action(path, post), methods=["POST"]))
        if routes.static is not None:
            found.append(Mount("/", StaticFiles(directory=routes.static, html=True)))
        return found

    def _missing(self, request: Request, error: Exception) -> Response:
        path = request.url.path
        posting = request.method == "POST"
        known = self._routes.posts if posting else self._routes.gets
        what = "action" if posting else "page"
        near = [name for name in known if name.split("/")[1] == path.split("/")[1]]
        sentence = f"there is no {what} {path}; there are {', '.join(near or known)}"
        return _response(Answer.fault(404, sentence))

    def _action(self, path: str, post: Post) -> Any:
        async def act(request: Request) -> Response:
            asked = await _body(request)
            if asked is None:
                answer = Answer.fault(400, "an action takes one small JSON object")
                return _response(answer, {"Connection": "close"})
            by = "console" if request.headers.get("x-penstock-by") == "console" else "command"
            deed = Deed(path, asked, by, request.client.host if request.client else "")
            return _response(await run_in_threadpool(self._routes.watch, deed, lambda: post(asked)))

        return act

    def _live(self, live: Live) -> Any:
        async def listen(request: Request) -> Response:
            if request.method == "HEAD":
                return Response(media_type=_EVENT_STREAM)
            if self._listeners >= _MOST_LISTENERS:
                return _response(Answer.fault(503, "too many listen already; close a console"))
            self._listeners += 1
            return _Stream(self._events(live), self._left)

        return listen

    def _left(self) -> None:
        self._listeners -= 1

    async def _events(self, live: Live) -> AsyncIterator[str]:
        while not self._ending():
            for name, data in await run_in_threadpool(lambda: list(live())):
                yield f"event: {name}\ndata: {data}\n\n"
            for _ in range(_TICKS):
                if not self._ending():
                    await asyncio.sleep(_TICK_S)


class _Stream(StreamingResponse):
    """Events until they end or nobody listens; says so, even where none was ever asked for."""

    def __init__(self, events: AsyncIterator[str], left: Callable[[], None]) -> None:
        super().__init__(events, media_type=_EVENT_STREAM)
        self._left = left

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._left()


_SEAL = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
_ASK_AGAIN = (b"cache-control", b"no-cache")


def _sealed(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers with ours; a file of the console is asked for anew, by its ETag."""
    given = list(headers)
    cached = any(name == b"cache-control" for name, _ in given)
    return [*given, *_SEAL, *[_ASK_AGAIN] * (not cached)]


def _page(get: Get) -> Any:
    def page(request: Request) -> Response:
        return _response(get(dict(request.query_params)))

    return page


def _failed(request: Request, error: Exception) -> Response:
    """The edge: a page that fails is told of and logged, and the others go on.

    An error's own words may quote a payload, so its sort and its place have to do.
    """
    sort, places = type(error).__name__, traceback.extract_tb(error.__traceback__)
    at = [f"{Path(place.filename).name}:{place.lineno}" for place in places[-3:]]
    log = structlog.get_logger()
    log.error("page_failed", page=request.url.path, error=sort, at=" > ".join(at))
    return _response(Answer.fault(500, f"the page failed: {sort}; see the log"))


def _response(answer: Answer, headers: Mapping[str, str] | None = None) -> Response:
    more = {"Cache-Control": "no-store", **(headers or {})}
    return Response(answer.body, answer.status, more, answer.content_type)


async def _body(request: Request) -> dict[str, Any] | None:
    """The JSON object of a request, or None where it is none or too long."""
    length = request.headers.get("content-length", "0")
    if not length.isdigit() or int(length) > MOST_BODY_BYTES:
        return None
    got = b""
    try:
        async for part in request.stream():
            got += part
            if len(got) > MOST_BODY_BYTES:
                return None
        found = json.loads(got or b"{}")
        json.dumps(found, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except (ValueError, RecursionError, ClientDisconnect):
        return None
    return found if isinstance(found, dict) else None
