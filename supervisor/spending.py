"""What became of the budget of false alarms: allowed, raised, left, and by whom."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from schemas.findings import DriftEvent
from schemas.topology import Topology
from schemas.topology_budget import SEQUENTIAL, TESTS, Coverage, Share, coverage, shares
from schemas.topology_graph import watching
from schemas.topology_workers import AnomalyWorkerSettings, DriftWorkerSettings
from streams.connection import Client
from streams.entry import Entry
from streams.observe import lanes_of, since
from supervisor.events import parsed
from supervisor.lookup import event_streams

WITHOUT_BUDGET_S = 30 * 86_400.0
"""The window of a topology that has no budget."""

_OF_LABELS = ("error", "confidence")  # the fields of a labelled stream that are not its own
_BESIDE = {
    Coverage.SEQUENTIAL: "the worker's `budget_per_s` is a rate of its own",
    Coverage.P_VALUES: "its own `alpha` holds for each test, and tests are made for ever",
}


@dataclass(frozen=True, slots=True)
class Raised:
    """Alarms of one detector about one field within the window; ``covered`` by the budget."""

    worker: str
    stream: str
    field: str
    detector: str
    alarms: int
    last_ms: int
    covered: bool


@dataclass(frozen=True, slots=True)
class Uncovered:
    """A detector whose alarms the budget does not bound, and why."""

    worker: str
    detector: str
    reason: str


@dataclass(frozen=True, slots=True)
class Spent:
    """The budget's window and what became of it. ``allowed`` is None without a budget.

    Every alarm counts as if it were false: how many are, nobody knows before they are looked at.
    ``anomalies`` are counted apart; they are a share of the messages by design.
    """

    window_s: float
    allowed: float | None
    raised: tuple[Raised, ...]
    shares: tuple[Share, ...]
    uncovered: tuple[Uncovered, ...]
    anomalies: int

    @property
    def spent(self) -> int:
        """Alarms within the window of the detectors that the budget covers."""
        return sum(each.alarms for each in self.raised if each.covered)

    @property
    def outside(self) -> int:
        """Alarms within the window of the detectors that it does not."""
        return sum(each.alarms for each in self.raised if not each.covered)

    @property
    def left(self) -> float | None:
        """What would be left if all were false; None without a budget."""
        return None if self.allowed is None else max(0.0, self.allowed - self.spent)


def spent(client: Client, topology: Topology, now_ms: int) -> Spent:
    """Read the events of the budget's span of time, up to ``now_ms``."""
    window_s = topology.budget.per if topology.budget else WITHOUT_BUDGET_S
    after_ms = max(0, now_ms - int(window_s * 1000))
    uncovered = tuple(_uncovered(topology))
    outside = {(each.worker, each.detector) for each in uncovered}
    return Spent(
        window_s=window_s,
        allowed=topology.budget.false_alarms if topology.budget else None,
        raised=tuple(_raised(client, topology, after_ms, outside)),
        shares=tuple(shares(topology)),
        uncovered=uncovered,
        anomalies=_anomalies(client, topology, after_ms),
    )


def _raised(
    client: Client, topology: Topology, after_ms: int, outside: set[tuple[str, str]]
) -> Iterator[Raised]:
    counted: Counter[tuple[str, str, str, str]] = Counter()
    last: dict[tuple[str, str, str, str], int] = {}
    for written in event_streams(topology, ["drift"]):
        for entry in _entries(client, topology, written, after_ms):
            event = parsed(entry)
            found = event.finding if event else None
            if not isinstance(found, DriftEvent):
                continue
            worker = _writer(topology, written, found.stream)
            of = (worker, found.stream, found.field, found.detector)
            counted[of] += 1
            last[of] = max(last.get(of, 0), entry.at_ms)
    has_budget = topology.budget is not None
    for of, alarms in counted.most_common():
        covered = has_budget and of[3] in (*SEQUENTIAL, *TESTS) and (of[0], of[3]) not in outside
        covered = covered and not _is_of_labels(topology, *of[:3])
        yield Raised(*of, alarms, last[of], covered)


def _is_of_labels(topology: Topology, worker: str, stream: str, field: str) -> bool:
    settings = dict(_drifting(topology)).get(worker)
    if settings is None:
        return False
    return settings.watch[stream].labels is not None and field in _OF_LABELS


def _drifting(topology: Topology) -> Iterator[tuple[str, DriftWorkerSettings]]:
    for name, settings in watching(topology):
        if isinstance(settings, DriftWorkerSettings):
            yield name, settings


def _entries(client: Client, topology: Topology, stream: str, after_ms: int) -> Iterable[Entry]:
    after = {lane.stream(stream): f"{after_ms}-0" for lane in lanes_of(topology)}
    return since(client, topology, stream, after)


def _writer(topology: Topology, written: str, watched: str) -> str:
    """The drift worker, or workers, that may have raised an alarm about a stream."""
    names = [
        name
        for name, settings in _drifting(topology)
        if settings.writes == written and watched in settings.watch
    ]
    return " or ".join(names) or "?"


def _anomalies(client: Client, topology: Topology, after_ms: int) -> int:
    drifts = set(event_streams(topology, ["drift"]))
    found = 0
    for stream in event_streams(topology, ["anomaly"]):
        entries = _entries(client, topology, stream, after_ms)
        if stream not in drifts:
            found += sum(1 for _ in entries)
            continue
        events = (parsed(entry) for entry in entries)
        found += sum(1 for event in events if event is not None and event.kind == "anomaly")
    return found


def _uncovered(topology: Topology) -> Iterator[Uncovered]:
    for name, settings in watching(topology):
        if isinstance(settings, AnomalyWorkerSettings):
            share = settings.detectors.quantile.share
            reason = f"it flags {share:.2%} of the messages by design; its share says how many"
            yield Uncovered(name, "all", reason)
        if isinstance(settings, DriftWorkerSettings):
            yield from _uncovered_drift(name, settings)


def _uncovered_drift(name: str, settings: DriftWorkerSettings) -> Iterator[Uncovered]:
    for kind, covered in coverage(settings.detectors).items():
        if covered is Coverage.NONE:
            yield Uncovered(name, kind, "its threshold bounds no rate of false alarms")
        elif settings.detectors.budget_per_s is not None:
            yield Uncovered(name, kind, _BESIDE[covered])
    for stream, watched in settings.watch.items():
        if watched.labels is not None:
            reason = f"those of the joined labels of {stream} have bounds of their own"
            yield Uncovered(name, "errors and confidences", reason)
