"""Which rows of one stream, or of one key, are unlike their past, and why."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from detectors.anomaly.catalog import rules_for
from detectors.anomaly.contract import FieldScores, largest
from detectors.anomaly.half_space_trees import HalfSpaceTrees
from detectors.anomaly.robust_z import RobustZ
from detectors.quantile import AdaptiveQuantile, Judged
from detectors.state import State
from detectors.state_reader import StateReader
from detectors.values import Floats, clean
from detectors.watch.layout import Layout, Segment
from detectors.watch.novelty import NoveltyGauge
from detectors.watch.opinions import Evidence, Opinion, verdict
from detectors.watch.verdicts import AnomalyVerdict
from schemas.anomaly_settings import AnomalySettings


class AnomalyWatch:
    """Judges each row by every detector in the settings, then learns it.

    A row that any of them flags gives one verdict, that of the detector which finds it most
    severe; its explanation names the others. Half-space trees flag the configured share of
    their scores and stand on the fields of the first row, as River's do; a field that appears
    later is watched by the rules and told in deviations. Rules flag what breaks them. The
    severity follows from the share of the detector's own recent scores that were as high; a
    broken fixed limit is at least high, since it is knowledge and not statistics.

    >>> x = np.random.default_rng(7).normal(size=(3000, 2))
    >>> x[2500] = (0.0, 9.0)
    >>> found = AnomalyWatch(AnomalySettings(robust_z=True)).observe(("a", "b"), x)
    >>> print(max(found, key=lambda verdict: verdict.score).explanation)
    b is 9, 9.1 robust deviations from its median 0.0388879; no recent reading scored as high
    """

    def __init__(self, settings: AnomalySettings) -> None:
        self._settings = settings
        self._layout = Layout()
        self._past = RobustZ((), settings.history)
        self._rules = rules_for(settings)
        kinds = [*self._rules, *([RobustZ.kind] if settings.robust_z else [])]
        self._gauges = {kind: AdaptiveQuantile(settings.quantile) for kind in kinds}
        self._novelty = None
        if settings.half_space_trees:
            self._novelty = NoveltyGauge(settings.half_space_trees, settings.quantile)

    def observe(self, names: tuple[str, ...], x: Floats) -> list[AnomalyVerdict]:
        """Judge and learn ``x`` (float64 [rows, names]); verdicts of the flagged rows only."""
        found: list[AnomalyVerdict] = []
        for segment in self._layout.segments(names, clean(x)):
            self._past.widen(segment.new)
            for rule in self._rules.values():
                rule.widen(segment.new)
            found += self._judge(segment)
        return found

    def state(self) -> State:
        """Return the state of every detector, with the settings it belongs to."""
        return {
            "settings": self._settings.model_dump_json(),
            "names": list(self._layout.names),
            "past": self._past.state(),
            "novelty": self._novelty.state() if self._novelty else None,
            "rules": {kind: rule.state() for kind, rule in self._rules.items()},
            "gauges": {kind: gauge.state() for kind, gauge in self._gauges.items()},
        }

    def restore(self, state: State) -> None:
        """Continue from ``state``; raises StateError when it does not fit these settings.

        After an error the watch is unusable; make another.
        """
        reader = StateReader(state, "AnomalyWatch")
        reader.expect("settings", self._settings.model_dump_json())
        names = reader.texts("names")
        self._layout, self._past = Layout(names), RobustZ(names, self._settings.history)
        self._past.restore(reader.mapping("past"))
        if self._novelty:
            self._novelty.restore(reader.mapping("novelty"))
        rules = StateReader(reader.mapping("rules"), "AnomalyWatch, rules")
        self._rules = rules_for(self._settings)
        for kind, rule in self._rules.items():
            rule.widen(names)
            rule.restore(rules.mapping(kind))
        gauges = StateReader(reader.mapping("gauges"), "AnomalyWatch, gauges")
        for kind, gauge in self._gauges.items():
            gauge.restore(gauges.mapping(kind))

    def _judge(self, segment: Segment) -> list[AnomalyVerdict]:
        past = self._past.deviations_learn(segment.x)
        evidence = Evidence(self._layout.names, segment.x, past)
        opinions = list(self._opinions(segment.x, past))
        flags = [opinion.judged.flagged for opinion in opinions]
        rows = np.flatnonzero(np.logical_or.reduce(flags)).tolist() if flags else []
        found = (verdict(row, evidence, opinions, self._settings) for row in rows)
        return [replace(each, row=each.row + segment.start) for each in found]

    def _opinions(self, x: Floats, past: FieldScores) -> Iterator[Opinion]:
        if self._novelty:
            scores, judged = self._novelty.judge(self._layout.names, x)
            yield Opinion(HalfSpaceTrees.kind, scores, judged, past.ratio)
        if self._settings.robust_z:
            yield self._opinion(RobustZ.kind, past.ratio / self._past.limit)
        for kind, rule in self._rules.items():
            yield self._opinion(kind, rule.fields_learn(x).ratio)

    def _opinion(self, kind: str, ratio: Floats) -> Opinion:
        scores = largest(ratio)
        p_value = self._gauges[kind].update(scores).p_value
        judged = Judged(np.ones(len(scores)), scores >= 1.0, p_value)
        return Opinion(kind, scores, judged, ratio)
