"""Records of made-up commits, for the tests of the lineage stores."""

from collections.abc import Sequence

from hypothesis import strategies as st

from lineage.model import StampedRecord
from schemas.findings import Severity
from schemas.lineage_record import FindingKind, LineageFinding, LineageOutput, LineageRecord
from schemas.security import Classification

LAYERS = {"L3_IN": 3, "L3": 3, "L4": 4}
PRODUCED = ["L3_IN"]

_KINDS: dict[str, FindingKind | None] = {
    "L3": None,
    "L3{1}": None,
    "L4": None,
    "ström-ﬀ😀": None,
    "SHRINK": "rejection",
    "DEAD_LETTER": "dead_letter",
    "ANOMALY_EVENTS": "anomaly",
    "DRIFT_EVENTS": "drift",
}
_NAMES = st.sampled_from([None, "acme", "Zeta", "ﬀ", "😀", "nul\x00a", "nul\x00b", "'; DROP"])


def output(stream: str, *parents: str, flags: Sequence[str] = (), **rest: object) -> LineageOutput:
    """An output; one that flags messages is the finding its stream holds."""
    kind = _KINDS.get(stream) if flags else None
    finding = (
        LineageFinding(
            kind=kind,
            detector="half-space trees",
            severity=Severity.HIGH,
            summary=f"{kind} of {len(flags)}",
            flagged=tuple(flags),
        )
        if kind
        else None
    )
    return LineageOutput.model_validate(
        {"stream": stream, "parents": parents, "finding": finding, **rest}
    )


def commit(
    at: int,
    *outputs: LineageOutput,
    ids: Sequence[str | None] = (),
    worker: str = "",
    kind: str = "gate",
    version: str = "0.1.0",
) -> StampedRecord:
    """A commit at a time in ms; its outputs get the entry ids at-0, at-1 and so on."""
    record = LineageRecord(
        worker=worker or f"worker_{at % 2}",
        worker_kind=kind,
        worker_version=version,
        host="box",
        run="run-1",
        at_ms=at,
        outputs=outputs,
    )
    return StampedRecord(
        f"LINEAGE/{at}-9", record, ids or [f"{at}-{n}" for n in range(len(outputs))]
    )


@st.composite
def histories(draw: st.DrawFn) -> list[StampedRecord]:
    """Commits of a small pipeline, each made from producers' messages and earlier outputs."""
    known = ["L3_IN/1-0", "L3_IN/2-0", "L3_IN/2-10", "L3_IN/18446744073709551615-0"]
    records = []
    for at in range(10, 10 + draw(st.integers(1, 6))):
        outputs = draw(st.lists(_outputs(list(known)), max_size=4))
        emitted = draw(st.lists(st.booleans(), min_size=len(outputs), max_size=len(outputs)))
        ids = [f"{at}-{n}" if there or n else None for n, there in enumerate(emitted)]
        version = draw(st.sampled_from(["0.1.0", "0.2.0"]))
        records.append(commit(at, *outputs, ids=ids, version=version))
        known += [f"{o.stream}/{i}" for o, i in zip(outputs, ids, strict=True) if i is not None]
    return records


def _outputs(known: list[str]) -> st.SearchStrategy[LineageOutput]:
    some = st.lists(st.sampled_from(known), max_size=3)
    circumstances = st.fixed_dictionaries(
        {
            "schema_name": _NAMES,
            "schema_version": st.sampled_from([None, "1.0", "1.1"]),
            "tenant": _NAMES,
            "classification": st.sampled_from([None, *Classification]),
            "source": _NAMES,
            "producer_id": _NAMES,
        }
    )
    return st.builds(
        lambda stream, parents, flags, rest: output(stream, *parents, flags=flags, **rest),
        st.sampled_from(list(_KINDS)),
        some,
        some,
        circumstances,
    )
