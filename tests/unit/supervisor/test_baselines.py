"""What may be done to baselines, and what a target, a time and a bar look like."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer
from typer.testing import CliRunner

from schemas.baseline import Baseline, FieldBaseline
from schemas.topology import Topology
from supervisor.baseline_traffic import patterns_of, start_ms
from supervisor.baselines import (
    BaselineRefused,
    By,
    Target,
    after_freeze,
    after_reset,
    after_set,
    built,
    target,
)
from supervisor.cli import app
from supervisor.exits import Exit
from supervisor.histogram import bar, histogram
from tests.servers.pipeline import SMALL

BY = By("me@1", 18, "why not")
WHOLE, ONE = Target("OK", None), Target("OK", "x")


def fresh(*names: str) -> dict[str, FieldBaseline]:
    found = {name: {"size": 3, "sketch": "AA=="} for name in names}
    return built(found, "OK/1-0", "OK/9-0")


def first() -> Baseline:
    return after_set(None, WHOLE, fresh("x", "y"), BY)


def test_versions_count_and_say_who_did_what_and_why() -> None:
    one = first()
    two = after_set(one, ONE, fresh("x"), BY)
    assert (one.version, two.version, two.changed, two.note) == (1, 2, ("x",), "why not")
    assert {name: field.set_in for name, field in two.fields.items()} == {"x": 2, "y": 1}


def test_what_is_frozen_stays_until_it_is_thawed() -> None:
    frozen = after_freeze(first(), ONE, BY, frozen=True)
    assert (frozen.change, frozen.changed) == ("freeze", ("x",))
    with pytest.raises(BaselineRefused, match=r"freeze --undo OK\.x"):
        after_set(frozen, ONE, fresh("x"), BY)
    with pytest.raises(BaselineRefused, match="x is frozen"):
        after_reset(frozen, WHOLE, BY)
    with pytest.raises(BaselineRefused, match="x is frozen"):
        after_set(frozen, WHOLE, fresh("x"), BY)
    others = after_set(frozen, WHOLE, fresh("x", "y"), BY)
    assert others.changed == ("y",)
    assert others.fields["x"].frozen
    thawed = after_freeze(others, ONE, BY, frozen=False)
    assert thawed.change == "thaw"
    assert list(after_reset(thawed, ONE, BY).fields) == ["y"]


@pytest.mark.parametrize(
    ("before", "where", "said"),
    [
        (None, WHOLE, "'penstock baseline set OK' makes one"),
        (first(), Target("OK", "yy"), "did you mean 'y'"),
        (after_reset(first(), WHOLE, BY), WHOLE, "OK has no baseline"),
    ],
)
def test_what_has_no_baseline_is_refused(before: Baseline | None, where: Target, said: str) -> None:
    with pytest.raises(BaselineRefused, match=said):
        after_reset(before, where, BY)
    with pytest.raises(BaselineRefused, match=said):
        after_freeze(before, where, BY, frozen=True)


def topology(**watched: dict[str, object]) -> Topology:
    workers = {
        name: {"kind": "drift", "watch": {"OK": look}, "writes": "BAD"}
        for name, look in watched.items()
    }
    streams = SMALL["streams"] | {"OK.more": SMALL["streams"]["OK"]}
    return Topology.model_validate(
        SMALL | {"streams": streams, "workers": SMALL["workers"] | workers}
    )


def test_a_target_is_a_stream_or_a_field_of_the_longest_one_that_fits() -> None:
    known = topology()
    assert target(known, "OK") == WHOLE
    assert target(known, "OK.measurements.x") == Target("OK", "measurements.x")
    assert target(known, "OK.more") == Target("OK.more", None)
    assert target(known, "OK.more.x") == Target("OK.more", "x")
    assert str(target(known, "OK.more.x")) == "OK.more.x"
    with pytest.raises(typer.BadParameter, match=r"no stream 'KO\.x'"):
        target(known, "KO.x")


def test_a_whole_stream_means_the_fields_that_workers_watch() -> None:
    assert patterns_of(topology(), "OK") == []
    assert patterns_of(topology(one={"fields": ["a"]}, two={"fields": ["b", "a"]}), "OK") == [
        *("a", "b"),
    ]
    assert patterns_of(topology(one={"fields": ["a"]}, two={}), "OK") == []


def test_since_is_a_span_back_or_a_message() -> None:
    assert start_ms(None, 10_000_000) == 0
    assert start_ms("2h", 10_000_000) == 2_800_000
    assert start_ms("1d", 10_000) == 0
    assert start_ms("OK{1}/17-3", 10_000) == 17
    for wrong in ("soon", "OK/x-1", ""):
        with pytest.raises(typer.BadParameter, match="give a message's uid"):
            start_ms(wrong, 0)


def test_a_bar_shows_whatever_is_not_nothing() -> None:
    assert [bar(share, 4) for share in (0.0, 1e-9, 0.25, 1.0)] == ["", "▏", "█", "████"]
    assert list(histogram([2.0, 2.0], [1.0], width=2)) == ["2  100.0 %  ██"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("show OK --history", Exit.OK, "version"),
        ("show OK", Exit.FAILED, "OK has no baseline"),
        ("diff OK", Exit.FAILED, "OK has no baseline"),
        ("reset OK", Exit.TOPOLOGY, "nowhere_at_all"),
    ],
)
def test_who_only_looks_needs_nothing_of_the_authors_modules(
    words: str, code: Exit, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    streams = SMALL["streams"] | {
        "MORE": {"schema": "nowhere_at_all:Schema", "source": True, "sink": True}
    }
    tree = SMALL | {"streams": streams}
    config = tmp_path / "streams.yaml"
    config.write_text(json.dumps(tree))
    nothing = SimpleNamespace(execute_command=lambda *_: [])
    monkeypatch.setattr("supervisor.context.Context.client", lambda _: nothing)
    found = CliRunner().invoke(app, ["--config", str(config), "baseline", *words.split()])
    assert (found.exit_code, said in found.output) == (code, True), found.output
