"""``python -m bench.chaos``: make every fault, print a table, keep the result.

Exit codes: 0 every promise was kept; 1 some was not.
"""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench.chaos.faults import FAULTS, make
from bench.chaos.machine import commit, machine, versions
from bench.chaos.result import RESULTS, Result, Row, table
from bench.chaos.sizes import FULL, SHORT

_SEED = 20_240_501


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the suite; return the exit code."""
    options = _options(arguments)
    at, dirty = commit()
    rows = _run(options)
    print(table(rows))
    if options.out is not None:
        result = Result(
            date=datetime.now(UTC).isoformat(timespec="seconds"),
            seed=options.seed,
            commit=at,
            dirty=dirty,
            machine=machine(),
            versions=versions(sorted({row.server for row in rows})),
            rows=rows,
        )
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(result.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return 0 if all(row.holds for row in rows) else 1


def _run(options: argparse.Namespace) -> list[Row]:
    rows = []
    for name in options.only or FAULTS:
        for server in FAULTS[name][1]:
            row = make(name, server, SHORT if options.short else FULL, options.seed)
            said = "holds" if row.holds else "DOES NOT HOLD"
            print(f"{name} on {server}: {said} ({row.took_s:.0f} s)", file=sys.stderr, flush=True)
            rows.append(row)
    return rows


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.chaos", description=__doc__)
    parser.add_argument("--short", action="store_true", help="few rounds, as in 'make test'")
    parser.add_argument("--seed", type=int, default=_SEED)
    parser.add_argument("--only", nargs="+", choices=list(FAULTS), help="these faults alone")
    parser.add_argument("--out", type=Path, help=f"keep the result, such as {RESULTS.name}")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
