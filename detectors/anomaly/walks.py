"""Leading a window's rows through the forest: together where possible, singly where not."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from detectors.anomaly.masses import Masses
from detectors.anomaly.scaler import Scaled
from detectors.values import Bools, Floats

_FEW_ROWS = 8  # up to here, single steps are cheaper than the fixed cost of walking together


def weigh_learn(masses: Masses, scaled: Scaled, missing: Bools) -> Floats:
    """Weigh each row by the reference, then count it; no window may end within the rows.

    ``missing`` is bool [rows, fields]. Returns float64 [rows]: the reference mass that each row
    meets where it falls when scaled by its past alone.
    """
    weights = np.empty(len(missing))
    for part, singly in _runs(np.logical_or.reduce(missing, axis=1)):
        rows = scaled.rows(part)
        if singly:
            weights[part] = _singly(masses, rows, missing[part])
        else:
            weights[part] = _together(masses, rows)
    return weights


def _runs(lacking: Bools) -> Iterator[tuple[slice, bool]]:
    """Cut rows into runs that walk together and runs that walk singly.

    Rows that lack a field walk singly, and so do complete rows in short runs.
    """
    singly = lacking.copy()
    for part in _equal_runs(lacking):
        singly[part] |= part.stop - part.start <= _FEW_ROWS
    for part in _equal_runs(singly):
        yield part, bool(singly[part.start])


def _equal_runs(flags: Bools) -> Iterator[slice]:
    cuts = [0, *(np.flatnonzero(flags[1:] != flags[:-1]) + 1).tolist(), len(flags)]
    for begin, end in pairwise(cuts):
        yield slice(begin, end)


def _together(masses: Masses, scaled: Scaled) -> Floats:
    learnt = scored = masses.leaves(scaled.after)
    if scaled.changed.any():
        scored = learnt.copy()
        scored[scaled.changed] = masses.leaves(scaled.before[scaled.changed])
    masses.add(learnt)
    return masses.weights(scored)


def _singly(masses: Masses, scaled: Scaled, missing: Bools) -> Floats:
    before, after = _cells(scaled.before, missing), _cells(scaled.after, missing)
    scored = []
    lacking = np.logical_or.reduce(missing, axis=1).tolist()
    for row, changed in enumerate(scaled.changed.tolist()):
        down: Callable[[Any], list[int]] = masses.walk if lacking[row] else masses.fall
        learnt = down(after[row])
        scored.append(down(before[row]) if changed else learnt)
        masses.count(learnt)
    return masses.weights(np.array(scored))


def _cells(values: Floats, missing: Bools) -> list[list[float | None]]:
    cells = values.astype(object)
    cells[missing] = None
    rows: list[list[float | None]] = cells.tolist()
    return rows
