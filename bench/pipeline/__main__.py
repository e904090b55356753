"""``python -m bench.pipeline``: measure, print a table, keep the result or compare it.

Exit codes: 0 all is well; 1 something is worse than the kept result allows.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench.chaos.machine import commit, machine, versions
from bench.pipeline.check import worse_twice
from bench.pipeline.findings import medians
from bench.pipeline.flat import flat_lanes, flat_length
from bench.pipeline.ours import CONTENDERS
from bench.pipeline.payloads import SEED
from bench.pipeline.profile import profile, profiles
from bench.pipeline.result import RESULTS, Result, keep, load, ratios, vs_bare
from bench.pipeline.rounds import rounds
from bench.pipeline.sizes import FULL, QUICK, Sizes
from bench.pipeline.table import plain
from bench.pipeline.whole import whole
from schemas.topology import Topology
from schemas.topology_file import load_topology
from tests.servers.processes import ROOT
from tests.servers.stream_server import running

_LIBRARIES = ("pydantic", "numpy", "river", "faststream")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for; return the exit code."""
    options = _options(arguments)
    topology = load_topology(ROOT / "streams.yaml")
    if options.profile:
        print(profile(options.profile, topology, FULL))
        return 0
    kept = load(options.against) if options.against else None  # before it is written anew
    sizes = QUICK if options.quick else FULL
    result = run(topology, sizes)
    print(plain(result))
    if options.out:
        keep(result, options.out)
    if kept is None:
        return 0
    faults = worse_twice(kept.ratios, result.ratios, lambda: run(topology, QUICK).ratios)
    for sentence in faults:
        print(sentence, file=sys.stderr)
    return 1 if faults else 0


def run(topology: Topology, sizes: Sizes) -> Result:
    """Measure everything that the sizes ask for."""
    started_s = time.monotonic()
    load_before = os.getloadavg()[0]
    at, dirty = commit()
    with running("valkey") as server:
        rates, furthest = rounds(server, topology, sizes)
        where = profiles(server, topology, sizes) if sizes.whole else {}
    observed = whole(sizes) if sizes.whole else None
    return Result(
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        seed=SEED,
        commit=at,
        dirty=dirty,
        machine=machine(),
        load_before=round(load_before, 2),
        versions=versions(["valkey"]) | {name: version(name) for name in _LIBRARIES},
        ratios=ratios(rates, furthest, observed),
        medians=medians(rates),
        vs_bare=vs_bare(rates),
        rounds=rates,
        whole=observed,
        flat_length=flat_length(topology, sizes) if sizes.whole else {},
        flat_lanes=flat_lanes(sizes) if sizes.whole else {},
        profiles=where,
        took_s=round(time.monotonic() - started_s, 1),
    )


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.pipeline", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the ratios alone, in a minute")
    parser.add_argument("--out", type=Path, help=f"keep the result, such as {RESULTS.name}")
    parser.add_argument("--against", type=Path, help="fail where a ratio is worse than there")
    parser.add_argument(
        "--profile", choices=list(CONTENDERS), help="where the time of this loop goes; nothing else"
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
