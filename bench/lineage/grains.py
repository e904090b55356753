"""What lineage costs: a gate's loop with its records off, by message and as batches."""

import gc
import statistics
import tempfile
import time
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Literal, get_args
from unittest.mock import patch

from bench.lineage.history import LAYERS, OUTPUTS, passed
from bench.lineage.measure import RECORDS, SECRET
from bench.lineage.result import Gated, Stored
from bench.pipeline.ours import Contender
from lineage.store import StoreSettings, open_store
from schemas.lineage_record import Grain
from schemas.topology import Topology
from schemas.topology_file import load_topology
from streams.connection import Client
from streams.keys import Lane
from tests.servers.processes import ROOT
from tests.servers.stream_server import running
from workers.gate import Boundary
from workers.handler import Handler
from workers.kinds import build_handler

Mode = Literal["off", "message", "batch"]
MODES: tuple[Mode, ...] = ("off", "message", "batch")


def gated(rounds: int, messages: int) -> list[Gated]:
    """Time a gate's own loop in each mode, in turn, each round beginning with another one."""
    rates: dict[Mode, list[float]] = {mode: [] for mode in MODES}
    base = load_topology(ROOT / "streams.yaml")
    with running("valkey") as server:
        client = server.client()
        for number in range(rounds):
            for place in range(len(MODES)):
                mode = MODES[(number + place) % len(MODES)]
                gc.collect()
                rates[mode].append(messages / _time_s(client, base, mode, messages))
    return [
        Gated(grain=mode, rounds=rounds, messages=messages, ratio=_ratio(rates, mode),
              messages_per_s=round(statistics.median(rates[mode])))
        for mode in MODES
    ]  # fmt: skip


def stored(records: int) -> list[Stored]:
    """Write so many full batches that a gate recorded to the embedded store, in each mode."""
    found = []
    for grain in get_args(Grain):
        with tempfile.TemporaryDirectory(prefix="penstock-bench-") as folder:
            path = Path(folder) / "lineage.db"
            took_s = _write_s(f"sqlite:{path}", grain, records)
            messages = records // RECORDS * RECORDS * OUTPUTS
            rate, size = round(messages / took_s), path.stat().st_size / messages
        found.append(
            Stored(grain=grain, messages=messages, messages_per_s=rate,
                   bytes_per_message=round(size, 1))
        )  # fmt: skip
    return found


def _write_s(url: str, grain: Grain, records: int) -> float:
    made, took_s = passed(grain), 0.0
    with open_store(StoreSettings(url, chain_key=SECRET), LAYERS) as opened:
        for _ in range(records // RECORDS):
            batch = list(islice(made, RECORDS))
            started_s = time.perf_counter()
            opened.write(batch)
            took_s += time.perf_counter() - started_s
    return took_s


def _time_s(client: Client, base: Topology, mode: Mode, messages: int) -> float:
    gate = Contender("gate", "L3_IN", _gate, target="L3")
    if mode != "off":
        return gate.time_s(client, _topology(base, mode), messages)
    with patch.object(Boundary, "note", lambda self, event: None):  # so no record is written
        return gate.time_s(client, _topology(base, "message"), messages)


def _topology(base: Topology, grain: Grain) -> Topology:
    """The reference topology whose gate serves layer 3 alone, since others refuse batches."""
    gate = base.workers["gate"].model_copy(update={"routes": {"L3_IN": "L3"}, "lineage": grain})
    return base.model_copy(update={"workers": {**base.workers, "gate": gate}})


def _gate(topology: Topology, _: Path) -> Handler:
    return build_handler(topology, "gate", Lane())


def _ratio(rates: Mapping[Mode, list[float]], mode: Mode) -> float:
    """The median over the rounds of the rate against that without lineage."""
    pairs = zip(rates[mode], rates["off"], strict=True)
    return round(statistics.median(rate / off for rate, off in pairs), 3)
