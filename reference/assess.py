"""L3 to L4: sensor readings that keep leaving their usual range become a risk assessment."""

import math
from collections.abc import Iterator
from typing import Any

from schemas import Derived, Message, RiskAssessment, SensorReading

WARM_UP = 200
"""Readings of a sensor before it is judged."""

ALARM_Z = 6.0
"""Standard deviations from its mean at which a reading counts as out of range."""

NEEDED, WITHIN = 3, 50
"""So many readings out of range within so many make one assessment."""


def assess(message: Message[Any], memory: dict[str, Any]) -> Iterator[Derived]:
    """Assess the risk at one sensor from its last readings, with those readings as evidence.

    ``memory`` holds, for each sensor, the count of readings, each field's running mean and sum of
    squares (Welford, 1962), and the readings that lately were out of range.
    """
    reading = message.event
    if not isinstance(reading, SensorReading):
        return
    sensor = memory.setdefault(reading.sensor_id, {"count": 0, "fields": {}, "odd": []})
    sensor["count"] += 1
    worst, z = _furthest(reading, sensor)
    if sensor["count"] <= WARM_UP or z < ALARM_Z:
        _learn(reading, sensor)
        return
    sensor["odd"] = [[at, uid] for at, uid in sensor["odd"] if at > sensor["count"] - WITHIN]
    sensor["odd"].append([sensor["count"], message.uid])
    if len(sensor["odd"]) < NEEDED:
        return
    evidence = [uid for _, uid in sensor["odd"]]
    sensor["odd"] = []
    risk = 1.0 - 1.0 / (1.0 + z / ALARM_Z)
    yield Derived(
        RiskAssessment(
            kind="risk_assessment",
            schema_version="1.0",
            security=reading.security,
            subject=reading.sensor_id,
            risk=risk,
            likelihood=min(1.0, len(evidence) / NEEDED),
            impact=risk,
            rationale=f"{len(evidence)} readings of {reading.sensor_id} out of range; "
            f"{worst} was {z:.1f} standard deviations from its mean",
            evidence=tuple(evidence),
        ),
        parents=evidence,
        subject=reading.sensor_id,
    )


def _furthest(reading: SensorReading, sensor: dict[str, Any]) -> tuple[str, float]:
    """The field that is furthest from its mean, and how far, in standard deviations."""
    worst, most = "", 0.0
    for name, value in reading.measurements.items():
        count, mean, squares = sensor["fields"].get(name, (0, 0.0, 0.0))
        if count < 2 or squares <= 0.0:
            continue
        z = abs(value - mean) / math.sqrt(squares / (count - 1))
        if z > most:
            worst, most = name, z
    return worst, most


def _learn(reading: SensorReading, sensor: dict[str, Any]) -> None:
    for name, value in reading.measurements.items():
        count, mean, squares = sensor["fields"].get(name, (0, 0.0, 0.0))
        count += 1
        step = value - mean
        mean += step / count
        sensor["fields"][name] = [count, mean, squares + step * (value - mean)]
