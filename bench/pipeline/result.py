"""What a run of the benchmarks found, and the few figures that tell most of it."""

from pathlib import Path
from statistics import median

from pydantic import BaseModel, ConfigDict

from bench.pipeline.findings import Costs, Profile, Rates, Whole, medians

RESULTS = Path(__file__).parents[1] / "results" / "pipeline.json"
"""Where the last full run is kept."""

HIGHER_IS_BETTER = (
    "gate_vs_bare",
    "detect_vs_bare",
    "gate_vs_faststream",
    "gate_vs_faststream_batch",
    "gate_vs_handwritten",
    "hst_vs_river",
)
"""The ratios that do not depend on the machine, or little."""

EXACT = "hst_max_difference"
"""Has to be 0.0: our trees are River's, to the last bit."""


class Result(BaseModel):
    """A run. ``medians`` are messages a second, ``vs_bare`` each of them in parts of the bare loop.

    ``load_before`` is the machine's load average when the run began: what others did on it.
    ``ratios`` are the figures by which runs are compared, and the machine's own in seconds and
    bytes. What a quick run leaves out is None or not there.
    """

    model_config = ConfigDict(extra="forbid")

    date: str
    seed: int
    commit: str
    dirty: bool
    took_s: float
    machine: dict[str, str | int]
    load_before: float
    versions: dict[str, str]
    ratios: dict[str, float]
    medians: dict[str, float]
    vs_bare: dict[str, float]
    rounds: dict[str, list[float]]
    whole: Whole | None = None
    flat_length: Costs = {}
    flat_lanes: Costs = {}
    profiles: dict[str, Profile] = {}

    @property
    def throughput(self) -> float | None:
        """Messages a second of the whole topology, the median of its bursts."""
        return median(self.whole.throughput) if self.whole else None


def ratios(rates: Rates, max_difference: float, whole: Whole | None) -> dict[str, float]:
    """The figures by which runs are compared; those of the whole topology where it ran."""
    found = medians(rates)
    gate = found["gate"]
    ours = {
        "gate_vs_bare": gate / found["bare"],
        "detect_vs_bare": found["detect"] / found["bare"],
        "gate_vs_faststream": gate / found["faststream"],
        "gate_vs_faststream_batch": gate / found["faststream_batch"],
        "gate_vs_handwritten": gate / found["handwritten"],
        "hst_vs_river": found["hst"] / found["river_hst"],
        "observed_vs_silent": found["gate_scraped"] / found["gate_silent"],
    }
    rounded = {name: round(value, 3) for name, value in ours.items()}
    return rounded | {EXACT: max_difference} | (_of_whole(whole) if whole else {})


def _of_whole(whole: Whole) -> dict[str, float]:
    latency = whole.latencies[1_000]
    return {
        "publish_to_event_p50_s": latency.p50_s,
        "publish_to_event_p99_s": latency.p99_s,
        "publish_to_event_p999_s": latency.p999_s,
        "gate_rss_bytes": whole.memory["gate"].peak_rss_bytes,
        "detector_rss_bytes": whole.memory["anomaly"].peak_rss_bytes,
    }


def vs_bare(rates: Rates) -> dict[str, float]:
    """The median of every loop in parts of the bare loop's; the trees alone are no loop."""
    found = medians(rates)
    return {
        name: round(rate / found["bare"], 3)
        for name, rate in found.items()
        if name not in ("hst", "river_hst")
    }


def load(path: Path) -> Result:
    """The result that is kept at a path."""
    return Result.model_validate_json(path.read_text(encoding="utf-8"))


def keep(result: Result, path: Path) -> None:
    """Write a result."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(result.model_dump_json(indent=2, exclude_none=True) + "\n", encoding="utf-8")
