"""Answers of the provenance graph on a terminal: a table, then a sentence where a bound cut it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import typer

from lineage.answers import Answer
from supervisor.grid import Column, Grid
from supervisor.tables import console, folded, local_time, printable

_HIDDEN = frozenset({"lane", "deepest", "worker_kind", "worker_version", "schema_version"})
_IN_UID = frozenset({"stream", "activity", "producer_id"})  # --json has them
_TITLES = {
    "uid": "message",
    "ts": "time",
    "at_ms": "committed",
    "first_ts": "first",
    "last_ts": "last",
    "first_ms": "first",
    "last_ms": "last",
    "schema_name": "schema",
}
_WHERE_ROOM_IS_SHORT = (
    "summary", "run", "flagged", "host", "at_ms", "detector", "schema_name", "first_ts",
    "first_ms", "example", "classification", "violation", "findings", "source", "hops", "layer",
)  # fmt: skip
"""The columns that are told beneath a row where a screen is narrow, first those that go first."""


def show(answer: Answer, *, as_json: bool) -> None:
    """Print an answer: one JSON object, or a table."""
    if as_json:
        typer.echo(answer.to_json())
        return
    if answer.query == "incidents":
        tell(printable(_incident(row)) for row in answer.rows)
    elif answer.rows:
        _print_table(answer.rows)
    if not answer.rows:
        typer.echo("Nothing found.", err=True)
    for sentence in answer.cut:
        typer.echo(f"… {sentence}.", err=True)


def tell(lines: Iterable[str]) -> None:
    """Print lines, folded where somebody looks at a screen."""
    width = console(whole=True).width
    for line in lines:
        typer.echo(folded(line, width))


def _print_table(rows: Sequence[Mapping[str, Any]]) -> None:
    hidden = _HIDDEN | _IN_UID if "uid" in rows[0] else _HIDDEN
    columns = [name for name in rows[0] if name not in hidden and any(row[name] for row in rows)]
    titles = [_TITLES.get(name, name.replace("_", " ")) for name in columns]
    cells = [[printable(_cell(name, row)) for name in columns] for row in rows]
    screen = console(whole=True)
    ranks = map(_rank, columns, range(len(columns)))
    Grid(list(map(Column, titles, ranks)), cells, screen.width).show(screen)


def _rank(name: str, position: int) -> int:
    """When a column goes: those that are known for it first, then from the right; a uid never."""
    if name == "uid":
        return 0
    if name in _WHERE_ROOM_IS_SHORT:
        return 1_000 - _WHERE_ROOM_IS_SHORT.index(name)
    return position


def _cell(name: str, row: Mapping[str, Any]) -> str:
    value = row[name]
    if value is None:
        return ""
    if name == "worker" and row.get("worker_version"):
        return f"{value} {row['worker_version']}"
    if name == "schema_name" and row.get("schema_version"):
        return f"{value}@{row['schema_version']}"
    if name in ("ts", "at_ms") or name.endswith(("_ts", "_ms")):
        return local_time(value)
    return _words(value)


def _incident(row: Mapping[str, Any]) -> str:
    """One line: since when, how grave, what was found, from which cause by which way, and first."""
    kinds = ", ".join(_counted(kind, count) for kind, count in row["kinds"].items())
    way = " → ".join(row["path"]) or row["cause"]
    grave = row["severity"] or "-"
    return f"{local_time(row['first_ts'])}  {grave:8}  {kinds}  {way}  {row['findings'][0]}"


def _counted(kind: str, count: int) -> str:
    """A number of findings.

    >>> _counted("anomaly", 2), _counted("dead_letter", 1)
    ('2 anomalies', '1 dead letter')
    """
    word = kind.replace("_", " ")
    many = f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"
    return f"{count} {word if count == 1 else many}"


def _words(value: Any) -> str:
    """A value in words: the first of a list; of a finding its kind; else as JSON."""
    if isinstance(value, list | tuple):
        more = f" and {len(value) - 1} more" if len(value) > 1 else ""
        return _words(value[0]) + more if value else ""
    if isinstance(value, Mapping):
        found = value.keys() == {"kind", "uid"}
        return str(value["kind"]) if found else json.dumps(value, ensure_ascii=False)
    return str(value)
