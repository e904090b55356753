"""Stretches of real data for the pictures and the pages: what River's package brings along.

Nothing is downloaded. The Python that makes a stretch is the one that the pages show.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from bench.detection.snippet import played
from detectors.values import Bools, Floats


@dataclass(frozen=True)
class Stretch:
    """Real data, and what to say of them.

    ``code`` makes them, as ``x``: float64 [n], or [n, fields]. ``known`` is an expression for
    the rows that are labelled odd, over the names that ``code`` leaves; ``names`` one for the
    fields' names. ``of``: what the values are; ``shown``: the column that is drawn. ``axis``:
    what one row is. ``change``: the first value that is known to be of another kind.
    """

    about: str
    code: str
    of: str
    axis: str
    known: str = ""
    names: str = '("flow",)'
    shown: int = 0
    change: int | None = None

    @property
    def values(self) -> Floats:
        """The data."""
        return np.asarray(_played(self.code)["x"], dtype=np.float64)

    @property
    def odd(self) -> Bools | None:
        """Which rows are labelled odd; None where nobody knows."""
        if not self.known:
            return None
        return np.array(eval(self.known, dict(_played(self.code))), dtype=bool)[: len(self.values)]


@lru_cache
def _played(code: str) -> dict[str, Any]:
    names: dict[str, Any] = {"np": np}
    played(code, names)
    return names


_WATER = """\
>>> from river import datasets
>>> x = np.array([[flow] for _, flow in datasets.WaterFlow()])"""
_SHUTTLE = """\
>>> from river import datasets
>>> rows = [(list(row.values()), odd) for row, odd in datasets.Shuttle()]
"""
_STATES = f"""\
{_SHUTTLE}\
>>> usual, odd = ([row for row, is_odd in rows if is_odd == state] for state in (0, 1))
"""

_SOME = """\
>>> odd = [k for k, (_, is_odd) in enumerate(rows) if is_odd]
>>> left_out = set(odd) - set(odd[::{}])
>>> kept = [row for k, row in enumerate(rows) if k not in left_out]
>>> x = np.array([row for row, _ in kept[:2500]], dtype=float)
"""

_RULES = Stretch(
    "Hourly flow through a branch of a water main, in litres a second; supply failed three times. "
    "From River's `WaterFlow`.",
    f"{_WATER}\n",
    "litres a second",
    "hour",
)
_LATER = Stretch(
    "Hourly flow through a branch of a water main, in litres a second, from after the second "
    "failure of supply; a third comes. From River's `WaterFlow`.",
    f"{_WATER}[230:]\n",
    "litres a second",
    "hour",
)
_SCORERS = Stretch(
    "Nine sensors of a space shuttle. Rows that are labelled odd are marked; one in seven of them "
    "is kept, about 1 % of all. From River's `Shuttle`.",
    _SHUTTLE + _SOME.format(7),
    "sensor 9",
    "row",
    "[is_odd for _, is_odd in kept]",
    "range(9)",
    8,
)
_PIECES = Stretch(
    "Eighteen measurements of pieces of outdoor photographs. The sky, in one piece of fifty, is "
    "marked. From River's `ImageSegments`.",
    """\
>>> from river import datasets
>>> rows = [(list(row.values()), part == "sky") for row, part in datasets.ImageSegments()]
"""
    + _SOME.format(8),
    "mean intensity",
    "piece",
    "[is_odd for _, is_odd in kept]",
    "range(18)",
    8,
)
_VALUES = Stretch(
    "One sensor of a space shuttle: 3,000 readings of its usual state, then 1,000 of others. From "
    "River's `Shuttle`.",
    f"{_STATES}>>> x = np.array([row[2] for row in usual[:3000] + odd[:1000]], dtype=float)\n",
    "sensor 3",
    "value",
    change=3000,
)
_ERRORS = Stretch(
    "Errors of a naive Bayes classifier that tells from seven sensors of a space shuttle whether "
    "an eighth exceeds 41. It was taught 1,000 readings of the usual state; the errors are those "
    "on 3,000 more, and then on 1,000 of other states. From River's `Shuttle`.",
    f"""\
>>> from river import naive_bayes
{_STATES}\
>>> model = naive_bayes.GaussianNB()
>>> for row in usual[:1000]:
...     model.learn_one(dict(enumerate(row[:7])), row[7] > 41)
>>> asked = usual[1000:4000] + odd[:1000]
>>> told = [model.predict_one(dict(enumerate(row[:7]))) for row in asked]
>>> x = np.array([said != (row[7] > 41) for said, row in zip(told, asked)], dtype=float)
""",
    "share of errors",
    "prediction",
    change=3000,
)
_CODES = Stretch(
    "The class of the largest spot (A, H, K, R, S or X, coded 0 to 5) of 1,066 active regions on "
    "the sun. From River's `SolarFlare`.",
    """\
>>> from river import datasets
>>> spots = [row["largest-spot-size"] for row, _ in datasets.SolarFlare()]
>>> x = np.array(["AHKRSX".index(spot) for spot in spots], dtype=float)
""",
    "code",
    "region",
)
_STRETCHES = {
    "novelty": _LATER,
    "autoencoder": _PIECES,
    "rule": _RULES,
    "scorer": _SCORERS,
    "values": _VALUES,
    "errors": _ERRORS,
    "codes": _CODES,
}


def stretch_for(kind: str, family: str) -> Stretch:
    """Return the stretch for a detector by its kind, or else by its family.

    The families are rule and scorer of anomalies; values, errors and codes of drift.
    """
    return _STRETCHES.get(kind, _STRETCHES[family])


def example(stretch: Stretch, use: str) -> str:
    """Return the Python that makes the data and then uses them, with what it prints."""
    names = dict(_played(stretch.code))
    shown = f">>> import numpy as np\n{stretch.code}"
    return shown + played(use, names).rstrip("\n")
