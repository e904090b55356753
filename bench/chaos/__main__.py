"""``python -m bench.chaos``: make every fault, print a table, keep the result.

Exit codes: 0 every promise was kept; 1 some was not.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench.chaos.faults import FAULTS, make
from bench.chaos.machine import commit, machine, versions
from bench.chaos.result import RESULTS, Result, Row, keep, table
from bench.chaos.sizes import FULL, SHORT

_SEED = 20_240_501


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the suite; return the exit code."""
    options = _options(arguments)
    at, dirty = commit()
    found = versions(["valkey", "redis"])
    rows: list[Row] = []
    for row in _run(options):
        date = datetime.now(UTC).isoformat(timespec="seconds")
        rows.append(row.model_copy(update={"date": date, "commit": at}))
        if options.out is not None:
            result = Result(
                date=date,
                seed=options.seed,
                commit=at,
                dirty=dirty,
                machine=machine(),
                versions=found,
                rows=rows,
            )
            keep(result, options.out)
    print(table(rows))
    return 0 if all(row.holds for row in rows) else 1


def _run(options: argparse.Namespace) -> Iterator[Row]:
    for name in options.only or FAULTS:
        for server in FAULTS[name][1]:
            row = make(name, server, SHORT if options.short else FULL, options.seed)
            said = "holds" if row.holds else "DOES NOT HOLD"
            print(f"{name} on {server}: {said} ({row.took_s:.0f} s)", file=sys.stderr, flush=True)
            yield row


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.chaos", description=__doc__)
    parser.add_argument("--short", action="store_true", help="few rounds, as in 'make test'")
    parser.add_argument("--seed", type=int, default=_SEED)
    parser.add_argument("--only", nargs="+", choices=list(FAULTS), help="these faults alone")
    parser.add_argument("--out", type=Path, help=f"keep the result, such as {RESULTS.name}")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
