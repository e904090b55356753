"""What a worker's keeper did by itself, and what its process did to itself, read from their log."""

from collections.abc import Sequence

from schemas.supervisor_event import Action, Detail
from supervisor.chronicle import Chronicle
from supervisor.worker_log import KEEPER_WENT_ON, Line


def note_ends(chronicle: Chronicle, worker: str, process: str, lines: Sequence[Line]) -> int:
    """Tell of the ends that these lines tell of: those that a keeper answered together, once.

    Returns how often the keeper has started another so far, as the last of them says; 0 where none
    says so.
    """
    for line in lines:
        if line.event == "deadline_passed":
            _passed(chronicle, worker, process, dict(line.fields))
    answered = [dict(line.fields) for line in lines if line.event == KEEPER_WENT_ON]
    if not answered:
        return 0
    last = answered[-1]
    why = f"its process {last.get('reason', 'ended')}, and its keeper started another"
    why += f" ({len(answered)} times)" if len(answered) > 1 else ""
    details: dict[str, Detail] = {"ends": len(answered)}
    chronicle.tell(Action.RESTARTED, why, worker, process, details, logged=True)
    restarts = last.get("restarts")
    return restarts if isinstance(restarts, int) else 0


def _passed(chronicle: Chronicle, worker: str, process: str, fields: dict[str, object]) -> None:
    took_s, allowed_s = fields.get("handling_s"), fields.get("deadline_s")
    why = f"a handler ran for {took_s} s, and {allowed_s} s are allowed"
    chronicle.tell(Action.DEADLINE, why, worker, process, logged=True)
