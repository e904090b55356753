"""Whole pipelines without a change raise no more alarms than their budget; changes are found.

A pipeline here is a stream without keys and one with four, each with two fields, watched as the
drift worker does, a row a second. The distributions differ, and the fields of a stream are
correlated: expectations add up whatever depends on what.
"""

from typing import Any

import numpy as np
import pytest

from detectors.values import Floats
from detectors.watch import DriftWatch, KeyedWatch
from detectors.watch.verdicts import DriftVerdict
from schemas.drift_settings import DriftSettings
from schemas.topology import Topology
from schemas.topology_budget import share_of
from schemas.topology_workers import DriftWorkerSettings
from tests.servers.pipeline import SMALL

N_KEYS = 4
ROWS = 2000
FIELDS = ("a", "b")


def pipeline(false_alarms: float, per_s: float) -> Topology:
    reading, finding = {"schema": "schemas:L3EventSchema"}, {"schema": "schemas:DriftEvent"}
    drift = {
        "kind": "drift",
        "watch": {"PLAIN": {}, "KEYED": {"key": "id"}},
        "writes": "FOUND",
        "detectors": {"max_keys": N_KEYS},
    }
    streams = SMALL["streams"] | {"PLAIN": reading, "KEYED": reading, "FOUND": finding}
    tree: dict[str, Any] = SMALL | {"streams": streams, "workers": {"drift": drift}}
    return Topology.model_validate(tree | {"budget": {"false_alarms": false_alarms, "per": per_s}})


def alarms(topology: Topology, stream: str, x: Floats) -> list[DriftVerdict]:
    """What a drift worker finds in the rows of a stream, its keys in turn, a row a second."""
    worker = topology.workers["drift"]
    assert isinstance(worker, DriftWorkerSettings)
    share = share_of(topology, "drift", stream)
    settings = DriftSettings(budget_per_s=share, max_keys=N_KEYS)
    keys = [str(row % N_KEYS) if stream == "KEYED" else None for row in range(len(x))]
    watch = KeyedWatch(lambda: DriftWatch(settings), worker.detectors.max_keys)
    at_s = np.arange(len(x), dtype=np.float64) + 1.7e9
    return watch.observe(keys, FIELDS, x, at_s)


def unchanged(rng: np.random.Generator, rows: int) -> Floats:
    shape = rng.integers(3)
    first = (rng.normal, rng.standard_exponential, rng.random)[shape](size=rows)
    second = 0.7 * first + 0.3 * rng.normal(size=rows)
    return np.stack((first, second), axis=1)


@pytest.mark.parametrize("false_alarms", [0.2, 3.0])
def test_pipelines_without_a_change_stay_within_their_budget(false_alarms: float) -> None:
    rng, found, pipelines = np.random.default_rng(41), [], 40
    topology = pipeline(false_alarms, per_s=ROWS)
    for _ in range(pipelines):
        plain = alarms(topology, "PLAIN", unchanged(rng, ROWS))
        keyed = alarms(topology, "KEYED", unchanged(rng, ROWS))
        found.append(len(plain) + len(keyed))
    error = np.std(found) / np.sqrt(pipelines)
    assert np.mean(found) <= false_alarms + 2.0 * error


@pytest.mark.parametrize(("stream", "most"), [("PLAIN", 25), ("KEYED", 25)])
def test_one_false_alarm_a_month_leaves_the_power_to_find_a_change(stream: str, most: int) -> None:
    """Of shifts by 1.5 deviations all are found; ``most``: the median delay, in values of a key."""
    rng, delays = np.random.default_rng(42), []
    topology = pipeline(1.0, per_s=30 * 86_400.0)
    n_keys = N_KEYS if stream == "KEYED" else 1
    for _ in range(30):
        x = rng.normal(size=(ROWS * n_keys, 2))
        change = len(x) // 2
        x[change:] += 1.5
        found = [each for each in alarms(topology, stream, x) if each.row >= change]
        delays.append((found[0].row - change) / n_keys if found else np.inf)
    assert np.isfinite(delays).all()
    assert np.median(delays) <= most
