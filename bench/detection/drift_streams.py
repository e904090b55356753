"""The drift benchmark's streams, read from where it lies, and its own detectors of comparison."""

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from detectors.values import Floats

SCRIPT = "drift_bench.py"
_COINS = 10_000  # values of a stream
KINDS = {"data": "data", "prediction": "pred", "concept": "concept"}

# River's own KSWIN costs half a millisecond a value; ours gives the same alarms.
_LEFT_OUT = ("KSWIN", "Conformal", "Bernoulli", "MultiKS", "fed 1=correct c=")


class MissingBenchmark(Exception):
    """There is no benchmark where it was looked for."""


class Stream(NamedTuple):
    """A seeded stream. ``group``: ``stationary-…`` or ``drift-…``. ``changes``: their rows.

    ``name`` ends in ``#`` and the number of the seed.
    """

    name: str
    group: str
    values: Floats
    changes: list[int]

    @property
    def seed(self) -> int:
        """The number of the seed; streams of one number stand for one draw of all of them."""
        return int(self.name.rpartition("#")[2])


class Benchmark:
    """The generators in ``drift_bench.py`` under ``directory``, for one half of it.

    Raises :class:`MissingBenchmark` when it is not there or lacks the half.
    """

    def __init__(self, directory: Path, half: str) -> None:
        path = directory / SCRIPT
        spec = importlib.util.spec_from_file_location("drift_bench", path)
        if not path.is_file() or spec is None or spec.loader is None:
            raise MissingBenchmark(
                f"there is no {SCRIPT} in {directory}; say where the benchmark is with --benchmark"
            )
        self._module: Any = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self._module)
        self._half = half
        if half not in self._module.HALF:
            halves = ", ".join(self._module.HALF)
            raise MissingBenchmark(f"the benchmark in {directory} has no half {half!r}: {halves}")

    def streams(self, kind: str, seeds: int) -> list[Stream]:
        """Return the streams of ``kind`` (data, prediction, concept), ``seeds`` of each."""
        made = getattr(self._module, f"{KINDS[kind]}_streams")(self._half, seeds)
        return [Stream(*each) for each in made]

    def coins(self, seeds: int) -> Iterator[Stream]:
        """Yield streams of independent errors at the benchmark's rates, without any change."""
        half = self._module.HALF[self._half]
        for seed in range(seeds):
            for at, (rate, _) in enumerate(half["perr"]):
                rng = np.random.default_rng((half["seed"], seed, at, _COINS))
                errors = (rng.random(_COINS) < rate).astype(np.float64)
                yield Stream(f"errors at {rate} #{seed}", "stationary-iid", errors, [])

    def others(self, kind: str) -> dict[str, Callable[[], Any]]:
        """Return River's and the naive detectors, by name; ``update(value)`` says an alarm."""
        found = getattr(self._module, f"{KINDS[kind]}_detectors")()
        kept = (name for name in found if not any(part in name for part in _LEFT_OUT))
        return {name: found[name] for name in kept}

    def window(self, group: str) -> int:
        """Return how many values after a change an alarm counts as its detection."""
        return int(self._module.win(group, self._half))
