"""``penstock publish``: from the command line, from a file, from standard input."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from schemas.topology import Topology
from streams.connection import Client
from streams.observe import find
from supervisor.progress import Told
from tests.servers.command import Penstock, in_words, lines
from tests.servers.pipeline import all_entries, reading

GOOD = reading().decode()


def test_publishing_twice_with_an_id_yields_one_message(
    client: Client, topology: Topology, penstock: Penstock
) -> None:
    call = ("publish", "IN", "--data", GOOD, "--id", "m-1", "--source", "me", "--subject", "s1")
    [first], [again] = lines(penstock(*call, "--json")), lines(penstock(*call, "--json"))
    assert again == {"uid": first["uid"], "duplicate": True}
    assert "(published before)" in penstock(*call).stdout
    entry = find(client, first["uid"])
    assert entry is not None
    assert (entry.get(b"source"), entry.get(b"subject")) == (b"me", b"s1")


def test_lines_come_from_standard_input_and_blank_ones_are_left_out(
    client: Client, topology: Topology, penstock: Penstock
) -> None:
    found = penstock("publish", "IN", "-", stdin=b"{}\n\n \n[1]\n\xff\n")
    assert len(found.stdout.splitlines()) == 3
    assert [e.get(b"data") for e in all_entries(client, topology, "IN")] == [b"{}", b"[1]", b"\xff"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["OK", "--data", "{}"], "the sources are IN"),
        (["INN", "--data", "{}"], "did you mean 'IN'"),
        (["IN"], "give the messages once"),
        (["IN", "-", "--data", "{}"], "give the messages once"),
        (["IN", "-", "--id", "m-1"], "goes with --data"),
    ],
)
def test_a_mistaken_publish_is_answered(
    arguments: list[str], said: str, penstock: Penstock
) -> None:
    found = penstock("publish", *arguments, stdin="")
    assert found.exit_code == 2
    assert said in in_words(found)


def test_a_line_that_is_too_large_is_named_and_a_missing_file_too(
    penstock: Penstock, tmp_path: Path
) -> None:
    found = penstock("publish", "IN", "-", stdin="{}\n" + "x" * 2_000_000)
    assert found.exit_code == 1
    assert "nothing was published of line 1 to 2" in found.stderr
    assert penstock("publish", "IN", str(tmp_path / "none.jsonl")).exit_code == 1


def test_how_many_are_published_is_shown_meanwhile(
    penstock: Penstock, topology: Topology, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[tuple[int, str]] = []

    @contextmanager
    def progress(begun: str) -> Iterator[Told]:
        yield lambda done, _, what: shown.append((done, what))

    monkeypatch.setattr("supervisor.progress.progress", progress)
    assert penstock("publish", "IN", "-", stdin="\n".join([GOOD] * 450)).exit_code == 0
    assert shown == [(200, "publishing"), (400, "publishing"), (450, "publishing")]
