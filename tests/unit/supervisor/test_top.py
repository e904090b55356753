"""The live screen: percentiles, what fits on it, which lines are written again, and keys."""

import io
import json
import os
import pty
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from rich.console import Console

from schemas.examples import EXAMPLES
from schemas.findings import AnomalyEvent
from streams.errors import ServerAway
from streams.presence import Presence
from supervisor.child import Place
from supervisor.events import Event
from supervisor.overview import Overview, ProcessView, ServerView, StreamView, WorkerView
from supervisor.scrape import Scraped
from supervisor.top import look as looking
from supervisor.top.ages import buckets_of, quantile_s, since
from supervisor.top.draw import SORTS, View, screenful
from supervisor.top.look import Looks, Seen, StreamRow, WorkerRow
from supervisor.top.screen import Keyboard, Screen
from tests.unit.supervisor.stand_ins import presence
from workers.ages import Ages

INFINITE = float("inf")


def _page(ages_s: list[float]) -> str:
    from prometheus_client import CollectorRegistry, generate_latest

    registry, ages = (
        CollectorRegistry(),
        Ages("penstock_entry_age_seconds", "Ages.", ("s",), (1.0, 2.0)),
    )
    ages.add(("IN",), Counter(ages_s))
    ages.add(("OTHER",), Counter(ages_s))
    registry.register(ages)
    return generate_latest(registry).decode()


def test_the_percentile_is_that_of_what_came_between_two_looks() -> None:
    before, now = buckets_of(_page([0.5] * 1000)), buckets_of(_page([0.5] * 1000 + [1.5] * 10))
    assert now == {1.0: 2000.0, 2.0: 2020.0, INFINITE: 2020.0}
    assert quantile_s(now, 0.5) == pytest.approx(0.505)
    assert quantile_s(since(before, now), 0.5) == pytest.approx(1.5)
    assert quantile_s(since(now, now), 0.99) is None
    assert since(now, before) == before, "a process that began anew"
    assert quantile_s({1.0: 0.0, INFINITE: 5.0}, 0.99) == 1.0
    assert quantile_s({}, 0.99) is None


def _stream(name: str, **more: Any) -> StreamRow:
    row = StreamRow(name, 12_345, 1.5, 0, 0, 5_000_000)
    return replace(row, **more)


def _worker(name: str = "gate", **more: Any) -> WorkerRow:
    row = WorkerRow(name, "gate", "running", 1, 1, 400.0, 0.025, 0, 0, 0, 54_000_000)
    return replace(row, **more)


def _seen(streams: int = 18, workers: int = 7, events: int = 9, **server: Any) -> Seen:
    finding = AnomalyEvent.model_validate_json(json.dumps(EXAMPLES["anomaly"]))
    view = ServerView(kind="configured", url="redis://h", version="Valkey 9.1", **server)
    return Seen(
        finding.at_ms / 1000 + 90,
        Overview(ready=True, server=view),
        tuple(_stream(f"STREAM_{n}", lag=n, rate=float(-n)) for n in range(streams)),
        tuple(_worker(f"worker-{n}") for n in range(workers)),
        tuple(Event(f"EVENTS/{n}-0", finding) for n in range(events)),
    )


def _lines(seen: Seen, width: int, height: int | None, view: View | None = None) -> list[str]:
    out = Console(file=io.StringIO(), width=width, color_system=None)
    with out.capture() as captured:
        out.print(screenful(seen, view or View(), width, height))
    return captured.get().splitlines()


@pytest.mark.parametrize("width", [80, 100, 120, 136, 200])
@pytest.mark.parametrize("height", [24, 30, 40, 60])
def test_a_screen_fits_and_names_each_worker(width: int, height: int) -> None:
    lines = _lines(_seen(), width, height)
    assert len(lines) <= height
    assert max(map(len, lines)) <= width
    text = "\n".join(lines)
    assert all(f"worker-{n} " in text for n in range(7))
    assert "STREAM_0" in text
    assert "1m" in text or "90s" in text
    assert "q quit" in lines[-1]


def test_what_is_cut_is_said_and_the_arrows_lead_there() -> None:
    first = "\n".join(_lines(_seen(), 80, 24))
    assert "/18" in first
    assert "STREAM_17" not in first
    view = View()
    for _ in range(30):
        view = view.after("down", 18)
    assert "STREAM_17" in "\n".join(_lines(_seen(), 80, 24, view))
    assert view.after("up", 18).first == view.first - 1
    assert "STREAM_17" in "\n".join(_lines(_seen(), 80, None))


def test_s_goes_round_the_orders() -> None:
    view, orders = View(), []
    for _ in SORTS:
        orders.append(view.sort)
        view = view.after("s", 18)
    assert orders == list(SORTS)
    assert view == View()
    by_lag = "\n".join(_lines(_seen(), 80, 24, View("lag")))
    assert by_lag.index("STREAM_17") < by_lag.index("STREAM_16")


def test_a_server_that_is_away_and_a_reason_are_in_the_heads() -> None:
    seen = _seen(reachable=False, error="it does not answer")
    process = ProcessView(process="gate", pid=1, state="backing_off", ready=False, reason="no file")
    broken = WorkerView(
        worker="gate", kind="gate", wanted=1, ready=0, state="backing_off", restarts=3,
        rss_bytes=0, processes=(process,),
    )  # fmt: skip
    seen = replace(seen, overview=seen.overview.model_copy(update={"workers": (broken,)}))
    text = "\n".join(_lines(seen, 80, 30)[:3])
    assert "server away" in text
    assert "it does not answer" in text
    assert "gate: no file" in text


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_only_lines_that_changed_are_written_again() -> None:
    out = _Terminal()
    screen = Screen(Console(file=out, width=40, height=10, force_terminal=True, color_system=None))
    whole = screen.show("one\ntwo\nthree")
    assert screen.show("one\ntwo\nthree") == 0
    out.truncate(0)
    out.seek(0)
    assert 0 < screen.show("one\n2\nthree") < whole
    assert "\x1b[2;1H2" in out.getvalue()
    assert "three" not in out.getvalue()
    screen.show("one")
    assert out.getvalue().endswith("\x1b[2;1H\x1b[J")


