"""Real data from River's wheel: what the demo replays, and the shift that it injects.

- **Shuttle** (Statlog, as a benchmark of anomaly detection): 49,097 readings of nine sensors of a
  space shuttle, of which 3,511 (7.15 %) are labelled anomalous.
- **WaterFlow**: 1,268 hourly values of the flow through a branch of a water main, in l/s.

The shift goes into WaterFlow: it has one field, so drift is injected in exactly one, and Shuttle
with its labels stays what it is. From 60 % of the values on the flow is raised by 25 %, some two
standard deviations: as if the meter's gain had changed. Before that WaterFlow has a change of its
own (its middle part runs lower), which a detector may rightly report as well.
"""

import csv
import gzip
import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from schemas import Classification, SecurityContext, SensorReading

SHUTTLE, WATER = "shuttle", "waterflow"
"""The ids of the two sensors."""

_SECURITY = SecurityContext(tenant="demo", classification=Classification.UNCLASSIFIED)


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading: the ``number``-th of its sensor, from 0; ``anomalous`` is its label, if any."""

    sensor: str
    number: int
    measurements: dict[str, float]
    anomalous: bool | None = None

    def payload(self) -> bytes:
        """Its payload, an ``L3`` sensor reading."""
        reading = SensorReading(
            kind="sensor_reading",
            schema_version="1.0",
            security=_SECURITY,
            sensor_id=self.sensor,
            measurements=self.measurements,
        )
        return reading.model_dump_json(exclude_defaults=True).encode()


@dataclass(frozen=True, slots=True)
class Shift:
    """The injected drift: from ``share`` of a sensor's readings on, a field times ``factor``."""

    sensor: str
    field: str
    share: float
    factor: float

    def first(self, readings: int) -> int:
        """The number of the first reading that is shifted, of so many."""
        return int(readings * self.share)


SHIFT = Shift(sensor=WATER, field="flow_l_s", share=0.6, factor=1.25)
"""What the demo injects."""


@cache
def shuttle(most: int | None = None) -> tuple[Reading, ...]:
    """The Shuttle readings with their labels, or the first ``most`` of them."""
    found = []
    for number, row in enumerate(_rows("shuttle.csv.gz", most)):
        *values, label = row.items()
        measured = {name: float(value) for name, value in values}
        found.append(Reading(SHUTTLE, number, measured, label[1] == "1"))
    return tuple(found)


@cache
def waterflow(most: int | None = None) -> tuple[Reading, ...]:
    """The WaterFlow values, or the first ``most`` of them, with the shift injected."""
    flows = [float(row["Water flow [l/s]"]) for row in _rows("water-flow.csv", most)]
    first = SHIFT.first(len(flows))
    return tuple(
        Reading(WATER, number, {SHIFT.field: flow * SHIFT.factor if number >= first else flow})
        for number, flow in enumerate(flows)
    )


def _rows(name: str, most: int | None) -> Iterator[dict[str, str]]:
    """Rows of a file of River; ``river`` alone is imported, which costs next to nothing."""
    raw = files("river").joinpath("datasets", name).read_bytes()
    text = (gzip.decompress(raw) if name.endswith(".gz") else raw).decode()
    for number, row in enumerate(csv.DictReader(io.StringIO(text, newline=""))):
        if number == most:
            return
        yield row
