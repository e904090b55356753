"""``penstock lineage cypher``: any question, in Neo4j's own language, reading only."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from supervisor.lineage_options import ROWS, AsJson, Limit


def register(family: typer.Typer) -> None:
    """Add the verb to the family."""
    family.command()(cypher)


def cypher(
    statement: Annotated[str, typer.Argument(help="Such as 'MATCH (f:Finding) RETURN f'.")],
    given: Annotated[
        list[str] | None,
        typer.Option("--param", "-p", help="name=value, for $name; JSON, else text."),
    ] = None,
    timeout_s: Annotated[
        float,
        typer.Option("--timeout-s", min=0.001, max=86_400.0, help="Longest run of the statement."),
    ] = 30.0,
    limit: Limit = ROWS,
    as_json: AsJson = False,
) -> None:
    """Ask Neo4j in Cypher, in a transaction that may only read; the server refuses to write.

    The nodes and edges are listed in docs/lineage.md. The embedded store has no Cypher.

    Example: penstock lineage cypher 'MATCH (a:Activity) RETURN a.worker, count(*) AS commits'
    """
    from lineage.answers import answer
    from lineage.errors import QueryError
    from lineage.settings import LineageSettings
    from lineage.store import SQLITE_SCHEME
    from supervisor.lineage_show import show

    settings = LineageSettings().store()
    parameters = _parameters(given or [])
    if settings.scheme == SQLITE_SCHEME:
        raise QueryError(
            "the embedded store has no Cypher; set PENSTOCK_NEO4J_URI, or ask one of the "
            "questions of 'penstock lineage --help'"
        )
    from lineage.read_only import ReadOnlyNeo4j

    with ReadOnlyNeo4j(settings, {}) as store:
        rows = store.cypher(statement, parameters, limit + 1, timeout_s)
    show(answer("cypher", rows, limit), as_json=as_json)


def _parameters(given: Sequence[str]) -> dict[str, Any]:
    """Names and values of ``name=value``.

    Raises typer.BadParameter for one without a name or a sign of equality.
    """
    import json

    found: dict[str, Any] = {}
    for word in given:
        name, equals, value = word.partition("=")
        if not (name and equals):
            raise typer.BadParameter(f"{word!r} is no parameter; write name=value")
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    return found
