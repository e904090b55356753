"""How the pipeline's budget of false alarms is split, down to what one watch may spend a second.

The pipeline's rate is divided among its drift workers, theirs among the streams they watch, a
stream's among its lanes, and a lane's among as many watches as it may remember: one for each key.
A watch divides what it gets over its fields. Expectations add up whatever depends on what, so the
expected number of false alarms of the whole pipeline stays within the budget.

Every division here is into equal shares. A key's share could also fall with its rank, 1 / 2, 1 / 6,
1 / 12 and so on, as fields' shares do. But keys are evicted and come back, and which was the first
is forgotten with it: shares that depend on no history need no state, and their sum over the keys
that are remembered at a time is exact. A share that is a thousandth costs little: evidence grows
exponentially after a change, so an alarm comes log(1000) / g values later, g being what the best
bet wins a value.

A tenth is kept for tests that give a p-value and no more (``detectors.online_fdr``), where a worker
has such tests; it is divided in the same way. Detectors with neither an e-value nor a p-value to
trust are outside the budget, and so are those of joined labels; ``coverage`` says which.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from schemas.drift_settings import BinnedSettings, DriftSettings
from schemas.topology import Topology
from schemas.topology_graph import watching
from schemas.topology_workers import DriftWorkerSettings

P_VALUE_SHARE = Fraction(1, 10)
"""The part of the budget that the tests with p-values share, where there are any."""

SEQUENTIAL = ("conformal", "bernoulli", "presence")
"""The detectors that keep to a rate of false alarms, however long they run."""

TESTS = ("ks", "z_test", "psi", "jensen_shannon", "categories")
"""The detectors that make tests with p-values every few values, at levels that keep to a budget."""

_OF_ERRORS = (
    *("bernoulli", "accuracy_drop", "adwin_errors", "ddm", "eddm", "hddm_a", "hddm_w", "fhddm"),
)
_OF_VALUES = (
    *("conformal", "adwin", "ks", "psi", "jensen_shannon", "drift_score", "z_test", "kswin"),
    *("page_hinkley", "presence"),
)


class Coverage(StrEnum):
    """What bounds a detector's false alarms."""

    SEQUENTIAL = "sequential"
    P_VALUES = "p-values"
    NONE = "none"


_COVERED = (Coverage.SEQUENTIAL, Coverage.P_VALUES)


@dataclass(frozen=True, slots=True)
class Share:
    """What the watches of one stream may spend.

    ``watches``: how many there may be at a time, over all lanes and keys. ``rate_per_s``: false
    alarms a second of the sequential detectors of one of them. ``allowed``: of those of all
    together in the budget's span of time. ``tests``: of the tests with p-values of all together.
    """

    worker: str
    stream: str
    watches: int
    rate_per_s: float
    allowed: float
    tests: float = 0.0


def coverage(settings: DriftSettings) -> dict[str, Coverage]:
    """Say for each detector of fields under these settings what bounds its false alarms.

    A detector of errors runs where the settings name fields of that meaning, one of codes there
    and where texts are watched. Those that judge the errors of joined labels are none of these.
    """
    return {kind: _coverage(settings, kind) for kind in _running(settings)}


def _running(settings: DriftSettings) -> Iterator[str]:
    kinds = [*_OF_VALUES]
    kinds += _OF_ERRORS if settings.errors else ()
    kinds += ("categories",) if settings.codes or settings.texts else ()
    yield from (kind for kind in kinds if getattr(settings, kind) is not None)


def _coverage(settings: DriftSettings, kind: str) -> Coverage:
    if kind in SEQUENTIAL:
        return Coverage.SEQUENTIAL
    own = getattr(settings, kind)
    if kind not in TESTS or (isinstance(own, BinnedSettings) and own.fixed_threshold is not None):
        return Coverage.NONE
    return Coverage.P_VALUES


def shares(topology: Topology) -> list[Share]:
    """Return what each watched stream gets for its detectors; none without a budget."""
    if topology.budget is None:
        return []
    found, allowed = [], _allowed(topology)
    sequential, of_tests = (_parts(topology, each) for each in _COVERED)
    for worker, stream in {**sequential, **of_tests}:
        n = _watches(topology, worker, stream)
        part, tests = (float(each.get((worker, stream), 0)) for each in (sequential, of_tests))
        rate_per_s = part * topology.budget.rate_per_s / n
        found.append(Share(worker, stream, n, rate_per_s, part * allowed, tests * allowed))
    return found


def share_of(topology: Topology, worker: str, stream: str) -> float | None:
    """Return the false alarms a second that one watch of a stream may spend; the same on any lane.

    A worker whose settings name a rate of their own keeps it, outside the budget. None where
    there is no budget, or no detector that can keep to one: each has its own ``run_length`` then.

    >>> from pathlib import Path
    >>> from schemas.topology_file import load_topology
    >>> topology = load_topology(Path("streams.yaml"))
    >>> print(f"{share_of(topology, 'drift', 'L5'):.2e} a second")
    1.74e-07 a second
    """
    own = _drift(topology)[worker].detectors.budget_per_s
    if own is not None:
        return own
    rates = {(share.worker, share.stream): share.rate_per_s for share in shares(topology)}
    rate = rates.get((worker, stream))
    return None if not rate else min(rate, 1.0)  # more is no bound to speak of


def p_value_alpha_of(topology: Topology, worker: str, stream: str) -> float | None:
    """Return how many false alarms the tests of one watch of a stream may raise in each period.

    None where there is no budget, or no test that has a part in it.
    """
    part = _parts(topology, Coverage.P_VALUES).get((worker, stream))
    if topology.budget is None or part is None:
        return None
    return min(float(part) * _allowed(topology) / _watches(topology, worker, stream), 0.5)


def _allowed(topology: Topology) -> float:
    return topology.budget.false_alarms if topology.budget else 0.0


def _parts(topology: Topology, covered: Coverage) -> dict[tuple[str, str], Fraction]:
    """The part of the whole budget that each watched stream has for one sort of detectors."""
    workers = {
        name: settings
        for name, settings in _drift(topology).items()
        if settings.detectors.budget_per_s is None
    }
    sorts = {name: set(coverage(item.detectors).values()) for name, item in workers.items()}
    of_tests = P_VALUE_SHARE if any(Coverage.P_VALUES in found for found in sorts.values()) else 0
    if not any(Coverage.SEQUENTIAL in found for found in sorts.values()):
        of_tests = Fraction(1)
    pool = Fraction(of_tests if covered is Coverage.P_VALUES else 1 - of_tests)
    sharing = [name for name, found in sorts.items() if covered in found]
    return {
        (name, stream): pool / len(sharing) / len(workers[name].watch)
        for name in sharing
        for stream in workers[name].watch
    }


def _watches(topology: Topology, worker: str, stream: str) -> int:
    settings = _drift(topology)[worker]
    keys = settings.detectors.max_keys if settings.watch[stream].key else 1
    return topology.lanes * keys


def _drift(topology: Topology) -> Mapping[str, DriftWorkerSettings]:
    return {
        name: settings
        for name, settings in watching(topology)
        if isinstance(settings, DriftWorkerSettings)
    }
