"""Every detector there is, with its settings, as the catalogs of the code name them."""

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel

from detectors.anomaly.catalog import rules_for, scorers_for
from detectors.anomaly.robust_z import RobustZ
from detectors.drift.catalog import ALL
from schemas.anomaly_settings import AnomalySettings, RobustZSettings
from schemas.drift_settings import DriftSettings

_ONE_FIELD = ("value",)


def anomaly_detectors() -> list[Any]:
    """Return the classes of the anomaly detectors, rules first.

    >>> "half_space_trees" in [each.kind for each in anomaly_detectors()]
    True
    """
    named: dict[str, Any] = {
        name: {} for name in AnomalySettings.model_fields if _is_optional(name)
    }
    everything = AnomalySettings.model_validate(named)
    rules = [type(rule) for rule in rules_for(everything).values()]
    return [RobustZ, *rules, *(type(make(_ONE_FIELD)) for make in scorers_for(everything).values())]


def is_rule(detector: Any) -> bool:
    """Return whether an anomaly detector judges field by field, by a limit of its own."""
    return hasattr(detector, "fields_learn")


def drift_detectors() -> tuple[Any, ...]:
    """Return the classes of the drift detectors."""
    return ALL


def settings_of(kind: str) -> type[BaseModel]:
    """Return the model of a detector's settings."""
    if kind == RobustZ.kind:
        return RobustZSettings
    of = AnomalySettings if kind in AnomalySettings.model_fields else DriftSettings
    return next(_models(of.model_fields[kind].annotation))


def defaults() -> set[str]:
    """Return the kinds that are on where ``streams.yaml`` says nothing."""
    return {
        name
        for settings in (AnomalySettings(), DriftSettings.model_validate({}))
        for name in type(settings).model_fields
        if getattr(settings, name) not in (None, False)
    }


def _is_optional(name: str) -> bool:
    return type(None) in get_args(AnomalySettings.model_fields[name].annotation)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    for each in get_args(annotation):
        if isinstance(each, type) and issubclass(each, BaseModel):
            yield each
