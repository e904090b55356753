"""The chi-squared test of homogeneity over a stream of category codes."""

import math
from dataclasses import replace
from typing import ClassVar

import numpy as np

from detectors.chi_squared import survival, upper_quantile
from detectors.drift.binned_window import CountedWindow
from detectors.drift.contract import Detection, Input, Measured, Move
from detectors.values import AnyArray, Floats, Ints
from schemas.drift_settings import CategoriesSettings

_LEAST_EXPECTED = 5.0  # values of a category in the window; rarer categories are pooled
_MOST_TOLD = 5  # categories named in a detection


class Categories(CountedWindow):
    """Reports when categories have become more or less frequent, or new ones have come.

    For: codes that stand for categories.

    Takes codes: whole numbers from 0, one for each category, given in order of appearance or
    by a hash; other numbers are rounded towards 0, and those below 0 or beyond
    ``max_categories`` count as one category. The statistic is that of the two-sample
    chi-squared test over categories; those of which fewer than 5 values are expected in the
    window are pooled with each other and with those beyond ``max_categories``, so a code that
    stands for all texts not heard of before some moment raises no alarm by standing for them.
    The threshold is its quantile at ``alpha``, with categories - 1 degrees of freedom.

    Misses: a category too rare to matter among ``n_cur`` values; the order of categories.

    Reference: Cochran, "Some methods for strengthening the common chi-squared tests",
    Biometrics 10 (1954), for the pooling.

    >>> rng = np.random.default_rng(5)
    >>> codes = np.append(rng.choice(3, 2000, p=[0.6, 0.3, 0.1]), rng.choice(3, 2000))
    >>> print(f"drift at value {Categories().update(codes.astype(np.float64))[0].row}")
    drift at value 2149
    """

    kind: ClassVar[str] = "categories"
    takes: ClassVar[Input] = "codes"

    def __init__(self, settings: CategoriesSettings | None = None) -> None:
        self._settings = settings or CategoriesSettings()
        super().__init__(self._settings)

    def _fit(self, baseline: Floats) -> None:
        self._count(baseline, self._settings.max_categories + 1)

    def _cells(self, values: Floats) -> AnyArray:
        beyond = self._settings.max_categories
        known = (values >= 0.0) & (values < beyond)
        return np.where(known, values, float(beyond)).astype(np.int64)

    def _measure(self, current: Floats) -> Measured:
        _, before, now = self._pooled()
        value = float(self._terms(before, now).sum())
        degrees = max(len(before) - 1, 1)
        threshold = upper_quantile(self._settings.alpha, degrees)
        return Measured("chi_squared", value, threshold, survival(value, degrees))

    def _detection(self, row: int, measured: Measured) -> Detection:
        noise = 1.0 / self._settings.n_ref + 1.0 / self._settings.n_cur
        effect = math.sqrt(measured.value * noise)
        return replace(super()._detection(row, measured), effect=effect, moves=self._moves())

    def _moves(self) -> tuple[Move, ...]:
        codes, before, now = self._pooled()
        terms = self._terms(before, now)
        shares = before / self._settings.n_ref, now / self._settings.n_cur
        return tuple(
            Move(None if codes[i] < 0 else int(codes[i]), float(shares[0][i]), float(shares[1][i]))
            for i in np.argsort(-terms, kind="stable")[:_MOST_TOLD]
            if terms[i] > 0.0
        )

    def _terms(self, before: Ints, now: Ints) -> Floats:
        """Return each category's part in the statistic."""
        ratio = math.sqrt(self._settings.n_cur / self._settings.n_ref)
        terms: Floats = (before * ratio - now / ratio) ** 2 / (before + now)
        return terms

    def _pooled(self) -> tuple[Ints, Ints, Ints]:
        """Return the codes of the categories told apart, and their counts before and now.

        The rest comes last, under the code -1, unless there is none.
        """
        n_before, n_now = self._settings.n_ref, self._settings.n_cur
        both = self._before + self._now
        # Pooling by the baseline and window together depends on neither sample alone.
        rare = both * n_now < _LEAST_EXPECTED * (n_before + n_now)
        rare[self._settings.max_categories] = True  # which of these are rare nobody knows
        codes = np.append(np.flatnonzero(~rare), -1)
        before = np.append(self._before[~rare], self._before[rare].sum())
        now = np.append(self._now[~rare], self._now[rare].sum())
        filled = before + now > 0
        return codes[filled], before[filled], now[filled]
