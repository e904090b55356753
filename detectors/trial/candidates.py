"""Who stands trial: what is configured, every detector by itself, and two that know nothing."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

from detectors.anomaly.catalog import rules_for, scorers_for
from detectors.drift.catalog import ALL
from detectors.trial.baselines import AlwaysFires, NeverFires
from detectors.watch import AnomalyWatch, DriftWatch
from detectors.watch.sentences import PRESENCE
from schemas.anomaly_settings import AnomalySettings
from schemas.drift_settings import DriftSettings

Family: TypeAlias = Literal["anomaly", "drift", "baseline"]
"""What kind of detector it is."""

EVERY_ROW = 1_000_000
_AT_MOST = {"loda": 6_000, "local_outlier_factor": 3_000, "one_class_svm": 25_000}
"""Rows that detectors get which need a tenth of a millisecond for one and more."""

_VARIANTS: dict[str, tuple[dict[str, Any], ...]] = {
    "half_space_trees": ({"quantile": {"share": 0.001}},),
    "robust_mahalanobis": ({"quantile": {"share": 0.001}},),
    "novelty": ({"novelty": {"limit": 6.0}},),
    "robust_z": ({"history": {"limit": 6.0}},),
}
"""Stricter settings that are tried as well, since the default share of 1 % is many a day."""


class Candidate(NamedTuple):
    """One that stands trial.

    ``make`` makes a new watch of one key. ``most`` are the rows that it gets at most.
    ``settings`` is what switches it on under ``detectors:`` of a worker, and nothing else.
    """

    name: str
    family: Family
    make: Callable[[], Any]
    settings: Mapping[str, Any]
    most: int = EVERY_ROW


def candidates(
    configured: Mapping[str, AnomalySettings | DriftSettings],
) -> Iterator[Candidate]:
    """Yield the two that know nothing, what each worker has, and every detector by itself.

    ``configured`` has the settings of the workers that watch the stream, by name. Detectors of
    errors and of codes are tried where some worker says which fields these are; fixed limits
    where some worker has them.

    >>> [each.name for each in candidates({})][:3]
    ['always fires', 'never fires', 'half_space_trees']
    """
    yield Candidate("always fires", "baseline", AlwaysFires, {})
    yield Candidate("never fires", "baseline", NeverFires, {})
    for worker, settings in configured.items():
        yield _whole(worker, settings)
    anomalies = [each for each in configured.values() if isinstance(each, AnomalySettings)]
    drifts = [each for each in configured.values() if isinstance(each, DriftSettings)]
    yield from _anomalies(anomalies)
    yield from _drifts(drifts)


def _whole(worker: str, settings: AnomalySettings | DriftSettings) -> Candidate:
    """All that a worker has, together, as it is configured."""
    said = settings.model_dump(mode="json", exclude_defaults=True)
    slow = [_AT_MOST[kind] for kind in _AT_MOST if getattr(settings, kind, None) is not None]
    name, most = f"worker {worker}", min(slow, default=EVERY_ROW)
    if isinstance(settings, AnomalySettings):
        return Candidate(name, "anomaly", lambda: AnomalyWatch(settings), said, most)
    return Candidate(name, "drift", lambda: DriftWatch(settings), said, most)


def _anomalies(configured: Sequence[AnomalySettings]) -> Iterator[Candidate]:
    yield from (_anomaly(kind, {kind: {}}) for kind in _kinds() if kind != "limits")
    yield _anomaly("robust_z", {"robust_z": True})
    for kind, variants in _VARIANTS.items():
        on: dict[str, Any] = {kind: True if kind == "robust_z" else {}}
        yield from (_anomaly(kind, on | variant) for variant in variants)
    for settings in configured:
        yield from _own(settings)


def _own(settings: AnomalySettings) -> Iterator[Candidate]:
    """Each detector of a worker by itself, where its settings are not the default ones."""
    for kind in _kinds():
        own = getattr(settings, kind)
        if own is not None and own != type(own)():
            yield _anomaly(kind, {kind: own.model_dump(mode="json", exclude_defaults=True)})


def _kinds() -> list[str]:
    """The anomaly detectors that the settings switch on by a key of their own."""
    optional = (
        name
        for name, field in AnomalySettings.model_fields.items()
        if type(None) in get_args(field.annotation)
    )
    return [kind for kind in optional if _is_detector(kind)]


def _is_detector(kind: str) -> bool:
    settings = _only(kind, {kind: {}})
    return bool(rules_for(settings) or scorers_for(settings))


def _only(kind: str, given: Mapping[str, Any]) -> AnomalySettings:
    """Settings with one detector; the forest is off unless it is the one."""
    off = {} if kind == "half_space_trees" else {"half_space_trees": None}
    return AnomalySettings.model_validate({**off, **given})


def _anomaly(kind: str, given: Mapping[str, Any]) -> Candidate:
    settings = _only(kind, given)
    said = settings.model_dump(mode="json", exclude_unset=True)
    name = _named(kind, given)
    return Candidate(
        name, "anomaly", lambda: AnomalyWatch(settings), said, _AT_MOST.get(kind, EVERY_ROW)
    )


def _named(kind: str, given: Mapping[str, Any]) -> str:
    """The detector's name with what is not the default: ``novelty limit 6``."""
    inner = (each.items() for each in given.values() if isinstance(each, Mapping))
    return " ".join([kind, *(f"{name} {_short(value)}" for each in inner for name, value in each)])


def _short(value: object) -> str:
    return f"{value:g}" if isinstance(value, int | float) else "…"


def _drifts(configured: Sequence[DriftSettings]) -> Iterator[Candidate]:
    fields = {
        "errors": tuple(name for each in configured for name in each.errors),
        "codes": tuple(name for each in configured for name in each.codes),
    }
    kinds = [cls.kind for cls in ALL if cls.takes == "values" or fields[cls.takes]]
    off = dict.fromkeys([*(cls.kind for cls in ALL), PRESENCE])
    for kind in [*kinds, PRESENCE]:
        yield _drift(kind, off | fields | {kind: {}})
    for settings in configured:
        for kind in (*kinds, PRESENCE):
            own = getattr(settings, kind)
            if own is not None and own != type(own)():
                said = own.model_dump(mode="json", exclude_defaults=True)
                yield _drift(_named(kind, {kind: said}), off | fields | {kind: said})


def _drift(name: str, given: Mapping[str, Any]) -> Candidate:
    settings = DriftSettings.model_validate(given)
    said = {key: value for key, value in given.items() if value is not None and value != ()}
    others = (cls.kind for cls in ALL if cls.takes == "values" and cls.kind not in said)
    default = {kind: None for kind in others if getattr(DriftSettings(), kind) is not None}
    return Candidate(name, "drift", lambda: DriftWatch(settings), default | said)
