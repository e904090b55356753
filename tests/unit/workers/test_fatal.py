"""What ended the processes that replayed it: noted in the hand, and given up after so many ends."""

from pathlib import Path

import pytest

from schemas.topology_file import load_topology
from streams.checkpoint import Seal
from streams.connection import Client, connect
from streams.entry import Entry
from streams.keys import Lane
from workers.fatal import Fatal
from workers.in_hand import Hand, Suspect
from workers.station import Station, take_station

TOPOLOGY = load_topology(Path(__file__).parents[3] / "streams.yaml")
WORKER = next(name for name, worker in TOPOLOGY.workers.items() if worker.kind == "drift")


class KilledError(BaseException):
    """Ends the thread as a signal ends the process."""


class Keeper:
    """Knows what was in the hand of each process that ended, as the keeper does."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._suspects: list[Suspect] = []
        self.station = self._fork()
        self.most = self.station.settings.max_attempts
        (self.key, *_) = self.station.reader.keys

    def _fork(self) -> Station:
        return take_station(
            self._client, TOPOLOGY, WORKER, Lane(), Seal(b"sixteen bytes ok"),
            hand=Hand(), suspects=self._suspects,
        )  # fmt: skip

    def entry(self, number: int) -> Entry:
        return Entry(self.key, f"{number}-0", [])

    def ends_over(self, *numbers: int, beside_others: bool = False) -> Fatal:
        """The fatal ones as the next process sees them, after one ended over this chunk."""
        chunk = [self.entry(number) for number in numbers]
        with pytest.raises(KilledError), Fatal(self.station).noted(chunk):
            raise KilledError
        noted = self.station.hand.entry_id
        self._suspects.append(Suspect(0, noted, alone=not beside_others))
        self.station = self._fork()
        return Fatal(self.station)


@pytest.fixture
def keeper() -> Keeper:
    return Keeper(connect("redis://127.0.0.1:1"))


def test_an_entry_is_given_up_after_as_many_ends_as_it_has_attempts(keeper: Keeper) -> None:
    for end in range(1, keeper.most + 1):
        fatal = keeper.ends_over(7)
        assert fatal.ends(keeper.entry(7)) == end
        assert fatal.is_given_up(keeper.entry(7)) is (end == keeper.most)
    assert not fatal.is_given_up(keeper.entry(8))


def test_what_another_lane_may_have_ended_is_believed_later(keeper: Keeper) -> None:
    for end in range(1, 4 * keeper.most + 1):
        fatal = keeper.ends_over(7, beside_others=True)
        assert fatal.is_given_up(keeper.entry(7)) is (end == 4 * keeper.most)


def test_a_chunk_over_which_a_process_ended_is_taken_one_by_one(keeper: Keeper) -> None:
    chunk = [keeper.entry(number) for number in (5, 6, 7)]
    assert Fatal(keeper.station).apart(chunk) == [chunk]
    assert keeper.ends_over(5, 6, 7).apart(chunk) == [[entry] for entry in chunk]
    assert Fatal(keeper.station).apart([]) == []


def test_what_was_in_hand_outside_a_replay_is_replayed(keeper: Keeper) -> None:
    suspects = [Suspect(0, "7-0", alone=True)] * 9
    station = take_station(
        connect("redis://127.0.0.1:1"), TOPOLOGY, WORKER, Lane(), Seal(b"sixteen bytes ok"),
        suspects=suspects,
    )  # fmt: skip
    assert Fatal(station).ends(keeper.entry(7)) == 0


def test_a_chunk_that_was_replayed_leaves_no_note(keeper: Keeper) -> None:
    hand, fatal = keeper.station.hand, Fatal(keeper.station)
    with fatal.noted([keeper.entry(7)]):
        assert hand.entry_id.startswith("7-0")
        hand.note("8-0")  # by the handler
        assert hand.entry_id != "8-0"
    assert hand.entry_id == ""
    with pytest.raises(RuntimeError), fatal.noted([keeper.entry(7)]):
        raise RuntimeError
    assert hand.entry_id == ""
    hand.note("9-0")
    assert hand.entry_id == "9-0"


def test_the_longest_ids_that_there_are_fit_into_the_hand(keeper: Keeper) -> None:
    longest = Entry(keeper.key, f"{2**64 - 1}-{2**64 - 1}", [])
    with Fatal(keeper.station).noted([longest]):
        assert keeper.station.hand.entry_id == f"{longest.id}~0~1"
