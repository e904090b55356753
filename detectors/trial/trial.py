"""The trial of detectors over traffic: alarms on it as it was, and shifts injected into it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from detectors.trial.candidates import EVERY_ROW, Candidate
from detectors.trial.result import Row, found
from detectors.trial.shifts import Place, delays, places
from detectors.trial.traffic import Traffic
from detectors.watch.keyed import KeyedWatch

BATCH = 500
"""Messages judged in one call, as a worker does."""

_SLOW_STRIDE = 4


@dataclass(frozen=True)
class TrialSettings:
    """How a trial is held.

    ``sizes``: of the shifts, in robust deviations. ``shifts``: how many of each size.
    ``horizon``: messages of the key within which one counts as found. ``per_day``: messages a
    day, for traffic whose times are not those of its making; None: the traffic's own rate.
    """

    sizes: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0, 8.0)
    shifts: int = 20
    horizon: int = 300
    seed: int = 7
    max_keys: int = 1000
    per_day: float | None = None


class Trial:
    """Lets one candidate after another judge the same traffic.

    Everything but the processor time follows from traffic, settings and seed. ``cpu_s`` is the
    clock of that, such as ``time.process_time``.
    """

    def __init__(
        self, traffic: Traffic, settings: TrialSettings, cpu_s: Callable[[], float]
    ) -> None:
        self._traffic = traffic
        self._settings = settings
        self._cpu_s = cpu_s

    def row(self, candidate: Candidate) -> Row:
        """Return a candidate's figures; slow ones get the newest of the traffic only."""
        traffic = self._traffic.newest(candidate.most)
        begun = self._cpu_s()
        alarms = self._alarms(candidate, traffic)
        took_s = self._cpu_s() - begun
        per_message = alarms / max(1, traffic.n)
        none, *sized = self._found(candidate)
        per_day = self._settings.per_day or self._traffic.per_day
        return Row(
            name=candidate.name,
            family=candidate.family,
            settings=candidate.settings,
            n_messages=traffic.n,
            n_shifts=len(none),
            alarms=alarms,
            per_day=per_message * per_day,
            per_10k=per_message * 1e4,
            by_chance=found(0.0, none),
            found=tuple(
                found(size, each) for size, each in zip(self._settings.sizes, sized, strict=True)
            ),
            cpu_us=1e6 * took_s / max(1, traffic.n),
        )

    def _places(self, candidate: Candidate) -> list[Place]:
        """Where shifts begin: the same for all, but every fourth only for slow ones."""
        chosen = self._settings
        drawn = places(self._traffic, chosen.shifts, chosen.horizon, chosen.seed)
        return drawn if candidate.most >= EVERY_ROW else drawn[::_SLOW_STRIDE]

    def _alarms(self, candidate: Candidate, traffic: Traffic) -> int:
        """The number of alarms, key by key, in batches as they came."""
        watch: KeyedWatch[Any] = KeyedWatch(candidate.make, self._settings.max_keys)
        count = 0
        for begin in range(0, traffic.n, BATCH):
            part = slice(begin, begin + BATCH)
            x, at_s = traffic.x[part], traffic.at_s[part]
            count += len(watch.observe(traffic.keys[part], traffic.names, x, at_s))
        return count

    def _found(self, candidate: Candidate) -> list[list[int | None]]:
        """The delays of each size, that of no shift first; one for each place."""
        sizes = (0.0, *self._settings.sizes)
        where = self._places(candidate)
        by_place = delays(candidate, self._traffic, where, sizes, self._settings.horizon)
        columns = [list(column) for column in zip(*by_place, strict=True)]
        return columns or [[] for _ in sizes]
