"""The wire form of a lineage record: the two fields of an entry of the ``LINEAGE`` stream."""

import re

from pydantic import ValidationError

from lineage.errors import RecordError
from schemas.lineage_record import LineageOutput, LineageRecord

NOT_EMITTED = "-"
"""Stands for the entry id of an output whose input another worker had settled."""

_ENTRY_ID = re.compile(r"\d{1,20}-\d{1,20}", re.ASCII)


def decode(data: bytes, ids: bytes) -> tuple[LineageRecord, tuple[str | None, ...]]:
    """Read the fields ``data`` (a :class:`LineageRecord` as JSON) and ``ids`` of an entry.

    ``ids`` holds one word an output, in order, separated by blanks: the entry id that the
    server chose, or ``-`` for an output that was not emitted, which becomes None.

    Raises :class:`RecordError` when ``data`` is no record, when a word is no entry id, or when
    there are not as many words as outputs. The record that is returned lists each output by
    itself, none of them as ``alike``.
    """
    record = _apart(_record(data))
    words = ids.decode("utf-8", errors="replace").split()
    if len(words) != len(record.outputs):
        raise RecordError(
            f"a lineage record of worker {record.worker!r} has {len(record.outputs)} outputs but "
            f"{len(words)} entry ids; the commit script writes one an output, so the entry was "
            "changed, or written by something else"
        )
    return record, tuple(_entry_id(word, record) for word in words)


def _record(data: bytes) -> LineageRecord:
    try:
        return LineageRecord.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise RecordError(
            f"an entry of the lineage stream is no lineage record: {where}: {first['msg']} "
            f"({error.error_count()} errors); was it written by another version of Penstock?"
        ) from error


def _apart(record: LineageRecord) -> LineageRecord:
    """The record with every output by itself."""
    if not any(output.alike for output in record.outputs):
        return record
    found: list[LineageOutput] = []
    for output in record.outputs:
        told = {**output.__dict__, "alike": ()}
        found += [
            LineageOutput.model_construct(**{**told, "parents": parents})
            for parents in (output.parents, *output.alike)
        ]
    return LineageRecord.model_construct(**{**record.__dict__, "outputs": tuple(found)})


def _entry_id(word: str, record: LineageRecord) -> str | None:
    if word == NOT_EMITTED:
        return None
    if _ENTRY_ID.fullmatch(word):
        return word
    raise RecordError(
        f"a lineage record of worker {record.worker!r} names {word[:64]!r} as an output's entry "
        f"id; entry ids look like 1732100000000-0, or {NOT_EMITTED!r} where nothing was emitted"
    )
