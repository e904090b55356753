"""What a run found: rates, times and kills, and where it ran."""

import statistics
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

RESULTS = Path(__file__).parents[1] / "results" / "lineage.json"
"""Where the last full run is kept."""

LEAST_EDGES_PER_S = {"sqlite": 50_000, "neo4j": 10_000}
"""The bars of the writer's rate."""

LEAST_OF_OFF = 0.9
"""The bar of a gate's rate with ``lineage: batch`` against the one without lineage."""

MOST_P99_MS = 50.0
"""The bar of a trace in the embedded store."""


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Written(_Row):
    """How fast a store was filled: edges, messages and seconds; bytes of the file, where known."""

    store: str
    edges: int
    messages: int
    took_s: float
    size_bytes: int | None = None

    @property
    def edges_per_s(self) -> float:
        """The rate."""
        return self.edges / self.took_s


class Traced(_Row):
    """How long traces took, over ``samples`` random messages; ``messages``: the median's size."""

    store: str
    direction: str
    hops: int
    edges: int
    samples: int
    messages: int
    p50_ms: float
    p99_ms: float


class Kills(_Row):
    """What kills left; see ``tests.servers.lineage_kills.Killed``."""

    store: str
    kills: int
    told: int
    lost: int
    doubled: int
    faults: int


class Verified(_Row):
    """How long a verification of the whole store took."""

    store: str
    rows: int
    took_s: float
    faults: int


class Gated(_Row):
    """A gate's own loop with lineage ``off``, by ``message`` or as ``batch``.

    ``ratio`` is the median, over rounds in which all three were timed in turn, of its rate against
    the one of that round without lineage; ``messages_per_s`` the median rate.
    """

    grain: str
    rounds: int
    messages: int
    messages_per_s: int
    ratio: float


class Stored(_Row):
    """How fast the embedded store takes in what a gate recorded, and how large it becomes."""

    grain: str
    messages: int
    messages_per_s: int
    bytes_per_message: float


class Result(BaseModel):
    """A run; parts that it has not measured stay as an earlier one found them.

    ``load_before`` is the machine's load average when it began; ``driver`` names the Neo4j driver,
    with its compiled extension where that is installed.
    """

    model_config = ConfigDict(extra="forbid")

    date: str
    commit: str
    dirty: bool
    machine: dict[str, str | int]
    load_before: float
    driver: str = ""
    written: list[Written] = []
    traced: list[Traced] = []
    verified: list[Verified] = []
    kills: list[Kills] = []
    gated: list[Gated] = []
    stored: list[Stored] = []

    def shortfalls(self) -> list[str]:
        """The bars that were missed, in words."""
        slow = [
            f"{w.store} wrote {w.edges_per_s:,.0f} edges a second, not {least:,}"
            for w in self.written
            if w.edges_per_s < (least := LEAST_EDGES_PER_S[w.store])
        ]
        late = [
            f"{t.hops} hops {t.direction} took {t.p99_ms:.1f} ms at p99, not {MOST_P99_MS:.0f}"
            for t in self.traced
            if t.store == "sqlite" and t.p99_ms >= MOST_P99_MS
        ]
        bad = [f"{k.store}: {k}" for k in self.kills if k.lost or k.doubled or k.faults]
        slow += [
            f"a gate with lineage as batches ran at {g.ratio:.3f} of one without, not "
            f"{LEAST_OF_OFF}"
            for g in self.gated
            if g.grain == "batch" and g.ratio < LEAST_OF_OFF
        ]
        return slow + late + bad + [f"{v.store}: not sound" for v in self.verified if v.faults]


def kept(result: Result, path: Path) -> Result:
    """A result with the rows of an earlier one that it has not measured anew."""
    if not path.exists():
        return result
    old = load(path)
    parts = {
        name: [
            *(row for row in getattr(old, name) if row.store not in _stores(getattr(result, name))),
            *getattr(result, name),
        ]
        for name in ("written", "traced", "verified", "kills")
    }
    whole = {name: getattr(result, name) or getattr(old, name) for name in ("gated", "stored")}
    return result.model_copy(update={**parts, **whole})


def _stores(rows: Sequence[Written | Traced | Verified | Kills]) -> set[str]:
    return {row.store for row in rows}


def percentile_ms(times_s: Sequence[float], percent: int) -> float:
    """A percentile of times in s, in ms.

    >>> percentile_ms([0.001 * n for n in range(1, 102)], 50)
    51.0
    """
    return round(statistics.quantiles(times_s, n=100, method="inclusive")[percent - 1] * 1000, 3)


def load(path: Path) -> Result:
    """The result that is kept at a path."""
    return Result.model_validate_json(path.read_text(encoding="utf-8"))
