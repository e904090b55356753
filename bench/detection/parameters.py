"""A detector's settings as a table: the unit, the default and the range of each parameter."""

from collections.abc import Iterator
from typing import Any

from bench.detection.catalog import settings_of
from bench.detection.units import unit

_BOUNDS = (
    ("minimum", "≥ "),
    ("exclusiveMinimum", "> "),
    ("maximum", "≤ "),
    ("exclusiveMaximum", "< "),
)


def parameters(detector: Any, *, of_drift: bool) -> str:
    """Return the table as Markdown."""
    schema = settings_of(detector.kind).model_json_schema()
    lines = ["| parameter | meaning | unit | default | range |", "| --- | --- | --- | --- | --- |"]
    for name, field in schema["properties"].items():
        cells = [
            f"`{name}`",
            str(field["description"]).replace("|", "\\|"),
            unit(detector.kind, name, of_drift=of_drift),
            _default(field.get("default")),
            ", ".join(_range(field)),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _default(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    return (
        f"{value:,}"
        if isinstance(value, int)
        else f"{value:g}"
        if isinstance(value, float)
        else str(value)
    )


def _range(field: dict[str, Any]) -> Iterator[str]:
    for branch in field.get("anyOf", ()):
        yield from _range(branch)
    if field.get("type") == "boolean" and "const" not in field:
        yield "true or false"
    if "const" in field:
        yield _default(field["const"])
    if "enum" in field:
        yield " or ".join(map(str, field["enum"]))
    if field.get("type") == "object":
        yield "of each field a lower and an upper one, or null"
    if field.get("type") == "null":
        yield "or none"
    yield from (f"{sign}{_bound(field[key])}" for key, sign in _BOUNDS if key in field)


def _bound(value: float) -> str:
    return f"{int(value):,}" if value == int(value) and value < 1e7 else f"{value:g}"
