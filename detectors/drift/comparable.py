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
        cls, several: "Sequence[Comparable]", line: Floats, ends: Sequence[int]
    ) -> Floats:
        """Return the statistic of each window that ends before ``ends``: float64 [several, ends].

        All are of this class. ``line`` (float64 [several, n]) is their windows as they stand, which
        are full, and what comes then.
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
        if self._n_after < self._options.n_cur:
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
    for some in alike.values():
        group = [several[i] for i in some], [values[i] for i in some], [allows[i] for i in some]
        begin = 0 if group[0][0]._stand is None else _abreast(*group)
        for i in some:
            found[i] = several[i]._walk(values[i], begin, allows[i])
    return found


def _abreast(
    several: Sequence[W], values: Sequence[Present], allows: Sequence[Allow | None]
) -> int:
    """Have several that stand alike take in values as long as no test of any is failed."""
    lead, begin, n = several[0], 0, len(values[0])
    stride, n_cur = lead._options.stride, lead._options.n_cur
    most = stride * max(1, _MOST // (len(several) * lead._size))
    while due := list(range(begin + lead._until_due(), min(n, begin + most) + 1, stride)):
        coming = np.array([own.values[begin : due[-1]] for own in values])
        line = np.concatenate((np.array([each._current for each in several]), coming), axis=1)
        ends = [n_cur + end - begin for end in due]
        statistics = type(lead)._statistics(several, line, ends)
        worst = [
            e._measured(v) for e, v in zip(several, statistics.max(axis=1).tolist(), strict=True)
        ]
        if any(test.value > test.threshold for test in worst):
            break
        rows = [[own.row(end - 1) for end in due] for own in values]
        for told in zip(several, coming, statistics.tolist(), rows, allows, strict=True):
            _take_in(*told)
        begin = due[-1]
    return begin


def _take_in(
    window: W, values: Floats, statistics: Sequence[float], rows: Sequence[int], allow: Allow | None
) -> None:
    """Take in values that raise no alarm in any case; their tests count all the same."""
    window._learn(values)
    for value, row in zip(statistics, rows, strict=True) if allow else ():
        p_value = window._measured(value).p_value
        if allow and p_value is not None:
            allow(p_value, row)
