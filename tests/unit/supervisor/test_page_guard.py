"""Who may see the pages: names of loopback, the token, the headers of every answer."""

import asyncio
import json
import socket
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from supervisor.errors import UsageMistake
from supervisor.page_app import App
from supervisor.page_guard import HEADERS
from supervisor.pages import Answer, Pages, Routes

TOKEN = {"Authorization": "Bearer secret"}


@pytest.fixture(scope="module")
def static(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("site") / "static"
    beside = made.with_name("static-kept")
    for folder in (made, beside):
        folder.mkdir()
    for outside in (
        made.parent / "supervisor.json",
        made.parent / "index.html",
        beside / "key.txt",
    ):
        outside.write_text("nobody's business")
    (made / "index.html").write_text("<!doctype html><title>page</title>")
    (made / "main.js").write_text("export {};")
    return made


def routes(static: Path) -> Routes:
    looks = iter(range(1_000_000))
    return Routes(
        gets={"/api/fine": lambda _: Answer.of({}), "/metrics": lambda _: Answer(200, b"x 1\n")},
        posts={"/actions/do": lambda asked: Answer.of(dict(asked))},
        token="secret",
        lives={"/api/live": lambda: iter([("look", json.dumps(next(looks)))])},
        static=static,
    )


@pytest.fixture(params=["127.0.0.1", "0.0.0.0"], scope="module")
def pages(request: pytest.FixtureRequest, static: Path) -> Iterator[Pages]:
    made = Pages(request.param, 0)
    made.serve(routes(static))
    yield made
    made.close()


def asked(
    pages: Pages, path: str, method: str = "GET", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    connection = HTTPConnection("127.0.0.1", pages.port, timeout=5.0)
    connection.request(method, path, headers={k.replace("_", "-"): v for k, v in headers.items()})
    answer = connection.getresponse()
    found = answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    connection.close()
    return found


def test_reading_needs_the_token_unless_the_page_is_on_loopback(pages: Pages) -> None:
    away = pages.host == "0.0.0.0"
    for path in ("/api/fine", "/api/live"):
        if away or path == "/api/fine":
            assert asked(pages, path)[0] == (401 if away else 200)
    assert asked(pages, "/api/fine", **TOKEN)[0] == 200
    assert asked(pages, "/api/fine", Authorization="Bearer wrong")[0] == (401 if away else 200)


def test_probes_and_the_files_of_the_page_need_no_token(pages: Pages) -> None:
    for path in ("/metrics", "/", "/main.js"):
        assert asked(pages, path)[0] == 200


def test_an_action_always_needs_the_token(pages: Pages) -> None:
    assert asked(pages, "/actions/do", "POST")[0] == 401
    assert asked(pages, "/actions/do", "POST", **TOKEN)[0] == 200


@pytest.mark.parametrize("method", ["DELETE", "PUT", "PATCH", "OPTIONS", "TRACE"])
def test_what_no_page_takes_is_told_with_what_it_takes(pages: Pages, method: str) -> None:
    for path, takes in (("/api/fine", "GET, HEAD"), ("/actions/do", "POST"), ("/", "GET, HEAD")):
        for token in ({}, TOKEN):
            status, headers, body = asked(pages, path, method, **token)
            assert (status, headers["allow"]) == (405, takes)
            assert json.loads(body) == {"error": f"{path} takes {takes} and no {method}"}


def test_a_name_that_is_not_loopbacks_is_turned_away_whatever_the_method(pages: Pages) -> None:
    on_loopback = pages.host == "127.0.0.1"
    status = asked(pages, "/api/fine", "DELETE", Host="evil.example")[0]
    assert status == (403 if on_loopback else 405)


def test_a_page_on_loopback_answers_to_no_other_name(pages: Pages) -> None:
    on_loopback = pages.host == "127.0.0.1"
    for name in ("evil.example", "evil.example:80", "127.0.0.1.evil.example", "[:", ""):
        status = asked(pages, "/metrics", Host=name)[0]
        assert status == (403 if on_loopback else 200), name
    for name in ("localhost:1", "127.0.0.1:9464", "[::1]:9464", "penstock.localhost"):
        assert asked(pages, "/metrics", Host=name)[0] == 200, name


@pytest.mark.parametrize("path", ["/", "/main.js", "/api/fine", "/nowhere", "/metrics"])
def test_every_answer_forbids_whatever_is_not_our_own(pages: Pages, path: str) -> None:
    headers = asked(pages, path, **TOKEN)[1]
    assert {name.lower(): headers.get(name.lower()) for name in HEADERS} == {
        name.lower(): value for name, value in HEADERS.items()
    }
    assert headers["cache-control"] == ("no-cache" if path in ("/", "/main.js") else "no-store")
    assert "unsafe" not in headers["content-security-policy"]
    assert "server" not in headers


@pytest.mark.parametrize(
    "path",
    [
        "/../supervisor.json",
        "/%2e%2e/supervisor.json",
        "/..%2fsupervisor.json",
        "/../static-kept/key.txt",
        "/../",
        "/{outside}",
        "/%2f{outside}",
    ],
)
def test_a_file_outside_the_static_folder_is_not_there(
    pages: Pages, static: Path, path: str
) -> None:
    outside = static.parent / "supervisor.json"
    assert outside.exists()
    status, _, body = asked(pages, path.format(outside=outside))
    assert (status, b"nobody" in body) == (404, False)


def test_events_come_until_the_pages_close(static: Path) -> None:
    pages = Pages("127.0.0.1", 0)
    pages.serve(routes(static))
    connection = HTTPConnection("127.0.0.1", pages.port, timeout=5.0)
    connection.request("GET", "/api/live")
    answer = connection.getresponse()
    assert answer.getheader("content-type", "").startswith("text/event-stream")
    lines = [answer.readline() for _ in range(6)]
    assert lines == [b"event: look\n", b"data: 0\n", b"\n", b"event: look\n", b"data: 1\n", b"\n"]
    pages.close()
    answer.read()  # it ends
    connection.close()


def test_an_address_of_ipv6_can_be_listened_on() -> None:
    try:
        pages = Pages("::1", 0)
    except UsageMistake as error:
        pytest.skip(f"this machine has no IPv6 loopback: {error}")
    pages.serve(Routes({"/metrics": lambda _: Answer(200, b"x 1\n")}, {}, "t"))
    connection = HTTPConnection("::1", pages.port, timeout=5.0)
    connection.request("GET", "/metrics")
    assert connection.getresponse().status == 200
    connection.close()
    pages.close()


@pytest.mark.parametrize("host", ["203.0.113.9", "nowhere", "x" * 300, "a..b"])
@pytest.mark.parametrize("port", [None, 0])
def test_a_host_that_is_not_ours_is_told_with_the_option_and_the_remedy(
    host: str, port: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up = socket.getaddrinfo

    def getaddrinfo(name: str, *asked: Any, **more: Any) -> Any:
        if name == "nowhere":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return looked_up(name, *asked, **more)

    monkeypatch.setattr("supervisor.pages.socket.getaddrinfo", getaddrinfo)
    with pytest.raises(UsageMistake, match="no address that this machine can listen on") as refused:
        Pages(host, port)
    assert repr(host) in str(refused.value)
    assert "--host or PENSTOCK_HOST: 127.0.0.1" in str(refused.value)


def test_no_more_than_32_listen_however_many_come_at_once(static: Path) -> None:
    pages = Pages("127.0.0.1", 0)
    pages.serve(routes(static))
    connections = [HTTPConnection("127.0.0.1", pages.port, timeout=5.0) for _ in range(34)]
    for connection in connections:
        connection.request("GET", "/api/live")
    statuses = [connection.getresponse().status for connection in connections]
    assert sorted(statuses) == [200] * 32 + [503] * 2
    pages.close()
    for connection in connections:
        connection.close()


def test_head_of_the_events_ends_and_counts_as_no_listener(pages: Pages) -> None:
    for _ in range(33):
        status, headers, body = asked(pages, "/api/live", "HEAD", **TOKEN)
        assert (status, body) == (200, b"")
        assert headers["content-type"].startswith("text/event-stream")


def test_who_left_before_the_first_event_listens_no_more(static: Path) -> None:
    app = App(routes(static), "127.0.0.1", lambda: True)
    scope = {
        "type": "http", "method": "GET", "path": "/api/live", "query_string": b"", "headers": [],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "root_path": "",
        "http_version": "1.1", "scheme": "http",
    }  # fmt: skip

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    statuses: list[int] = []

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    for _ in range(40):
        asyncio.run(app({**scope, "headers": [(b"host", b"localhost")]}, receive, send))
    assert 503 not in statuses


@pytest.mark.parametrize("half", ["\\ud800", "\\udc00x"])
def test_half_a_surrogate_pair_in_an_action_is_the_callers_fault(pages: Pages, half: str) -> None:
    connection = HTTPConnection("127.0.0.1", pages.port, timeout=5.0)
    connection.request("POST", "/actions/do", f'{{"uid": "{half}"}}'.encode(), TOKEN)
    answer = connection.getresponse()
    assert (answer.status, b"one small JSON object" in answer.read()) == (400, True)
    connection.close()
