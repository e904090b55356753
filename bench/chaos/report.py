"""Writes the last run as pages: ``python -m bench.chaos.report``.

All of it is docs/chaos.md; its table stands in docs/guarantees.md too, between two marks.
"""

from pathlib import Path

from bench.chaos.result import HEADS, RESULTS, Result, Row, cells, load

_INTRODUCTION = """\
# Chaos

Every fault that can be made on one machine, made many times under load, and what became of each
message. Written from [`bench/results/chaos.json`](../bench/results/chaos.json) by
`python -m bench.chaos.report`; `make chaos` makes the faults anew, and
[`tests/chaos`](../tests/chaos) runs a short cut of the same code. What each guarantee says is in
[guarantees.md](guarantees.md).
"""

_MEANING = """\
- **published**: messages whose publisher was told that they are there. **lost**: those that are
  missing at the end of their way; **twice**: those that were emitted more than once. Both are
  counted from what the server holds when all is settled.
- **events equal**: the payload and the parents of everything that the anomaly worker, the drift
  worker and a transform with memory emitted, byte for byte and in order, against a run in which
  nothing happened to these workers. Along the chain that run is given what the gate had passed
  on, in that order: it may pass on an entry that it had in hand when it was killed behind others.
- **recovered**: from the fault until the worker's group had settled everything that it had been
  given before, and something more; for poison, until an entry was a dead letter. Faults overlap:
  a worker that is killed again before it has recovered counts from the first kill.
- Random choices come from the seed; when exactly a fault hits is up to the machine, so two runs
  are not the same run.
- `kill -9` of a server shows what its process loses, not what a power cut does: the kernel still
  writes what the process handed over. With `appendfsync always` that was synced before any reply.
"""

_FAULTS = {
    "kill -9 of any worker": "two gates and two transforms that share their work, a lineage sink, "
    "and one owner each of anomaly, drift and memory; leases of 0.5 s alone decide who is dead. "
    "The lineage store has every parent that the entries name.",
    "kill -9 along a supervised chain": "one gate and what reads behind it, leases of 5 s that "
    "the supervisor breaks when it sees a process end.",
    "SIGSTOP longer than the lease": "two processes of each worker; one is stopped for 1.4 to 2.4 "
    "times its lease, at a random moment, and then goes on.",
    "kill -9 of the server, appendfsync always": "the chain again; the publisher publishes again, "
    "under the same id, what was not acknowledged.",
    "poison of five sorts": "entries that raise, end the process, eat memory up to a limit, loop "
    "past the deadline of 0.5 s, or make an event that the target does not take; one process, "
    "forked anew at once; three attempts, the next of its sort 0.9 to 3.6 s later on average and "
    "never before the one before it is buried: what was measured is the delay by one entry. Where "
    "two lie in one batch, a message waits for both. Each became a dead letter with its reason.",
    "masters killed and slots moved, 8 lanes": "three masters and three replicas; masters die and "
    "slots move in turn, while four producers publish, each message waiting for one replica "
    "(`Copies(replicas=1)`); events equal: the memory numbered every sensor's readings without a "
    "gap; recovered: until another node serves the lane and the cluster is whole.",
    "an hour's traffic in bounded streams": "a publisher that waits while a stream holds more "
    "than 5,000 entries; a reader outside ticks off every message.",
}


PAGE, GUARANTEES = (
    Path(__file__).parents[2] / "docs" / name for name in ("chaos.md", "guarantees.md")
)
_BEGIN, _END = "<!-- the last chaos run -->\n", "<!-- end of the last chaos run -->\n"


def render(result: Result) -> str:
    """The page."""
    parts = [_INTRODUCTION, _table(result.rows), _MEANING, _explained(result.rows)]
    return "\n".join([*parts, _place(result)])


def _table(rows: list[Row]) -> str:
    lines = [HEADS, tuple("---" for _ in HEADS), *(cells(row) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def with_figures(guarantees: str, result: Result) -> str:
    """The page of the guarantees with the figures of a run between its marks."""
    before, rest = guarantees.split(_BEGIN)
    _, after = rest.split(_END)
    return f"{before}{_BEGIN}\n{_table(result.rows)}\n{_END}{after}"


def _explained(rows: list[Row]) -> str:
    lines = ["## The faults\n"]
    for fault in dict.fromkeys(row.fault for row in rows):
        lines.append(f"- **{fault}**: {_FAULTS.get(fault, '')}".rstrip(" :"))
        for row in rows:
            if row.fault == fault:
                lines += [f"  - {row.server}: {_figures(row)}"] if row.details else []
                lines += [f"  - {row.server}: **{said}**" for said in row.faults]
    return "\n".join(lines) + "\n"


def _figures(row: Row) -> str:
    return ", ".join(f"{name} {_number(value)}" for name, value in row.details.items())


def _number(value: float | int | str) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _place(result: Result) -> str:
    machine = ", ".join(f"{name} {value}" for name, value in result.machine.items())
    versions = ", ".join(f"{name} {value}" for name, value in result.versions.items())
    changed = ", with changes not committed" if result.dirty else ""
    took_min = sum(row.took_s for row in result.rows) / 60
    return (
        "## Where and when\n\n"
        f"{result.date}, seed {result.seed}, commit `{result.commit[:12]}`{changed}, "
        f"{took_min:.0f} minutes. Machine: {machine}. Versions: {versions}. Rows of other runs "
        "name their own date and commit in the file.\n"
    )


def main() -> None:
    """Write both pages."""
    result = load(RESULTS)
    PAGE.write_text(render(result), encoding="utf-8")
    guarantees = GUARANTEES.read_text(encoding="utf-8")
    GUARANTEES.write_text(with_figures(guarantees, result), encoding="utf-8")


if __name__ == "__main__":
    main()
