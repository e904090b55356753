"""The HTTP pages: who may do what, and what is said to whom."""

import json
import socket
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import TimeoutError as TooLate
from pathlib import Path
from typing import Any

import pytest

from streams.connection import connect
from streams.errors import PortTaken
from supervisor.changes import Change, Deed
from supervisor.child import Place
from supervisor.errors import ActionFailed, CannotScale, ReloadRefused, UnknownWorker
from supervisor.fleet import ChildView
from supervisor.http_client import ask
from supervisor.pages import Answer, Pages, Routes
from supervisor.settings import SupervisorSettings
from supervisor.site import Site
from supervisor.supervisor import Seen
from supervisor.whereabouts import Whereabouts, path_of, read, remove, write
from tests.unit.supervisor.stand_ins import topology

HERE = Whereabouts(
    pid=1, host="127.0.0.1", port=80, token="secret", config="c", version="1", started_at_s=1.0
)


def broken(_: Mapping[str, Any]) -> Answer:
    raise RuntimeError("a fault in the program")


@pytest.fixture(scope="module")
def pages() -> Iterator[Pages]:
    routes = Routes(
        gets={"/fine": lambda query: Answer.of(dict(query)), "/broken": broken},
        posts={"/actions/do": lambda asked: Answer.of(dict(asked), 202)},
        token="secret",
    )
    made = Pages("127.0.0.1", 0)
    made.serve(routes)
    yield made
    made.close()


def get(pages: Pages, path: str) -> tuple[int, Any]:
    status, body = ask("GET", pages.host, pages.port, path, timeout_s=5.0)
    return status, json.loads(body)


def post(pages: Pages, path: str, body: bytes, token: str = "secret") -> tuple[int, Any]:
    status, answer = ask(
        "POST", pages.host, pages.port, path,
        timeout_s=5.0, body=body, headers={"Authorization": f"Bearer {token}"},
    )  # fmt: skip
    return status, json.loads(answer)


def test_a_page_gets_the_parameters_of_its_address(pages: Pages) -> None:
    assert get(pages, "/fine?a=1&b=x%20y") == (200, {"a": "1", "b": "x y"})


def test_a_page_that_is_not_there_names_those_that_are(pages: Pages) -> None:
    status, said = get(pages, "/nowhere")
    assert status == 404
    assert "/fine" in said["error"]


def test_a_page_that_fails_says_so_and_the_others_go_on(
    pages: Pages, capsys: pytest.CaptureFixture[str]
) -> None:
    status, said = get(pages, "/broken")
    assert (status, "RuntimeError" in said["error"]) == (500, True)
    assert "page_failed" in capsys.readouterr().out
    assert get(pages, "/fine")[0] == 200


def test_an_action_needs_the_token(pages: Pages) -> None:
    assert post(pages, "/actions/do", b'{"a": 1}') == (202, {"a": 1})
    assert post(pages, "/actions/do", b"") == (202, {})
    assert post(pages, "/actions/do", b"{}", "sécret")[0] == 401
    assert ask("POST", pages.host, pages.port, "/actions/do", timeout_s=5.0)[0] == 401


@pytest.mark.parametrize("body", [b"[]", b"{", b"\xff", b'"text"'])
def test_an_action_takes_one_json_object(pages: Pages, body: bytes) -> None:
    assert post(pages, "/actions/do", body)[0] == 400


def test_an_action_that_is_unknown_is_refused(pages: Pages) -> None:
    assert post(pages, "/actions/other", b"{}")[0] == 404


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (2, b"HTTP/1.1 202 "),
        (99_999_999, b"HTTP/1.1 400 Bad Request\r\n"),
    ],
)
def test_an_action_that_says_it_is_too_long_is_refused_before_it_is_read(
    pages: Pages, length: int, said: bytes
) -> None:
    with socket.create_connection((pages.host, pages.port), 5.0) as raw:
        raw.sendall(
            b"POST /actions/do HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer secret\r\n"
            b"Connection: close\r\nContent-Length: %d\r\n\r\n{}" % length
        )
        with raw.makefile("rb") as answer:
            told = answer.read()
    assert told.startswith(said)
    assert (b"one small JSON object" in told) == (length > 2)


def test_a_port_that_was_named_and_is_taken_is_an_error(pages: Pages) -> None:
    with pytest.raises(PortTaken, match=f"port {pages.port}"):
        Pages("127.0.0.1", pages.port)


def test_the_usual_port_gives_way_to_a_free_one(
    pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("supervisor.pages.DEFAULT_PORT", pages.port)
    other = Pages("127.0.0.1", None)
    other.close()
    assert other.port != pages.port


def test_an_answer_that_is_no_http_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        import threading

        def babble() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"what?\r\n\r\n")

        thread = threading.Thread(target=babble)
        thread.start()
        with pytest.raises(OSError, match="no proper answer"):
            ask("GET", "127.0.0.1", port, "/", timeout_s=5.0)
        thread.join()


