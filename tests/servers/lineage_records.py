"""Records of made-up commits, for the tests of the lineage stores."""

import random
from collections.abc import Iterator, Sequence
from typing import Any

from hypothesis import strategies as st

from lineage.model import StampedRecord
from schemas.findings import Severity
from schemas.lineage_record import (
    FindingKind,
    Grain,
    LineageFinding,
    LineageOutput,
    LineageRecord,
)
from schemas.security import Classification

LAYERS = {"L3_IN": 3, "L3": 3, "L4": 4, "L8": 8}
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
    grain: Grain = "message",
    sample: int = 0,
) -> StampedRecord:
    """A commit at a time in ms; its outputs get the entry ids at-0, at-1 and so on."""
    record = LineageRecord(
        worker=worker or f"worker_{at % 2}",
        worker_kind=kind,
        worker_version=version,
        host="box",
        run="run-1",
        at_ms=at,
        grain=grain,
        sample=sample,
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


@st.composite
def batched_histories(draw: st.DrawFn) -> list[StampedRecord]:
    """Commits most of which are to be stored as batches, with few messages that stand out."""
    known = ["L3_IN/1-0", "L3_IN/2-0", "L3_IN/2-10"]
    records = []
    for at in range(10, 10 + draw(st.integers(2, 6))):
        outputs = draw(st.lists(_plain_outputs(list(known)), min_size=1, max_size=4))
        told: dict[str, Any] = {
            "grain": draw(st.sampled_from(["batch", "batch", "batch", "message"])),
            "sample": draw(st.sampled_from([0, 0, 5])),
            "version": draw(st.sampled_from(["0.1.0", "0.2.0"])),
        }
        records.append(commit(at, *outputs, **told))
        known += [f"{output.stream}/{at}-{n}" for n, output in enumerate(outputs)]
    return records


def _plain_outputs(known: list[str]) -> st.SearchStrategy[LineageOutput]:
    some = st.lists(st.sampled_from(known), min_size=1, max_size=3)
    told = st.fixed_dictionaries(
        {
            "tenant": st.sampled_from([None, "acme", "Zeta"]),
            "classification": st.sampled_from([None, *Classification]),
            "source": st.sampled_from([None, "acme"]),
            "producer_id": st.sampled_from([None, "p"]),
        }
    )
    message = st.builds(
        lambda stream, parents, rest: output(stream, *parents, **rest),
        st.sampled_from(["L3", "L3{1}", "L4"]),
        some,
        told,
    )
    finding = some.map(lambda uids: output("ANOMALY_EVENTS", uids[0], flags=uids))
    return st.one_of(message, message, message, message, finding)


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
            "supersedes": st.lists(st.sampled_from(known), max_size=2).map(tuple),
        }
    )
    return st.builds(
        lambda stream, parents, flags, rest: output(stream, *parents, flags=flags, **rest),
        st.sampled_from(list(_KINDS)),
        some,
        some,
        circumstances,
    )


MESSAGES_PER_BATCH = 500 + 500 + 250 + 3


def many_messages(batches: int, seed: int) -> Iterator[StampedRecord]:
    """Commits of a larger pipeline, ``MESSAGES_PER_BATCH`` messages a batch, ten ms each.

    500 of producers pass the gate; 250 are made of up to three of those of this batch or the one
    before; one is flagged, one rejected and released.
    """
    chance = random.Random(seed)
    for at in range(20, 20 + 10 * batches, 10):
        yield commit(at, *(_passed(at, n, chance) for n in range(499)), worker="gate")
        refused = f"L3_IN/{at - 1}-499"
        yield commit(at + 1, output("SHRINK", refused, flags=[refused]), worker="gate")
        released = output("L3_IN", f"SHRINK/{at + 1}-0", tenant="acme")
        yield commit(at + 2, released, worker="release", kind="release")
        yield commit(at + 3, output("L3", f"L3_IN/{at + 2}-0", tenant="acme"), worker="gate")
        made = (_assessed(at, chance) for _ in range(250))
        yield commit(at + 4, *made, worker="assess", kind="transform", version=f"0.{at % 3}.0")
        odd = f"L4/{at + 4}-{chance.randrange(250)}"
        yield commit(at + 5, output("ANOMALY_EVENTS", odd, flags=[odd]), worker="watch")


def _passed(at: int, number: int, chance: random.Random) -> LineageOutput:
    return output(
        "L3",
        f"L3_IN/{at - 1}-{number}",
        schema_name=chance.choice(["Zeta", "acme"]),
        schema_version="1.1",
        tenant=chance.choice(["acme", "Zeta"]),
        classification=chance.choice(list(Classification)),
        source=chance.choice(["acme", "camera"]),
        producer_id=str(number),
    )


def _assessed(at: int, chance: random.Random) -> LineageOutput:
    batches = [at, max(20, at - 10)]
    parents = {
        f"L3/{chance.choice(batches)}-{chance.randrange(499)}" for _ in range(chance.randint(1, 3))
    }
    tenant, rank = chance.choice(["acme", "Zeta"]), chance.choice(list(Classification))
    return output("L4", *sorted(parents), tenant=tenant, classification=rank)
