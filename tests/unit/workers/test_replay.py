"""Handlers that are run again without a server: which output stands for which, and what fails."""

from collections.abc import Sequence
from pathlib import Path

from schemas.topology_file import load_topology
from streams.entry import Entry, Output, Settled
from workers.originals import Original, matched
from workers.rehandle import Again
from workers.replay import Given, Request, in_order, replay

ROOT = Path(__file__).parents[3]


def made(stream: str, *parents: str) -> tuple[Settled, Output]:
    entry = Entry("L3", "9-0", [b"data", b"{}"])
    return Settled(entry), Output(stream, [b"data", b"{}"], parents=parents)


def old(uid: str, *parents: str) -> Original:
    return Original(uid=uid, worker="w", parents=parents)


def test_an_output_stands_for_the_next_one_with_the_same_parents() -> None:
    outputs = [made("L4", "L3/1-0"), made("L4", "L3/1-0"), made("L4", "L3/1-0")]
    originals = [old("L4/3-0", "L3/1-0"), old("L4/2-0", "L3/1-0")]
    found = matched(outputs, originals)
    assert [each and each.uid for each in found] == ["L4/2-0", "L4/3-0", None]


def test_the_same_parents_come_before_a_common_one() -> None:
    outputs = [made("L4", "L3/1-0", "L3/2-0"), made("L4", "L3/2-0")]
    originals = [old("L4/5-0", "L3/2-0"), old("L4/6-0", "L3/1-0")]
    assert [each and each.uid for each in matched(outputs, originals)] == ["L4/6-0", "L4/5-0"]


def test_an_output_on_another_stream_stands_for_nothing() -> None:
    assert matched([made("L5", "L3/1-0")], [old("L4/5-0", "L3/1-0")]) == [None]


class Counting:
    """Has a state: how many it has handled. Stumbles over an entry without fields."""

    fingerprint = "counting"

    def __init__(self) -> None:
        self.n = 0

    def handle(self, batch: Sequence[Entry]) -> list[Settled]:
        found = []
        for entry in batch:
            self.n += 1
            if not entry.fields:
                raise ValueError("no fields")
            found.append(Settled(entry, outputs=[Output("OUT", [b"n", b"%d" % self.n])]))
        return found

    def reset(self) -> None:
        self.n = 0

    def state(self) -> bytes:
        return b""

    def restore(self, state: bytes) -> None:
        raise ValueError("nothing to restore")


def test_what_fails_is_found_alone_and_leaves_no_trace_in_the_state() -> None:
    entries = [Entry("IN", f"{n}-0", [b"data", b""] if n % 3 else []) for n in range(1, 8)]
    told = [
        str(settled) if isinstance(settled, Exception) else settled.outputs[0].fields[1]
        for _, settled in Again(Counting()).handle(entries)
    ]
    assert told == [b"1", b"2", "no fields", b"3", b"4", "no fields", b"5"]


def test_each_stream_comes_behind_those_it_is_made_from() -> None:
    order = in_order(load_topology(ROOT / "streams.yaml"))
    way = ["L3_IN", "L3", "L4_IN", "L4", "L8_IN", "L8", "L9_IN", "L9"]
    assert [stream for stream in order if stream in way] == way


def test_a_rejection_that_comes_again_has_the_uid_of_the_old_one() -> None:
    topology = load_topology(ROOT / "streams.yaml")
    given = Given(stream="L3_IN", id="5-0", fields=(b"ZGF0YQ==", b"e30="))  # data, {}
    request = Request(config="", originals=(old_rejection(),))
    (told,) = list(replay(topology, request, [given]))
    assert told["made"]["uid"] == told["made"]["original"] == "SHRINK/6-0"
    assert told["made"]["parents"] == ["L3_IN/5-0"]


def old_rejection() -> Original:
    return Original(uid="SHRINK/6-0", worker="gate", parents=("L3_IN/5-0",))
