"""Numbers, spans, dates and ids that nobody can mean: a sentence and an exit code."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.exceptions import TyperException
from typer.main import get_command
from typer.testing import CliRunner, Result

from lineage.store import open_store
from supervisor.baseline_traffic import start_ms
from supervisor.baselines import By
from supervisor.cli import app
from supervisor.exits import Exit
from supervisor.lookup import is_uid
from supervisor.moments import moment_ms, seconds_of
from tests.servers.command import in_words
from tests.servers.lineage_story import LAYERS, READING, story
from tests.servers.pipeline import topology_from
from tests.unit.supervisor.extremes import BEYOND, CENTURIES, EXTREMES, LONG, TREE, Empty

STARTING = ("up", "demo", "restart", "scale", "baseline set", "baseline diff", "publish")
"""They start a process, ask a running one, or need a server that can do more than hold nothing."""

NAMING = ("render kubernetes", "render systemd", "render compose", "schema show")
"""They take names alone: no count, id, span or date."""

BASES = {
    "tail": "IN",
    "explain": "ODD",
    "quarantine show": "1-0",
    "dead show": "1-0",
    "quarantine release": "1-0",
    "dead release": "1-0",
    "lineage trace": READING,
    "lineage graph": READING,
    "lineage cause": READING,
    "lineage audit": READING,
    "lineage consumers": READING,
    "lineage shared": "--since 1h",
    "lineage cypher": "RETURN",
    "lineage hold": READING,
    "lineage release": READING,
    "lineage retain": "--age 30d --dry-run",
    "lineage export": "openlineage",
    "replay": "--worker nobody",
    "rehearse": "--config streams.yaml",
    "top": "--once",
    "bench-detectors": "IN",
    "baseline show": "OK",
    "baseline freeze": "OK",
    "baseline reset": "OK",
}
"""What a verb needs besides the option that is tried."""


def _walked(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for name, each in getattr(command, "commands", {}).items():
        yield from _walked(each, (*path, name))
    if path and not hasattr(command, "commands"):
        yield " ".join(path), command


def _texts(verb: Any) -> list[Any]:
    """Its arguments and options that take text or a number, and name no file."""
    return [
        each
        for each in verb.params
        if not getattr(each, "is_flag", False)
        and any(word in str(each.type_descriptor.annotation) for word in ("str", "int", "float"))
    ]


COMMAND: Any = get_command(app)
VERBS = {name: verb for name, verb in _walked(COMMAND) if _texts(verb)}
ARGUMENTS = tuple(each for each in EXTREMES if each != "\0")  # no process can be given one


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("extremes")
    topology_from(TREE, made)
    with open_store(f"sqlite:{made}/lineage.db", LAYERS) as store:
        store.write(story())
    return made


@pytest.fixture(autouse=True)
def environment(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PENSTOCK_DATA_DIR", str(folder))
    monkeypatch.delenv("PENSTOCK_NEO4J_URI", raising=False)
    monkeypatch.setattr("supervisor.context.Context.client", lambda _: Empty())
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO()))
    monkeypatch.setattr("supervisor.commands.top.time.sleep", lambda _: None)


def called(*words: str) -> Result:
    return CliRunner().invoke(app, words)


def with_extreme(name: str, taken: Any, extreme: str) -> list[str]:
    base = BASES.get(name, "").split()
    if not taken.opts[0].startswith("-"):
        return [*name.split(), extreme, *(word for word in base if "-" in word[:1])]
    return [*name.split(), *base, f"{max(taken.opts, key=len)}={extreme}"]


@pytest.mark.parametrize("name", [name for name in VERBS if name not in (*STARTING, *NAMING)])
def test_no_value_of_an_option_ends_in_a_traceback(name: str) -> None:
    for taken in _texts(VERBS[name]):
        for extreme in (*ARGUMENTS, "\udcff"):
            words = with_extreme(name, taken, extreme)
            try:
                code = COMMAND.main(words, prog_name="penstock", standalone_mode=False)
            except TyperException:
                code = Exit.USAGE
            assert code in {None, *Exit}, words


A_CENTURY = "a century (36500d) is the most"


@pytest.mark.parametrize(
    ("words", "value", "said"),
    [
        ("lineage findings --since", CENTURIES, A_CENTURY),
        ("lineage taint --since", CENTURIES, A_CENTURY),
        ("lineage findings --until", f"{LONG}h", A_CENTURY),
        ("replay --since", CENTURIES, A_CENTURY),
        ("rehearse --config streams.yaml --since", f"{LONG}h", A_CENTURY),
        ("rehearse --config streams.yaml --warm-up", f"{LONG}h", A_CENTURY),
        ("lineage retain --dry-run --age", CENTURIES, A_CENTURY),
        ("lineage retain --dry-run --layer", f"3={CENTURIES}", A_CENTURY),
        ("lineage retain --dry-run --layer", f"{LONG}=1d", "write 3=7d or 9=ever"),
        ("bench-detectors OK --since", CENTURIES, A_CENTURY),
        ("bench-detectors OK --alarms-per-day", "inf", "less than or equal to"),
        ("bench-detectors OK --messages-per-day", "inf", "less than or equal to"),
        ("top --every", CENTURIES, A_CENTURY),
        ("lineage cypher RETURN --timeout-s", "1e300", "less than or equal to 86400"),
        ("tail IN -n", str(2**63), "less than or equal to 1000000000"),
        ("alerts -n", str(2**63), "less than or equal to 1000000000"),
        ("quarantine list -n", str(2**63), "less than or equal to 1000000000"),
        ("replay --before", str(2**64), "less than or equal to 1000000000"),
        ("explain", f"ODD/{BEYOND}-0", "is no uid"),
        ("lineage trace", f"L3/1-{BEYOND}", "is no uid"),
        ("lineage trace", "L3/१-१", "is no uid"),
        ("lineage taint --worker", "\udcff", "holds bytes that are no UTF-8"),
        ("baseline freeze OK --note", "x" * 1025, "at most 1,024 characters"),
    ],
)
def test_a_value_that_nobody_can_mean_is_a_mistake_in_the_command(
    words: str, value: str, said: str
) -> None:
    found = called(*words.split(), value)
    assert found.exit_code == Exit.USAGE, found.exception or found.output
    assert said in in_words(found)


@given(st.text() | st.from_regex(r"[0-9]{1,400}(\.[0-9]{1,400})?(ms|s|m|h|d)"))
def test_a_time_is_one_that_a_store_can_hold_or_is_refused(text: str) -> None:
    try:
        at_ms = moment_ms(text, 1.8e9)
    except typer.BadParameter:
        return
    assert -(2**63) <= at_ms < 2**63


@given(st.text() | st.from_regex(r"[0-9]{1,400}(ms|s|m|h|d)"))
def test_a_span_is_at_most_a_century_or_is_refused(text: str) -> None:
    try:
        span_s = seconds_of(text)
    except typer.BadParameter:
        return
    assert 0.0 <= span_s <= 3.2e9


@given(st.text() | st.from_regex(r"[^/\s]{1,3}/[0-9]{1,30}-[0-9]{1,30}", fullmatch=True))
def test_a_uid_is_one_whose_id_a_server_takes(text: str) -> None:
    if is_uid(text):
        stream, _, entry_id = text.rpartition("/")
        assert stream
        assert all(0 <= int(part) < 2**64 for part in entry_id.split("-"))
        assert start_ms(text, 0) < 2**64


def test_a_span_of_a_century_still_means_everything() -> None:
    assert seconds_of("36500d") == 36_500 * 86_400.0
    assert moment_ms("36500d", 1.8e9) < 0


def test_the_largest_id_that_a_server_takes_is_one() -> None:
    last = 2**64 - 1
    assert is_uid(f"L3/{last}-{last}")
    assert not is_uid(f"L3/{last + 1}-0")


@pytest.mark.parametrize("since", [CENTURIES, f"{LONG}h", f"OK/{BEYOND}-0", f"OK/{LONG}-0", "OK/1"])
def test_a_baseline_begins_at_a_span_or_a_message(since: str) -> None:
    with pytest.raises(typer.BadParameter, match="or give a message's uid"):
        start_ms(since, 10_000)


def test_a_note_is_at_most_a_line() -> None:
    assert By("me", 1, "x" * 1024).note
    with pytest.raises(typer.BadParameter, match="1,024"):
        By("me", 1, "x" * 1025)
