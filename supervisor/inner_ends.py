"""What a worker's keeper did by itself, and what its process did to itself, read from their log."""

from collections.abc import Sequence

from schemas.supervisor_event import Action, Detail
from supervisor.child import Child
from supervisor.chronicle import Chronicle
from supervisor.worker_log import KEEPER_WENT_ON, Line


def note_ends(chronicle: Chronicle, child: Child, lines: Sequence[Line]) -> None:
    """Tell of the ends that these lines tell of: those that a keeper answered together, once."""
    for line in lines:
        if line.event == "deadline_passed":
            _passed(chronicle, child, dict(line.fields))
    answered = [dict(line.fields) for line in lines if line.event == KEEPER_WENT_ON]
    if answered:
        last = answered[-1]
        why = f"its process {last.get('reason', 'ended')}, and its keeper started another"
        why += f" ({len(answered)} times)" if len(answered) > 1 else ""
        restarts = last.get("restarts")
        child.went_on(restarts if isinstance(restarts, int) else 0)
        details: dict[str, Detail] = {"ends": len(answered)}
        place = child.place
        chronicle.tell(Action.RESTARTED, why, place.worker, place.label, details, logged=True)


def _passed(chronicle: Chronicle, child: Child, fields: dict[str, object]) -> None:
    took_s, allowed_s = fields.get("handling_s"), fields.get("deadline_s")
    why = f"a handler ran for {took_s} s, and {allowed_s} s are allowed"
    chronicle.tell(Action.DEADLINE, why, child.place.worker, child.place.label, logged=True)
