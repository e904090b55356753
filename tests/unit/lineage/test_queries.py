"""The files of named queries and the reader of them."""

import re

import pytest

from lineage.errors import QueryError
from lineage.model import DEPTH
from lineage.queries import Queries, Query, parse

SQL = Queries.load("questions/*.sql")
CYPHER = Queries.load("questions/*.cypher")


def test_both_stores_know_the_same_queries() -> None:
    assert SQL.names == CYPHER.names
    for name in SQL.names:
        assert SQL[name].parameters.keys() == CYPHER[name].parameters.keys()
        assert SQL[name].about == CYPHER[name].about != ""


@pytest.mark.parametrize("name", SQL.names)
def test_a_query_uses_the_parameters_it_declares(name: str) -> None:
    for queries, sigil in ((SQL, ":"), (CYPHER, r"\$")):
        query = queries[name]
        text = re.sub(r"'[^']*'", "", query.text)
        used = set(re.findall(rf"(?<![\w\)\]:]){sigil}([a-z]+)", text))
        assert used == set(query.parameters)


def test_every_bound_on_depth_is_the_models() -> None:
    texts = [queries[name].text for queries in (SQL, CYPHER) for name in queries.names]
    bounds = [found for text in texts for found in re.findall(r"(?:\*0\.\.|hops < )(\d+)", text)]
    assert len(bounds) > 10
    assert set(bounds) == {str(DEPTH)}


def test_what_stands_before_the_first_section_is_for_readers() -> None:
    assert parse("-- Just words\n") == []


def test_a_section_ends_where_the_next_begins() -> None:
    first, second = parse('// name: a(x, y="z")\n// One.\n// Two.\nMATCH\n// name: b()\nRETURN 1')
    assert (first.about, first.text) == ("One. Two.", "MATCH")
    assert first.bind({"x": 1}) == {"x": 1, "y": "z"}
    assert second == Query("b", "RETURN 1")


def test_a_part_stands_where_it_is_included_with_the_parts_in_it() -> None:
    text = "-- part: a\n-- About.\nA\n-- include: b\n-- part: b\nB\n"
    (query,) = parse(text + "-- name: q()\n-- What.\nWITH\n-- include: a,\nSELECT 1;")
    assert (query.text, query.about) == ("WITH\nA\nB,\nSELECT 1;", "What.")


def test_a_part_that_is_not_there_is_refused() -> None:
    with pytest.raises(QueryError, match=r"the part 'upp'; did you mean 'up'\?"):
        parse("-- part: up\nA\n-- name: q()\n-- include: upp\n")


def test_a_missing_parameter_is_named() -> None:
    with pytest.raises(QueryError, match="query 'trace_up' needs the parameter 'uid'"):
        SQL["trace_up"].bind({})


def test_an_unknown_parameter_is_refused_with_those_there_are() -> None:
    with pytest.raises(QueryError, match="no parameter 'zzz'; takes uid, limit"):
        SQL["trace_up"].bind({"zzz": 1})
    with pytest.raises(QueryError, match="no parameter 'zzz'; takes none"):
        SQL["counts"].bind({"zzz": 1})


def test_a_name_like_no_other_is_refused_with_those_there_are() -> None:
    with pytest.raises(QueryError, match="named 'zzz'; there are shared_root_cause, findings"):
        SQL["zzz"]
