"""The detect worker: what an anomaly and a drift worker do, of messages that are read once."""

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import chain

from detectors.fields import Columns
from detectors.state import StateError, pack, unpack
from detectors.texts import is_text_column
from detectors.watch.keyed import MOST_BYTES
from schemas.baseline import Baseline
from schemas.topology import Topology
from schemas.topology_workers import DetectWorkerSettings
from streams.entry import Entry, Output, Settled
from streams.keys import Lane
from workers.anomaly import Anomaly
from workers.drift import Drift
from workers.watching import Rows, settled_by_stream


class Detect:
    """Emits the events of both, the anomalies of a message before the drift evident by it.

    They are those that two workers of its name would emit, as long as no key is forgotten for the
    room its state takes: both share one checkpoint, and have half of it each. The drift worker's
    rows, of which some have columns of texts besides, serve for both.
    """

    def __init__(
        self, topology: Topology, settings: DetectWorkerSettings, worker: str, lane: Lane
    ) -> None:
        anomaly, drift = settings.parts
        self._anomaly = Anomaly(topology, anomaly, worker, lane, MOST_BYTES // 2)
        self._drift = Drift(topology, drift, worker, lane, MOST_BYTES // 2)
        said = repr([self._anomaly.fingerprint, self._drift.fingerprint])
        self.fingerprint = sha256(said.encode()).hexdigest()[:16]

    def handle(self, batch: Sequence[Entry]) -> list[Settled]:
        """Judge and learn a batch; each entry emits what became known by it."""
        return settled_by_stream(batch, self._outputs)

    def counts(self) -> dict[str, dict[str, int]]:
        """What each stream counted since the beginning: by stream, and by what it is."""
        found: dict[str, dict[str, int]] = {}
        for stream, counts in chain(self._anomaly.counts().items(), self._drift.counts().items()):
            of_stream = found.setdefault(stream, {})
            for name, number in counts.items():
                of_stream[name] = of_stream.get(name, 0) + number
        return found

    def levels(self) -> dict[str, dict[str, float]]:
        """What is measured of each stream as it stands: by stream, and by what it is."""
        return self._drift.levels()

    def heed(self, stream: str, baseline: Baseline | None) -> None:
        """Note the newest baselines of a stream; from any thread."""
        self._drift.heed(stream, baseline)

    def revise(self) -> None:
        """Take over the baselines that were noted."""
        self._drift.revise()

    def reset(self) -> None:
        """Forget everything."""
        self._anomaly.reset()
        self._drift.reset()

    def state(self) -> bytes:
        """The state of both, packed."""
        return pack({"anomaly": self._anomaly.tree(), "drift": self._drift.tree()})

    def restore(self, state: bytes) -> None:
        """Continue from packed bytes; raises ValueError when they do not fit."""
        tree = unpack(state)
        for name, part in (("anomaly", self._anomaly), ("drift", self._drift)):
            inner = tree.get(name)
            if not isinstance(inner, Mapping):
                raise StateError(f"the state of a detect worker has no {name!r}")
            part.restore_tree(inner)

    def _outputs(self, stream: str, entries: Sequence[Entry]) -> Iterator[tuple[int, Output]]:
        anomaly, drift = self._anomaly, self._drift
        rows = drift.streams[stream].rows(entries)
        for told in anomaly.streams[stream].told(_without_texts(rows)):
            yield told.row, anomaly.output(entries[told.row], told)
        for told in drift.streams[stream].told(rows):
            yield told.row, drift.output(entries[told.row], told)


def _without_texts(rows: Rows) -> Rows:
    names, x = rows.columns
    numbers = tuple(name for name in names if not is_text_column(name))  # they come first
    return rows._replace(columns=Columns(numbers, x[:, : len(numbers)]))
