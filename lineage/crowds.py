"""Messages of a trace that play the same part in it, so that many can be shown as one."""

from lineage.trace import Step, Trace

WIDE = 5
"""So many messages that play the same part are shown one by one; more are a crowd."""


def parts_of(trace: Trace) -> dict[str, int]:
    """Number the parts that messages play: equal for those that only their ids tell apart.

    Goes outwards from the message asked for. A step's part is its properties and the parts of
    its neighbours on the inner side, so what leads to a flagged message stays apart.
    """
    up = trace.direction == "up"
    inner = _children(trace) if up else {step.uid: step.parents for step in trace.steps}
    numbers: dict[object, int] = {}
    parts: dict[str, int] = {}
    for step in reversed(trace.steps) if up else trace.steps:
        alone = step.uid if _stands_out(step) or step.uid == trace.uid else None
        around = frozenset(parts[uid] for uid in inner[step.uid] if uid in parts)
        key = (alone, _kind(step), around)
        parts[step.uid] = numbers.setdefault(key, len(numbers))
    return parts


def _stands_out(step: Step) -> bool:
    return bool(step.findings or step.supersedes or step.superseded_by)


def _kind(step: Step) -> tuple[object, ...]:
    made = (step.worker, step.worker_version, step.schema_name, step.schema_version)
    return (step.stream, *made, step.tenant, step.classification)


def _children(trace: Trace) -> dict[str, list[str]]:
    children: dict[str, list[str]] = {step.uid: [] for step in trace.steps}
    for step in trace.steps:
        for parent in step.parents:
            children[parent].append(step.uid)
    return children