def test_the_whereabouts_are_for_their_owner_alone(tmp_path: Path) -> None:
    assert read(tmp_path) is None
    write(tmp_path, HERE)
    assert read(tmp_path) == HERE
    assert path_of(tmp_path).stat().st_mode & 0o777 == 0o600
    remove(tmp_path, HERE.model_copy(update={"pid": 2, "token": "another's"}))
    assert read(tmp_path) == HERE
    remove(tmp_path, HERE)
    assert read(tmp_path) is None


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),
        ("::1", "http://[::1]:80"),
    ],
)
def test_the_address_can_be_opened_wherever_the_pages_listen(host: str, address: str) -> None:
    assert HERE.model_copy(update={"host": host}).address == address


class Told:
    """A supervisor that has seen what a test says, and answers a request with an error."""

    def __init__(self, seen: Seen) -> None:
        self.seen = seen
        self.topology = topology()
        self.settings = SupervisorSettings(config=Path("c"), data_dir=Path("nowhere"))
        self.server = self
        self.kind, self.safe_url, self.version = "configured", "redis://nowhere", ""
        self.error: Exception | None = None
        self.changes: list[Change] = []
        self.asked: list[Any] = []

    def client(self) -> Any:
        return connect("redis://127.0.0.1:1/0", timeout_s=1.0)

    def ask(self, request: Any, within_s: float) -> None:
        self.asked.append(request)
        if self.error:
            raise self.error
        if self.changes:
            request.begin(None)

    def reload(self, fleet: Any, told: Callable[[list[Change]], None]) -> None:
        told(self.changes)

    def end(self, why: str) -> None:
        self.asked.append(why)


def site_of(seen: Seen) -> tuple[Told, Routes]:
    told = Told(seen)
    return told, Site(told, HERE).routes()  # type: ignore[arg-type]


CHILD = ChildView(Place("gate"), 1, "starting", False, 0, "")


def test_ready_says_who_is_late() -> None:
    import time

    now = time.monotonic()
    for seen, status, said in (
        (Seen(now, ready=True), 200, "ok"),
        (Seen(now, children=(CHILD,)), 503, "gate (starting)"),
        (Seen(now), 503, "no worker was started"),
        (Seen(now, draining=True), 503, "is ending"),
    ):
        answer = site_of(seen)[1].gets["/readyz"]({})
        assert (answer.status, said in answer.body.decode()) == (status, True)


def test_alive_means_that_the_main_loop_comes_round() -> None:
    import time

    assert site_of(Seen(time.monotonic()))[1].gets["/livez"]({}).status == 200
    assert site_of(Seen(time.monotonic() - 100))[1].gets["/livez"]({}).status == 503


def test_without_its_server_the_supervisor_still_tells_of_its_children() -> None:
    _, routes = site_of(Seen(0.0, children=(CHILD,), wanted={"gate": 1}, restarts={"gate": 3}))
    found = json.loads(routes.gets["/status"]({}).body)
    assert found["server"]["reachable"] is False
    assert found["workers"][0]["processes"][0]["state"] == "starting"
    text = routes.gets["/metrics"]({}).body.decode()
    assert "penstock_server_up 0.0" in text
    assert 'penstock_supervisor_restarts_total{worker="gate"} 3.0' in text
    assert "penstock_supervisor_unscraped_processes 1.0" in text


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (None, 200),
        (UnknownWorker("no"), 404),
        (CannotScale("no"), 409),
        (ActionFailed("no"), 504),
        (TooLate(), 504),
    ],
)
def test_an_action_says_how_it_ended(error: Exception | None, status: int) -> None:
    told, routes = site_of(Seen(0.0))
    told.error = error
    assert routes.posts["/actions/restart"]({"workers": ["gate"]}).status == status
    assert routes.posts["/actions/scale"]({"worker": "gate", "processes": 2}).status == status


def test_a_reload_answers_what_the_supervisor_found_and_nothing_else() -> None:
    told, routes = site_of(Seen(0.0))
    told.changes = [Change("gate", Deed.REPLACED, ("max_batch: 500 -> 9",))]
    answer = json.loads(routes.posts["/actions/reload"]({}).body)
    assert [Change.of(change) for change in answer["changes"]] == told.changes
    told.error = ReloadRefused("line 1 is wrong", "line 2 is wrong")
    refused = routes.posts["/actions/reload"]({})
    assert refused.status == 409
    assert json.loads(refused.body) == {
        "error": "line 1 is wrong; line 2 is wrong",
        "problems": ["line 1 is wrong", "line 2 is wrong"],
    }


@pytest.mark.parametrize(
    ("action", "asked"),
    [
        ("restart", {"workers": "gate"}),
        ("restart", {"workers": [1]}),
        ("scale", {"worker": "gate"}),
        ("scale", {"worker": "gate", "processes": True}),
        ("scale", {"worker": "gate", "processes": 257}),
        ("scale", {"worker": 1, "processes": 1}),
    ],
)
def test_an_action_that_makes_no_sense_is_refused(action: str, asked: dict[str, Any]) -> None:
    told, routes = site_of(Seen(0.0))
    assert routes.posts[f"/actions/{action}"](asked).status == 400
    assert told.asked == []


def test_stop_answers_before_everything_ends() -> None:
    told, routes = site_of(Seen(0.0))
    assert routes.posts["/actions/stop"]({}).status == 202
    assert told.asked == ["penstock down"]