def test_keys_come_one_by_one_and_the_end_of_the_terminal_is_q(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "r", closefd=False) as terminal:
        monkeypatch.setattr("sys.stdin", terminal)
        keyboard = Keyboard()
    with keyboard.listening():
        for struck, key in ((b"s", "s"), (b"\x1b[B", "down"), (b"\x1bOA", "up"), (b"Q", "q")):
            os.write(ours, struck)
            assert keyboard.wait(5.0) == key
        assert keyboard.wait(0.0) == ""
    os.close(ours)
    os.close(theirs)


def _overview(added: int = 100, accepted: int = 50) -> Overview:
    worker = WorkerView(
        worker="gate", kind="gate", wanted=None, ready=1, state="running", restarts=0,
        rss_bytes=1, accepted=accepted,
    )  # fmt: skip
    stream = StreamView(name="IN", length=3, added=added, groups=())
    server = ServerView(kind="configured", url="redis://h")
    return Overview(ready=True, server=server, workers=(worker,), streams=(stream,))


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Looks]:
    monkeypatch.setattr(looking, "memory_bytes", lambda *_: {"IN": 1234})
    monkeypatch.setattr(looking.Recent, "incidents", lambda _: [])
    monkeypatch.setattr(looking, "present", lambda *_: [])

    def made(*overviews: Overview) -> Looks:
        waiting, times = iter(overviews), iter(range(10, 100, 2))
        day = count(9e5, -3600.0)  # somebody keeps setting the clock back, which disturbs no rate
        return Looks(
            None, None, lambda: next(waiting), lambda: next(day),  # type: ignore[arg-type]
            lambda: float(next(times)),
        )  # fmt: skip

    return made


def test_rates_are_the_growth_since_the_look_before(looks: Callable[..., Looks]) -> None:
    made = looks(_overview(), _overview(added=120, accepted=60))
    first, second = made.look(), made.look()
    assert (first.streams[0].rate, first.workers[0].rate) == (None, None)
    assert (second.streams[0].rate, second.workers[0].rate) == (10.0, 5.0)
    assert second.streams[0].memory_bytes == 1234


def test_a_server_that_goes_away_in_between_is_told_and_does_not_end_it(
    looks: Callable[..., Looks], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any) -> Any:
        raise ServerAway("it went away")

    made = looks(_overview(), _overview())
    made.look()
    monkeypatch.setattr(looking, "memory_bytes", away)
    seen = made.look()
    assert (seen.overview.server.reachable, seen.overview.server.error) == (False, "it went away")
    assert seen.streams[0].memory_bytes == 1234


def test_an_overview_that_cannot_be_had_is_the_one_before(looks: Callable[..., Looks]) -> None:
    answers: list[Overview | Exception] = [_overview(), ServerAway("gone"), _overview(added=200)]

    def next_overview() -> Overview:
        found = answers.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    made = looks()
    made._overview = next_overview
    assert made.look().overview.server.reachable
    away = made.look()
    assert (away.overview.server.error, away.streams[0].entries) == ("gone", 3)
    assert made.look().overview.server.reachable
    with pytest.raises(ServerAway):
        Looks(None, None, _raised, lambda: 1.0).look()  # type: ignore[arg-type]


def _raised() -> Overview:
    raise ServerAway("never there")


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """What the metrics pages of the processes of a worker are; None: it does not answer."""
    found: list[str | None] = []

    def present(*_: Any) -> list[Presence]:
        common = presence("gate", 1)
        return [common.model_copy(update={"consumer": str(n)}) for n in range(len(found))]

    def scrape(places: Sequence[tuple[Place, Presence]]) -> list[Scraped]:
        return [Scraped(place, page) for (place, _), page in zip(places, found, strict=True)]

    monkeypatch.setattr(looking, "present", present)
    monkeypatch.setattr(looking, "scrape", scrape)
    return found


def test_p99_is_over_all_processes_of_a_worker_that_answer(
    looks: Callable[..., Looks], pages: list[str | None]
) -> None:
    made = looks(_overview(), _overview(), _overview())
    pages[:] = [_page([0.5] * 10), _page([1.5] * 10), None]
    assert made.look().workers[0].p99_s is None  # what is older than the first look tells nothing
    pages[:2] = [_page([0.5] * 20), _page([1.5] * 20)]
    assert made.look().workers[0].p99_s == pytest.approx(1.98)
    pages[0] = _page([0.5] * 30)
    assert made.look().workers[0].p99_s == pytest.approx(0.99)


def test_what_a_process_did_before_it_was_silent_does_not_count_as_new(
    looks: Callable[..., Looks], pages: list[str | None]
) -> None:
    made = looks(*[_overview()] * 5)
    old = _page([1.5] * 1_000)
    told = []
    for brisk, other in ((10, old), (20, None), (30, old), (40, old)):
        pages[:] = [_page([0.5] * brisk), other]
        told.append(made.look().workers[0].p99_s)
    assert told == [None, *[pytest.approx(0.99)] * 3]
    pages[:] = [None, None]
    assert made.look().workers[0].p99_s is None
