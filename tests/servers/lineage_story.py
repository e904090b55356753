"""A short history that has something of everything the verbs of ``penstock lineage`` show.

300 readings of two pumps pass the gate, two of them are anomalies; ``assess`` and ``hunt`` make an
alert of 206 of them that the gate rejects and an operator releases; ``decide`` then makes a
decision of it, under a lower classification than the alert's.
"""

from typing import Any

from lineage.model import StampedRecord
from schemas.security import Classification
from tests.servers.lineage_records import commit, output

START_MS = 1_763_650_000_000
LAYERS = {f"L{layer}{end}": layer for layer in (3, 4, 8, 9) for end in ("", "_IN")}
READINGS = 300

DECISION = f"L9/{START_MS + 73}-0"
ANOMALIES = [f"ANOMALY_EVENTS/{START_MS + 2}-{n}" for n in (0, 1)]
REJECTION = f"SHRINK/{START_MS + 6}-0"
REFUSED = (f"L8_IN/{START_MS + 5}-0", f"L8_IN/{START_MS + 70}-0")
"""The message that was rejected, and what it was released as."""
READING = f"L3_IN/{START_MS}-7"


def _id(after_ms: int, number: int = 0) -> str:
    return f"{START_MS + after_ms}-{number}"


def _told(schema: str, **more: Any) -> dict[str, Any]:
    told = {"schema_name": schema, "schema_version": "1.0", "tenant": "acme", "source": "pump-7"}
    return told | {"classification": Classification.RESTRICTED} | more


def story() -> list[StampedRecord]:
    """The commits, in their order."""
    return [_readings(), _anomalies(), *_alert(), *_decision()]


def _readings() -> StampedRecord:
    sources = ("pump-8", "pump-7")
    outputs = (
        output("L3", f"L3_IN/{_id(0, n)}", **_told("schemas:L3EventSchema", source=sources[n % 2]))
        for n in range(READINGS)
    )
    return commit(START_MS + 1, *outputs, worker="gate")


def _anomalies() -> StampedRecord:
    flagged = [f"L3/{_id(1, n)}" for n in (7, 9)]
    outputs = (output("ANOMALY_EVENTS", uid, flags=[uid]) for uid in flagged)
    return commit(START_MS + 2, *outputs, worker="anomaly", kind="anomaly")


def _alert() -> list[StampedRecord]:
    told, alert = _told("schemas:L4IntelSchema"), _told("schemas:L8SecuritySchema")
    windows = [[f"L3/{_id(1, n)}" for n in part] for part in (range(5, 11), range(20, 220))]
    assessed = (output("L4_IN", *window, **told) for window in windows)
    passed = (output("L4", f"L4_IN/{_id(3, n)}", **told) for n in (0, 1))
    from_all = [f"L4/{_id(4, 0)}", f"L4/{_id(4, 1)}", f"L3/{_id(1, 7)}"]
    uid = f"L8_IN/{_id(5)}"
    return [
        commit(START_MS + 3, *assessed, worker="assess", kind="transform", version="2.1.0"),
        commit(START_MS + 4, *passed, worker="gate"),
        commit(START_MS + 5, output("L8_IN", *from_all, **alert), worker="hunt", kind="transform"),
        commit(START_MS + 6, output("SHRINK", uid, flags=[uid], source="pump-7"), worker="gate"),
    ]


def _decision() -> list[StampedRecord]:
    alert = _told("schemas:L8SecuritySchema")
    decided = _told("schemas:L9StrategicSchema", classification=Classification.UNCLASSIFIED)
    steps: list[tuple[int, str, str, str, dict[str, Any]]] = [
        (70, "L8_IN", f"SHRINK/{_id(6)}", "release", alert),
        (71, "L8", f"L8_IN/{_id(70)}", "gate", alert),
        (72, "L9_IN", f"L8/{_id(71)}", "decide", decided),
        (73, "L9", f"L9_IN/{_id(72)}", "gate", decided),
    ]
    kinds = {"gate": "gate", "release": "release", "decide": "transform"}
    return [
        commit(START_MS + at, output(stream, parent, **told), worker=worker, kind=kinds[worker])
        for at, stream, parent, worker, told in steps
    ]
