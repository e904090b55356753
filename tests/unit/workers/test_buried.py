"""What a worker gave up: its dead letters are read once, and only those that a replay may meet."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from schemas.topology_file import load_topology
from streams.checkpoint import Seal
from streams.connection import connect
from streams.entry import Entry, Settled
from streams.keys import Lane
from workers.buried import Buried
from workers.station import take_station

TOPOLOGY = load_topology(Path(__file__).parents[3] / "streams.yaml")
NOW_MS = 1_732_100_000_000


class Letters:
    """A reader over dead letters; it notes from where it was asked."""

    def __init__(self, *letters: tuple[int, str, str]) -> None:
        self.asked: list[str] = []
        self._letters = [
            Entry("DEAD_LETTER", f"{at_ms}-0", [b"data", _reason(worker, message)])
            for at_ms, worker, message in letters
        ]

    def between(self, key: str, after: str, upto: str, count: int) -> list[Entry]:
        self.asked.append(after)
        start = int(after.partition("-")[0])
        return [letter for letter in self._letters if letter.at_ms > start][:count]


def _reason(worker: str, message: str) -> bytes:
    return f'{{"worker": "{worker}", "message": "{message}"}}'.encode()


def buried(letters: Letters) -> Buried:
    with connect("redis://127.0.0.1:1") as client:
        station = take_station(client, TOPOLOGY, "gate", Lane(), Seal(b"sixteen bytes ok"))
    reader: Any = letters
    return Buried(replace(station, reader=reader))


def entry(at_ms: int) -> Entry:
    return Entry("L3", f"{at_ms}-0", [])


@pytest.fixture
def letters() -> Letters:
    return Letters(
        (NOW_MS - 7_200_000, "gate", "L3/1-0"),
        (NOW_MS + 1, "gate", "L3/2-0"),
        (NOW_MS + 2, "other", "L3/3-0"),
    )


def test_letters_older_than_the_replay_are_not_read(letters: Letters) -> None:
    found = buried(letters).among([entry(NOW_MS + 5), entry(NOW_MS)])
    assert found == {"L3/2-0"}
    assert int(letters.asked[0]) == NOW_MS - 60_000


def test_where_nothing_is_replayed_no_letter_is_read(letters: Letters) -> None:
    assert buried(letters).among([]) == set()
    assert letters.asked == []


def test_letters_are_read_once_until_others_may_have_buried(letters: Letters) -> None:
    mine = buried(letters)
    mine.among([entry(NOW_MS)])
    asked = list(letters.asked)
    mine.settled([Settled(entry(NOW_MS + 9), "dead")], saved=False)
    assert mine.among([entry(NOW_MS)]) == {"L3/2-0", f"L3/{NOW_MS + 9}-0"}
    assert letters.asked == asked
    mine.forget()
    mine.settled([Settled(entry(NOW_MS + 9), "dead")], saved=False)
    assert mine.among([entry(NOW_MS)]) == {"L3/2-0"}
    assert letters.asked == asked * 2


def test_what_a_checkpoint_contains_is_forgotten(letters: Letters) -> None:
    mine = buried(letters)
    mine.among([entry(NOW_MS)])
    mine.settled([Settled(entry(NOW_MS + 9), "dead")], saved=True)
    assert mine.among([entry(NOW_MS + 10)]) == set()
