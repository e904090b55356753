"""Which rows of one stream, or of one key, are unlike their past, and why."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from detectors.anomaly.catalog import rules_for, scorers_for
from detectors.anomaly.contract import FieldScores, largest
from detectors.anomaly.novelty import Novelty
from detectors.anomaly.robust_z import RobustZ
from detectors.quantile import AdaptiveQuantile
from detectors.state import State
from detectors.state_reader import StateReader
from detectors.values import Floats, clean
from detectors.watch.layout import Layout, Segment
from detectors.watch.novelty import NoveltyGauge
from detectors.watch.opinions import Evidence, Opinion, verdict
from detectors.watch.verdicts import AnomalyVerdict
from schemas.anomaly_settings import AnomalySettings


class AnomalyWatch:
    r"""Judges each row by every detector in the settings, then learns it.

    A row that any of them flags gives one verdict, that of the detector which finds it most
    severe; its explanation names the others. Scorers, such as half-space trees, flag the
    configured share of their scores each; a field that appears later is watched by the rules
    and told in deviations at once, and by the scorers once a successor on all fields has
    warmed up beside them (:class:`NoveltyGauge`). Rules flag what breaks them. The severity
    follows from the share of the detector's own recent scores that were as high; a broken
    fixed limit is at least high, since it is knowledge and not statistics.

    >>> x = np.random.default_rng(7).normal(size=(3000, 2))
    >>> x[2500] = (0.0, 9.0)
    >>> found = AnomalyWatch(AnomalySettings(robust_z=True)).observe(("a", "b"), x)
    >>> print(max(found, key=lambda verdict: verdict.score).explanation.replace("; ", "\n"))
    b is 9, 9.1 robust deviations from its median 0.0388879
    no recent reading scored as high
    usual is -2.198 to 2.279
    """

    def __init__(self, settings: AnomalySettings) -> None:
        self._settings = settings
        self._layout = Layout()
        self._past = RobustZ((), settings.history)
        self._rules = rules_for(settings)
        kinds = [*self._rules, *([RobustZ.kind] if settings.robust_z else [])]
        self._gauges = {kind: AdaptiveQuantile(settings.quantile) for kind in kinds}
        self._scorers = {
            kind: NoveltyGauge(make, settings.quantile)
            for kind, make in scorers_for(settings).items()
        }

    def observe(
        self, names: tuple[str, ...], x: Floats, at_s: Floats | None = None
    ) -> list[AnomalyVerdict]:
        """Judge and learn ``x`` (float64 [rows, names]); verdicts of the flagged rows only.

        ``at_s`` (float64 [rows]) are the rows' times in seconds since the epoch, for those
        detectors that know seasons; either all calls have them or none.
        """
        found: list[AnomalyVerdict] = []
        for segment in self._layout.segments(names, clean(x)):
            self._past.widen(segment.new)
            for rule in self._rules.values():
                rule.widen(segment.new)
            part = slice(segment.start, segment.start + len(segment.x))
            found += self._judge(segment, None if at_s is None else at_s[part])
        return found

    def state(self) -> State:
        """Return the state of every detector, with the settings it belongs to."""
        return {
            "settings": self._settings.model_dump_json(),
            "names": list(self._layout.names),
            "past": self._past.state(),
            "scorers": {kind: gauge.state() for kind, gauge in self._scorers.items()},
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
        scorers = StateReader(reader.mapping("scorers"), "AnomalyWatch, scorers")
        for kind, scorer in self._scorers.items():
            scorer.restore(scorers.mapping(kind))
        rules = StateReader(reader.mapping("rules"), "AnomalyWatch, rules")
        self._rules = rules_for(self._settings)
        for kind, rule in self._rules.items():
            rule.widen(names)
            rule.restore(rules.mapping(kind))
        gauges = StateReader(reader.mapping("gauges"), "AnomalyWatch, gauges")
        for kind, gauge in self._gauges.items():
            gauge.restore(gauges.mapping(kind))

    def _judge(self, segment: Segment, at_s: Floats | None) -> list[AnomalyVerdict]:
        past = self._past.deviations_learn(segment.x)
        evidence = Evidence(self._layout.names, segment.x, past)
        opinions = list(self._opinions(segment.x, past, at_s))
        flags = [opinion.judged.flagged for opinion in opinions]
        rows = np.flatnonzero(np.logical_or.reduce(flags)).tolist() if flags else []
        found = (verdict(row, evidence, opinions, self._settings) for row in rows)
        return [replace(each, row=each.row + segment.start) for each in found]

    def _opinions(self, x: Floats, past: FieldScores, at_s: Floats | None) -> Iterator[Opinion]:
        for kind, gauge in self._scorers.items():
            scores, judged, fields = gauge.judge(self._layout.names, x)
            yield Opinion(kind, scores, judged, fields or past)
        if self._settings.robust_z:
            yield self._opinion(RobustZ.kind, past._replace(ratio=past.ratio / self._past.limit))
        for kind, rule in self._rules.items():
            if isinstance(rule, Novelty):
                yield self._opinion(kind, rule.fields_learn(x, at_s))
            else:
                yield self._opinion(kind, rule.fields_learn(x))

    def _opinion(self, kind: str, fields: FieldScores) -> Opinion:
        scores = largest(fields.ratio)
        judged = self._gauges[kind].update(scores)
        own = judged._replace(threshold=np.ones(len(scores)), flagged=scores >= 1.0)
        return Opinion(kind, scores, own, fields)
