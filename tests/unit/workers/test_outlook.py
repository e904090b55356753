"""What a worker without a supervisor tells of the pipeline."""

from collections.abc import Sequence
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from streams.connection import Client
from streams.errors import ServerAway, ServerRefused
from streams.observe import StreamState
from streams.presence import Presence
from tests.unit.supervisor.stand_ins import presence, topology
from workers import outlook
from workers.outlook import Outlook


def page(
    monkeypatch: pytest.MonkeyPatch,
    processes: Sequence[Presence] | Exception,
    asked: list[Any] | None = None,
    **changes: Any,
) -> str:
    def present(client: Client, now_s: float) -> Sequence[Presence]:
        if isinstance(processes, Exception):
            raise processes
        return processes

    def stream_states(client: Client, its: Any, names: Sequence[str]) -> list[StreamState]:
        (asked if asked is not None else []).extend(names)
        return [StreamState(name, 7, 9, ()) for name in names]

    monkeypatch.setattr(outlook, "present", present)
    monkeypatch.setattr(outlook, "stream_states", stream_states)
    registry = CollectorRegistry()
    registry.register(Outlook(Client(), topology(**changes), "gate", 3))
    return generate_latest(registry).decode()


def test_it_tells_of_every_worker_also_of_one_that_has_no_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = list(topology().workers)
    text = page(monkeypatch, [presence(names[0], 1)])
    assert f'penstock_worker_up{{lane="0",worker="{names[0]}"}} 1.0' in text
    for other in names[1:]:
        assert f'penstock_worker_up{{lane="0",worker="{other}"}} 0.0' in text
    assert len(names) > 1
    assert "penstock_server_up 1.0" in text
    assert 'penstock_worker_restarts_total{worker="gate"} 3.0' in text


def test_it_asks_for_the_streams_that_its_worker_reads_and_for_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    text = page(monkeypatch, [], asked)
    assert asked == ["IN"]
    assert 'penstock_stream_length{stream="IN"} 7.0' in text


def test_a_process_that_takes_nothing_and_one_of_another_pipeline_serve_no_lane(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    idle = presence("gate", 1).model_copy(update={"ready": False, "state": "standby"})
    text = page(monkeypatch, [idle, presence("somebody", 2)])
    assert 'penstock_worker_up{lane="0",worker="gate"} 0.0' in text
    assert "somebody" not in text


def test_a_server_that_is_away_is_told_and_nothing_of_what_it_would_know(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = page(monkeypatch, ServerAway("no answer"))
    assert "penstock_server_up 0.0" in text
    assert "penstock_worker_up" not in text


def test_a_server_that_denies_the_look_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    text = page(monkeypatch, ServerRefused("NOPERM"))
    assert "penstock_server_up 1.0" in text
    assert "penstock_worker_up" not in text
