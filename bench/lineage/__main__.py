"""Measure the lineage stores: ``python -m bench.lineage --out bench/results/lineage.json``."""

import argparse
import os
import sys
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from bench.chaos.machine import commit, machine
from bench.lineage.grains import gated, stored
from bench.lineage.measure import check, fill, trace
from bench.lineage.report import tables
from bench.lineage.result import Kills, Result, Written, kept
from tests.servers.lineage_kills import Killed, kill_writer
from tests.servers.neo4j_server import running_neo4j


def main() -> int:
    """Measure, print the tables, and keep them; returns 1 when a bar was missed."""
    options = _options()
    hash_, dirty = commit()
    result = Result(
        date=datetime.now(UTC).date().isoformat(),
        commit=hash_,
        dirty=dirty,
        machine=machine(),
        load_before=round(os.getloadavg()[0], 2),
        driver=_driver(),
    )
    for part in options.only or _PARTS:
        _PARTS[part](result, options)
    print(tables(result))
    if options.out:
        result = kept(result, options.out)
        options.out.write_text(result.model_dump_json(indent=2) + "\n", encoding="utf-8")
    for shortfall in result.shortfalls():
        print(shortfall)
    return 1 if result.shortfalls() else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.lineage", description=__doc__)
    parser.add_argument("--out", type=Path, help="keep the result in this file")
    parser.add_argument("--edges", type=int, default=1_000_000, help="in the embedded store")
    parser.add_argument("--neo4j-edges", type=int, default=400_000)
    parser.add_argument("--samples", type=int, default=500, help="traces of each sort")
    parser.add_argument("--kills", type=int, default=40, help="of the writer, on each store")
    parser.add_argument("--rounds", type=int, default=61, help="of the gate in each mode")
    parser.add_argument("--messages", type=int, default=8_000, help="of one such round")
    parser.add_argument("--records", type=int, default=240, help="of a gate, stored in each mode")
    parser.add_argument("--only", nargs="+", choices=list(_PARTS), help="the rest stays as it was")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def _embedded(result: Result, options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as folder:
        url = f"sqlite:{folder}/lineage.db"
        written = fill("sqlite", url, options.edges)
        _say(written)
        result.written.append(written)
        result.traced += trace("sqlite", url, written, options.samples, options.seed)
        result.verified.append(check("sqlite", url))


def _neo4j(result: Result, options: argparse.Namespace) -> None:
    with running_neo4j() as uri:
        written = fill("neo4j", uri, options.neo4j_edges, warm=True)
        _say(written)
        result.written.append(written)
        result.traced += trace("neo4j", uri, written, options.samples, options.seed)
        result.verified.append(check("neo4j", uri))


def _kill_both(result: Result, options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as folder:
        found = kill_writer(f"sqlite:{folder}/lineage.db", options.kills, options.seed)
        result.kills.append(_kills("sqlite", found))
    with running_neo4j() as uri:
        result.kills.append(_kills("neo4j", kill_writer(uri, options.kills, options.seed)))


def _grains(result: Result, options: argparse.Namespace) -> None:
    result.gated += gated(options.rounds, options.messages)
    result.stored += stored(options.records)


_PARTS = {"grains": _grains, "sqlite": _embedded, "neo4j": _neo4j, "kills": _kill_both}


def _driver() -> str:
    compiled = find_spec("neo4j._rust") is not None
    return f"neo4j {version('neo4j')}" + (" with neo4j-rust-ext" if compiled else "")


def _say(written: Written) -> None:
    print(f"{written.store}: {written.edges_per_s:,.0f} edges/s", file=sys.stderr, flush=True)


def _kills(store: str, found: Killed) -> Kills:
    return Kills(
        store=store,
        kills=found.kills,
        told=found.told,
        lost=found.lost,
        doubled=found.doubled,
        faults=found.faults,
    )


if __name__ == "__main__":
    sys.exit(main())
