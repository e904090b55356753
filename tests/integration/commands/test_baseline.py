"""Baselines are set, shown, compared, frozen and reset on a real server, with their lineage."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lineage.wire import decode
from schemas.topology import Topology
from streams.baselines import KEPT, BaselineChanged, Baselines
from streams.connection import Client, send
from streams.entry import Entry
from supervisor.progress import Told
from tests.servers.command import Penstock, in_words, one
from tests.servers.pipeline import SMALL, all_entries, reading, topology_from, until, working


@pytest.fixture
def tree() -> dict[str, Any]:
    return SMALL | {"workers": SMALL["workers"] | {"sink": {"kind": "lineage"}}}


def fill(client: Client, count: int = 600, shift: float = 0.0, seed: int = 5) -> list[str]:
    rng = np.random.default_rng(seed)
    ids = [
        send(client, "XADD", "OK", "*", "data", reading(x=float(x) + shift, y=float(y)))
        for x, y in rng.normal(size=(count, 2))
    ]
    return [f"OK/{each.decode()}" for each in ids]


def records(client: Client, topology: Topology) -> list[tuple[Any, Any]]:
    entries = all_entries(client, topology, "LINEAGE")
    return [decode(e.get(b"data") or b"", e.get(b"ids") or b"") for e in entries]


def test_a_baseline_is_built_from_retained_traffic_and_shown(
    client: Client, penstock: Penstock
) -> None:
    uids = fill(client)
    send(client, "XADD", "OK", "*", "data", "no JSON\nat all")
    made = one(penstock("baseline", "set", "OK", "--note", "after the trial", "--json"))
    assert made["version"] == 1
    assert made["changed"] == ["measurements.x", "measurements.y"]
    told = one(penstock("baseline", "show", "OK.measurements.x", "--json"))
    assert told["uid"] == made["uid"]
    field = told["fields"]["measurements.x"]
    assert (field["size"], field["first"], field["frozen"]) == (600, uids[0], False)
    assert abs(field["quantiles"]["0.5"]) < 0.2
    shown = penstock("baseline", "show", "OK").stdout
    assert "measurements.y: 600 values, set in version 1" in shown
    assert "█" in shown
    history = penstock("baseline", "show", "OK", "--history")
    assert "after the trial" in history.stdout
    assert send(client, "MEMORY", "USAGE", "penstock:baseline:OK") < 50_000


def test_what_changed_is_told_in_words_and_rebaselining_ends_it(
    client: Client, penstock: Penstock
) -> None:
    fill(client)
    penstock("baseline", "set", "OK")
    assert "no value since then" in penstock("baseline", "diff", "OK").stderr
    last = fill(client, 400, shift=1.0, seed=6)
    told = penstock("baseline", "diff", "OK", "--json").stdout.splitlines()
    by_field = {each["field"]: each for each in map(json.loads, told)}
    assert by_field["measurements.x"]["changed"]
    assert by_field["measurements.x"]["size"] == "large"
    assert not by_field["measurements.y"]["changed"]
    assert "large change: median up by" in penstock("baseline", "diff", "OK").stdout
    again = penstock("baseline", "set", "OK.measurements.x", "--since", last[0])
    assert again.exit_code == 0, again.output
    after = one(penstock("baseline", "diff", "OK.measurements.x", "--since", last[0], "--json"))
    assert not after["changed"]
    assert after["n_before"] == 400
    assert after["effect"] == "no change"


def test_a_frozen_baseline_is_neither_set_nor_reset(client: Client, penstock: Penstock) -> None:
    fill(client)
    penstock("baseline", "set", "OK")
    assert one(penstock("baseline", "freeze", "OK.measurements.x", "--json"))["version"] == 2
    for verb in ("set", "reset"):
        refused = penstock("baseline", verb, "OK.measurements.x")
        assert refused.exit_code == 1
        assert "freeze --undo OK.measurements.x" in refused.stderr
    assert penstock("baseline", "reset", "OK").exit_code == 1
    others = penstock("baseline", "set", "OK")
    assert "left as they are, since they are frozen: measurements.x" in others.stderr
    fields = one(penstock("baseline", "show", "OK", "--json"))["fields"]
    assert {name: field["set_in"] for name, field in fields.items()} == {
        "measurements.x": 1,
        "measurements.y": 3,
    }
    assert one(penstock("baseline", "freeze", "OK", "--undo", "--json"))["version"] == 4
    assert one(penstock("baseline", "reset", "OK.measurements.x", "--json"))["version"] == 5
    assert penstock("baseline", "show", "OK.measurements.x").exit_code == 1
    assert "measurements.y" in penstock("baseline", "show", "OK").stdout


def test_every_change_is_in_the_lineage_from_the_traffic_to_the_version(
    client: Client, topology: Topology, penstock: Penstock
) -> None:
    uids = fill(client, 30)
    first = one(penstock("baseline", "set", "OK.measurements.x", "--json"))["uid"]
    second = one(penstock("baseline", "reset", "OK", "--json"))["uid"]
    found = records(client, topology)
    assert [record.worker_kind for record, _ in found] == ["baseline", "baseline"]
    outputs = [(r.outputs[0].stream, r.outputs[0].parents, ids) for r, ids in found]
    assert outputs == [
        ("penstock:baseline:OK", (uids[0], uids[-1]), (first.rpartition("/")[2],)),
        ("penstock:baseline:OK", (first,), (second.rpartition("/")[2],)),
    ]


def test_the_graph_knows_what_a_baseline_came_from(
    client: Client, topology: Topology, penstock: Penstock
) -> None:
    uids = fill(client, 30)
    uid = one(penstock("baseline", "set", "OK", "--json"))["uid"]
    with working(client, topology, "sink"):
        until(lambda: penstock("lineage", "trace", uid).exit_code == 0)
    assert uids[0] in penstock("lineage", "trace", uid).stdout


def test_of_two_who_change_at_once_one_is_told(client: Client, penstock: Penstock) -> None:
    fill(client, 30)
    penstock("baseline", "set", "OK")
    stored = Baselines(client, 1, "OK", "LINEAGE")
    seen = stored.newest()
    assert seen is not None
    penstock("baseline", "freeze", "OK")
    with pytest.raises(BaselineChanged, match="somebody else changed"):
        stored.append(seen, seen.baseline, {}, [])
    with pytest.raises(BaselineChanged):
        stored.append(None, seen.baseline, {}, [])
    assert len(stored.history()) == 2


def test_the_latest_versions_are_kept(client: Client, penstock: Penstock) -> None:
    fill(client, 30)
    penstock("baseline", "set", "OK")
    for _ in range(KEPT + 2):
        penstock("baseline", "freeze", "OK")
    told = penstock("baseline", "show", "OK", "--history", "--json").stdout.splitlines()
    assert [json.loads(line)["version"] for line in told] == list(range(KEPT + 3, 3, -1))


def test_lanes_share_one_baseline(client: Client, tmp_path: Path, penstock: Penstock) -> None:
    topology_from(SMALL | {"lanes": 2, "workers": SMALL["workers"]}, tmp_path)
    for number in range(40):
        key = f"OK{{{number % 2}}}"
        send(client, "XADD", key, f"{100 + number}-0", "data", reading(x=float(number)))
    made = one(penstock("baseline", "set", "OK", "--json"))
    assert made["uid"].startswith("penstock:baseline:OK{0}/")
    [field] = one(penstock("baseline", "show", "OK", "--json"))["fields"].values()
    assert (field["size"], field["first"], field["last"]) == (40, "OK{0}/100-0", "OK{1}/139-0")
    later = one(penstock("baseline", "set", "OK", "--since", "OK{1}/121-0", "--json"))
    assert later["version"] == 2
    [field] = one(penstock("baseline", "show", "OK", "--json"))["fields"].values()
    assert field["size"] == 19


def test_how_much_was_read_is_shown_meanwhile(
    client: Client, penstock: Penstock, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[tuple[int, str]] = []

    @contextmanager
    def progress(begun: str) -> Iterator[Told]:
        shown.append((0, begun))
        yield lambda done, _, what: shown.append((done, what))

    monkeypatch.setattr("supervisor.progress.progress", progress)
    uids = fill(client, 1_100)
    for verb in ("set", "diff"):
        shown.clear()
        made = penstock("baseline", verb, "OK", "--since", uids[0])
        assert made.exit_code == 0, made.output
        assert shown == [(0, "reading OK"), (500, "reading OK"), (1000, "reading OK")]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("set", "OKK"), 2, "did you mean 'OK'"),
        (("set", "OK"), 1, "have no number at any watched field"),
        (("set", "OK.nothing"), 1, "'penstock tail OK'"),
        (("set", "OK", "--since", "soon"), 2, "is no span of time"),
        (("show", "OK"), 1, "'penstock baseline set OK' makes one"),
        (("freeze", "OK"), 1, "has no baseline"),
        (("reset", "OK.x"), 1, "has no baseline"),
        (("diff", "OK"), 1, "has no baseline"),
    ],
)
def test_mistakes_are_answered_with_the_next_step(
    arguments: tuple[str, ...], code: int, said: str, penstock: Penstock
) -> None:
    found = penstock("baseline", *arguments)
    assert found.exit_code == code, found.output
    assert said in in_words(found)


def test_something_else_under_the_key_is_told(client: Client, penstock: Penstock) -> None:
    send(client, "XADD", "penstock:baseline:OK", "*", "data", "{}")
    found = penstock("baseline", "show", "OK")
    assert found.exit_code == 1
    assert "is no baseline" in found.stderr
    send(client, "DEL", "penstock:baseline:OK")
    fill(client, 30)
    penstock("baseline", "set", "OK.measurements.x")
    [(entry_id, fields)] = send(client, "XRANGE", "penstock:baseline:OK", "-", "+")
    data = json.loads(Entry("k", entry_id.decode(), fields).get(b"data") or b"")
    data["fields"]["measurements.x"]["sketch"] = "bm8gc2tldGNo"
    send(client, "XADD", "penstock:baseline:OK", "*", "data", json.dumps(data))
    found = penstock("baseline", "show", "OK")
    assert found.exit_code == 1
    assert "measurements.x cannot be read" in found.stderr
