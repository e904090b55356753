"""Windows that are tested together: those of several fields, at every test within a batch."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from detectors.drift.contract import Detection, Measured
from detectors.drift.present import Present
from detectors.drift.reference_window import Allow, ReferenceWindow
from detectors.values import Floats

_MOST = 2**17  # numbers that are compared at once, which bounds the memory


class Comparable(ReferenceWindow):
    """A window whose test is a number and the bound that it is held against."""

    @classmethod
    @abstractmethod
    def _statistics(
        cls, several: "Sequence[Comparable]", coming: Floats, ends: Sequence[int]
    ) -> Floats:
        """Return the statistic of each test: float64 [several, tests].

        All are of this class, and their windows full. Of ``coming`` (float64 [several, n]) each
        test sees what comes before its one of ``ends``, of which the last is n.
        """

    @abstractmethod
    def _measured(self, value: float) -> Measured:
        """Return what it means that the statistic has this value."""

    @property
    @abstractmethod
    def _size(self) -> int:
        """The numbers that a window is compared by; known once there is a baseline."""

    @property
    def _stand(self) -> tuple[object, ...] | None:
        """What those share that are tested side by side; None: not this one, not now."""
        if self._n_after < self._options.n_cur or self.takes != "values":
            return None
        return type(self), self._options, self._until_due(), self._size


W = TypeVar("W", bound=Comparable)


def update_all(
    several: Sequence[W], values: Sequence[Present], allows: Sequence[Allow | None]
) -> list[list[Detection]]:
    """Do what ``update`` of each does to its values, for less where they stand alike.

    Those take in as many values together as raise no alarm in any of them; what then follows each
    takes in alone.
    """
    alike: dict[object, list[int]] = {}
    for index, (each, own) in enumerate(zip(several, values, strict=True)):
        stand = each._stand
        alike.setdefault(index if stand is None else (*stand, len(own)), []).append(index)
    found: list[list[Detection]] = [[] for _ in several]
    for group in alike.values():
        lead = several[group[0]]
        most = 1 if lead._stand is None else max(1, _MOST // (lead._size + lead._options.n_cur))
        for first in range(0, len(group), most):
            some = group[first : first + most]
            coming, asked = [values[i] for i in some], [allows[i] for i in some]
            begins = _abreast([several[i] for i in some], coming, asked)
            for i, begin in zip(some, begins, strict=True):
                found[i] = several[i]._walk(values[i], begin, allows[i])
    return found


def _abreast(
    several: Sequence[W], values: Sequence[Present], allows: Sequence[Allow | None]
) -> list[int]:
    """Have windows that stand alike take in values together, each until a test of it is failed.

    Returns how many each has taken in.
    """
    lead, taken, going = several[0], [0] * len(several), list(range(len(several)))
    if lead._stand is None:
        return taken
    stride = lead._options.stride
    width = len(several) * (lead._size + lead._options.n_cur)
    most, begin, n = stride * max(1, _MOST // width), 0, len(values[0])
    due = range(lead._until_due(), min(n, most) + 1, stride)
    while due and going:
        windows = [several[i] for i in going]
        coming = np.array([values[i].values[begin : due[-1]] for i in going])
        statistics = type(lead)._statistics(windows, coming, [end - begin for end in due])
        for i, new, row in zip(tuple(going), coming, statistics, strict=True):
            worst = several[i]._measured(float(row.max()))
            if worst.value > worst.threshold:
                going.remove(i)
                continue
            rows = [values[i].row(end - 1) for end in due]
            _take_in(several[i], new, row.tolist(), rows, allows[i])
            taken[i] = due[-1]
        begin = due[-1]
        due = range(begin + stride, min(n, begin + most) + 1, stride)
    return taken


def _take_in(
    window: W, values: Floats, statistics: Sequence[float], rows: Sequence[int], allow: Allow | None
) -> None:
    """Take in values that raise no alarm in any case; their tests count all the same."""
    window._learn(values)
    for value, row in zip(statistics, rows, strict=True) if allow else ():
        p_value = window._measured(value).p_value
        if allow and p_value is not None:
            allow(p_value, row)
