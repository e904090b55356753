"""A trace as lines of text, for a terminal or a report. No colours, no control characters."""

from collections import Counter
from collections.abc import Iterator, Sequence

from lineage.crowds import WIDE, parts_of
from lineage.trace import Found, Step, Trace

SHOWN = 3
"""How many of a crowd are shown before the rest is counted."""


def render_text(trace: Trace) -> str:
    """Write a trace as text: a line a message, the source first.

    A line says which message, what made it and as which schema, for which tenant and under which
    classification, from which messages, what was found about it, and whose place it took or what
    took its place. Messages that play the same part in the history (the window that a forecast was
    made from) are counted, not listed, when there are more than :data:`WIDE`; a message that is
    flagged or took another's place, and its history, are always listed.
    """
    parts = parts_of(trace)
    crowds = Counter(parts.values())
    seen: Counter[int] = Counter()
    lines = []
    for step in trace.steps:
        part = parts[step.uid]
        seen[part] += 1
        if crowds[part] <= WIDE or seen[part] <= SHOWN:
            lines.append(describe(step))
        if crowds[part] > WIDE and seen[part] == SHOWN:
            lines.append(f"… and {crowds[part] - SHOWN} more of {step.stream}")
    if trace.truncated:
        lines.append(
            f"… there is more; these are the {len(trace.steps)} messages nearest to {trace.uid}"
        )
    return "\n".join(printable(line) for line in lines)


def describe(step: Step) -> str:
    """Write all that is known of a message on one line."""
    return "  ".join(part for part in _words(step) if part)


def _words(step: Step) -> Iterator[str]:
    yield step.uid
    yield made_by(step)
    yield " ".join(word for word in (step.tenant, step.classification) if word)
    yield _from(step.parents)
    yield " ".join(finding_words(found) for found in step.findings)
    yield f"supersedes {', '.join(step.supersedes)}" if step.supersedes else ""
    yield f"superseded by {', '.join(step.superseded_by)}" if step.superseded_by else ""


def made_by(step: Step) -> str:
    """Say what made a message, or who published it."""
    if step.worker is None:
        if step.source is None and step.producer_id is None:
            return "no record of what made it"
        its_id = f" (id {step.producer_id})" if step.producer_id else ""
        return f"published by {step.source or 'a producer without a name'}{its_id}"
    schema = f" as {step.schema_name}@{step.schema_version}" if step.schema_name else ""
    return f"made by {step.worker} ({step.worker_kind} {step.worker_version}){schema}"


def _from(parents: Sequence[str]) -> str:
    if not parents:
        return ""
    shown = parents if len(parents) <= WIDE else parents[:SHOWN]
    more = f" and {len(parents) - SHOWN} more" if len(parents) > WIDE else ""
    return f"from {', '.join(shown)}{more}"


def finding_words(found: Found) -> str:
    """Write a finding in brackets: kind, severity, uid and summary."""
    words = (found.kind, found.severity, found.uid)
    summary = f": {found.summary}" if found.summary else ""
    return f"[{' '.join(word for word in words if word)}{summary}]"


def printable(line: str) -> str:
    """Replace what a producer's name could do to a terminal."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in line)
