"""What may be done to a stream's baselines: set, freeze, thaw, reset. Pure: no server, no clock."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import typer
from pydantic import TypeAdapter, ValidationError

from schemas.baseline import Baseline, Change, FieldBaseline
from schemas.model import Line
from schemas.topology import Topology
from schemas.topology_graph import did_you_mean
from supervisor.errors import SupervisorError
from supervisor.lookup import known_stream

_LINE = TypeAdapter(Line)


class BaselineRefused(SupervisorError):
    """A change that cannot be made: a frozen baseline, or one that does not exist."""


@dataclass(frozen=True, slots=True)
class Target:
    """A stream, and one of its fields or all of them (None)."""

    stream: str
    field: str | None

    def __str__(self) -> str:
        """As it is typed."""
        return self.stream if self.field is None else f"{self.stream}.{self.field}"


@dataclass(frozen=True, slots=True)
class By:
    """Who makes a change, when, and why. Raises typer.BadParameter for a note that is too long."""

    who: str
    at_ms: int
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse a note that cannot be kept."""
        try:
            _LINE.validate_python(self.note)
        except ValidationError as error:
            raise typer.BadParameter("a note is a text of at most 1,024 characters") from error


def target(topology: Topology, text: str) -> Target:
    """Take ``STREAM`` or ``STREAM.field`` apart; of several streams the longest name counts.

    Raises typer.BadParameter for a stream that the topology does not have.
    """
    fitting = [name for name in topology.streams if text.startswith(f"{name}.")]
    if text in topology.streams or not fitting:
        return Target(known_stream(topology, text), None)
    stream = max(fitting, key=len)
    return Target(stream, text.removeprefix(f"{stream}."))


def built(
    found: Mapping[str, Mapping[str, Any]], first: str, last: str
) -> dict[str, FieldBaseline]:
    """Baselines from what ``workers.baselines`` built of the traffic between two messages."""
    return {
        name: FieldBaseline(first=first, last=last, set_in=1, **told)
        for name, told in found.items()
    }


def after_set(
    before: Baseline | None, where: Target, fresh: Mapping[str, FieldBaseline], by: By
) -> Baseline:
    """The version with the fields in ``fresh`` set anew; raises BaselineRefused for a frozen one.

    With a whole stream as the target, frozen fields stay as they are and the others are set.
    """
    fields = dict(before.fields) if before else {}
    frozen = {name for name in fresh if name in fields and fields[name].frozen}
    chosen = {name: fresh[name] for name in fresh if name not in frozen}
    if frozen and (where.field is not None or not chosen):
        raise _frozen(where, frozen)
    return _next(before, where, "set", by, fields | chosen, chosen)


def after_freeze(before: Baseline | None, where: Target, by: By, *, frozen: bool) -> Baseline:
    """The version with fields protected, or released from protection.

    Raises BaselineRefused where there is no baseline.
    """
    known = known_fields(before, where)
    changed = {name: known[name].model_copy(update={"frozen": frozen}) for name in known}
    assert before is not None
    change: Change = "freeze" if frozen else "thaw"
    return _next(before, where, change, by, {**before.fields, **changed}, changed)


def after_reset(before: Baseline | None, where: Target, by: By) -> Baseline:
    """The version without these fields.

    Raises BaselineRefused where there is no baseline, and for one that is frozen.
    """
    known = known_fields(before, where)
    frozen = {name for name in known if known[name].frozen}
    if frozen:
        raise _frozen(where, frozen)
    assert before is not None
    left = {name: field for name, field in before.fields.items() if name not in known}
    return _next(before, where, "reset", by, left, known)


def known_fields(before: Baseline | None, where: Target) -> dict[str, FieldBaseline]:
    """The fields with a baseline that a target names; raises BaselineRefused where none has one."""
    fields = before.fields if before else {}
    if where.field is None and fields:
        return dict(fields)
    if where.field is not None and where.field in fields:
        return {where.field: fields[where.field]}
    near = did_you_mean(where.field or "", fields)
    hint = near or f"; 'penstock baseline set {where}' makes one"
    raise BaselineRefused(f"{where} has no baseline{hint}")


def _frozen(where: Target, names: set[str]) -> BaselineRefused:
    several = ", ".join(sorted(names))
    return BaselineRefused(
        f"the baseline of {several} is frozen; release it with "
        f"'penstock baseline freeze --undo {where}' first"
    )


def _next(
    before: Baseline | None,
    where: Target,
    change: Change,
    by: By,
    fields: Mapping[str, FieldBaseline],
    changed: Mapping[str, FieldBaseline],
) -> Baseline:
    version = before.version + 1 if before else 1
    anew = changed if change == "set" else ()
    return Baseline(
        stream=where.stream,
        version=version,
        change=change,
        changed=tuple(sorted(changed)),
        by=by.who,
        at_ms=by.at_ms,
        note=by.note,
        fields={
            name: field.model_copy(update={"set_in": version}) if name in anew else field
            for name, field in fields.items()
        },
    )
