"""The heartbeat: it ends a process whose handler is stuck, and outlives what goes wrong in it."""

import threading
from pathlib import Path

import pytest

from schemas.topology_file import load_topology
from streams.checkpoint import Seal
from streams.connection import connect
from streams.keys import Lane
from workers.heartbeat import EXIT_DEADLINE, Heartbeat
from workers.standing import Standing
from workers.station import take_station

TOPOLOGY = load_topology(Path(__file__).parents[3] / "streams.yaml")


def test_a_handler_past_its_deadline_ends_the_process() -> None:
    now_s = [0.0]
    ended = threading.Event()
    codes: list[int] = []

    def end(code: int) -> None:
        codes.append(code)
        ended.set()

    standing = Standing(monotonic_s=lambda: now_s[0])
    with connect("redis://127.0.0.1:1") as client:
        station = take_station(client, TOPOLOGY, "gate", Lane(), Seal(b"sixteen bytes ok"))
        heartbeat = Heartbeat(station, standing, end=end)
        heartbeat.start()
        with standing.handling():
            now_s[0] = 59.0
            assert not ended.wait(0.3)
            now_s[0] = 61.0
            assert ended.wait(10)
        heartbeat.stop()
    assert set(codes) == {EXIT_DEADLINE}
    assert standing.handling_s == 0.0


def test_the_heart_beats_on_after_a_beat_that_failed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    beats = threading.Semaphore(0)
    with connect("redis://127.0.0.1:1") as client:
        station = take_station(client, TOPOLOGY, "gate", Lane(), Seal(b"sixteen bytes ok"))
        heartbeat = Heartbeat(station, Standing())
        heartbeat.start()

        def renew() -> bool:
            beats.release()
            raise MemoryError

        monkeypatch.setattr(station.lease, "renew", renew)
        station.lease.ttl_s = 0.1
        assert beats.acquire(timeout=10)
        assert beats.acquire(timeout=10)
        assert heartbeat.alive
        heartbeat.stop()
    said = capsys.readouterr()
    assert "pulse_failed" in said.out + said.err
