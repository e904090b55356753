"""What a run of the chaos suite found: a row a fault, and where and when it ran."""

import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

RESULTS = Path(__file__).parents[1] / "results" / "chaos.json"
"""Where the last full run is kept."""


class Seconds(BaseModel):
    """Times until all was well again. ``measured`` is how many; None where there is none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    median: float | None = None
    max: float | None = None
    measured: int = 0


def seconds(times_s: Sequence[float]) -> Seconds:
    """The times in three numbers.

    >>> seconds([0.5, 0.1, 0.3])
    Seconds(median=0.3, max=0.5, measured=3)
    """
    if not times_s:
        return Seconds()
    return Seconds(
        median=round(statistics.median(times_s), 3),
        max=round(max(times_s), 3),
        measured=len(times_s),
    )


class Row(BaseModel):
    """One fault on one server.

    ``published`` are messages whose publisher was told that they are there. ``lost`` of them are
    missing where they should have ended; ``duplicated`` were emitted more than once.
    ``events_equal``: what the stateful workers emitted, against an undisturbed run; None where it
    was not compared. ``faults`` says in words whatever else went wrong; ``details`` are further
    figures.
    """

    model_config = ConfigDict(extra="forbid")

    fault: str
    server: str
    rounds: int
    published: int
    lost: int
    duplicated: int
    events_equal: bool | None = None
    recovered_s: Seconds = Seconds()
    took_s: float = 0.0
    date: str = ""
    commit: str = ""
    faults: list[str] = []
    details: dict[str, float | int | str] = {}

    @property
    def holds(self) -> bool:
        """Whether every promise was kept."""
        counts = self.lost == self.duplicated == 0 and self.published > 0
        return counts and self.events_equal is not False and not self.faults


class Result(BaseModel):
    """A run. Rows of earlier runs stay until their fault is made again; each names its own date and
    commit. ``dirty`` tells that the working tree differed from ``commit``.
    """

    model_config = ConfigDict(extra="forbid")

    date: str
    seed: int
    commit: str
    dirty: bool
    machine: dict[str, str | int]
    versions: dict[str, str]
    rows: list[Row]


def keep(result: Result, path: Path) -> None:
    """Write a result; rows that are there already and were not made again stay as they are."""
    rows = {(row.fault, row.server): row for row in load(path).rows} if path.exists() else {}
    rows |= {(row.fault, row.server): row for row in result.rows}
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = result.model_copy(update={"rows": list(rows.values())})
    path.write_text(kept.model_dump_json(indent=2) + "\n", encoding="utf-8")


def load(path: Path) -> Result:
    """The result that is kept at a path."""
    return Result.model_validate_json(path.read_text(encoding="utf-8"))


HEADS = (
    "fault", "server", "rounds", "published", "lost", "twice", "events equal",
    "recovered median / max",
)  # fmt: skip


def cells(row: Row) -> tuple[str, ...]:
    """A row as people read it, one text a column of ``HEADS``."""
    equal = {None: "–", True: "yes", False: "NO"}[row.events_equal]
    recovered = row.recovered_s
    measured = recovered.median is not None
    times = f"{recovered.median:.2f} s / {recovered.max:.2f} s" if measured else "–"
    counts = (f"{n:,}" for n in (row.rounds, row.published, row.lost, row.duplicated))
    return (row.fault, row.server, *counts, equal, times)


def table(rows: Iterable[Row]) -> str:
    """The rows as a table of plain text; below it what went wrong, if anything did."""
    rows = list(rows)
    lines = [HEADS, *(cells(row) for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEADS))]
    text = [_line(line, widths) for line in lines]
    text += [f"{row.fault} on {row.server}: {fault}" for row in rows for fault in row.faults]
    return "\n".join(text)


def _line(line: Sequence[str], widths: Sequence[int]) -> str:
    texts = [
        cell.rjust(width) if 2 <= i <= 5 else cell.ljust(width)
        for i, (cell, width) in enumerate(zip(line, widths, strict=True))
    ]
    return "  ".join(texts).rstrip()
