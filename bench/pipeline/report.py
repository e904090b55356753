"""Writes the last run as a page: ``python -m bench.pipeline.report``, as ``make docs`` does."""

import sys

from bench.pipeline.result import RESULTS, Result, load
from bench.pipeline.table import Table, tables

_INTRODUCTION = """\
# Performance: the figures

What the last run of `make bench` found. Written from
[`bench/results/pipeline.json`](../bench/results/pipeline.json) by
`python -m bench.pipeline.report`; what is measured, and how, is in
[performance.md](performance.md).
"""


def render(result: Result) -> str:
    """The page."""
    parts = [_INTRODUCTION, *map(_section, tables(result)), _throughput(result), _place(result)]
    return "\n".join(part for part in parts if part)


def _section(table: Table) -> str:
    title, heads, rows = table
    rules = ("---", *("---:" for _ in heads[1:]))
    lines = [f"| {' | '.join(line)} |" for line in (heads, rules, *rows)]
    return "\n".join([f"## {title}", "", *lines, ""])


def _throughput(result: Result) -> str:
    if result.throughput is None:
        return ""
    return (
        "## The whole topology\n\n"
        f"{result.throughput:,.0f} messages a second, from publishing to when every worker has "
        "settled everything.\n"
    )


def _place(result: Result) -> str:
    machine = ", ".join(f"{name} {value}" for name, value in result.machine.items())
    versions = ", ".join(f"{name} {value}" for name, value in result.versions.items())
    changed = ", with changes not committed" if result.dirty else ""
    rounds = len(result.rounds["bare"])
    return (
        "## Where and when\n\n"
        f"{result.date}, seed {result.seed}, commit `{result.commit[:12]}`{changed}, "
        f"{rounds} rounds, {result.took_s / 60:.1f} minutes. Machine: {machine}, load average "
        f"{result.load_before} when it began. Versions: {versions}.\n"
    )


if __name__ == "__main__":
    sys.stdout.write(render(load(RESULTS)))
