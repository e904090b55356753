"""How far a run came, written down so that the next can go on."""

from pathlib import Path
from typing import Any

import pytest

from streams.observe import StreamState
from supervisor.demo.book import FILE, Book, alone, load, new_run, resumable, save
from supervisor.errors import AlreadyRunning


def book(**changes: Any) -> Book:
    told: dict[str, Any] = {
        "run": "r1",
        "most": None,
        "source": "L3_IN",
        "published": 400,
        "before": {"accepted": 7},
        "added": 10,
        "ends": {"L9": {"L9": "0"}},
    }
    return Book(**(told | changes))


def source(added: int, name: str = "L3_IN") -> StreamState:
    return StreamState(name, 0, added, ())


def test_a_book_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    save(tmp_path / "data", book())
    assert load(tmp_path / "data") == book()
    assert [path.name for path in (tmp_path / "data").iterdir()] == [FILE]


def test_a_book_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    assert load(tmp_path) is None
    (tmp_path / FILE).write_text('{"run": ')
    assert load(tmp_path) is None


def test_being_killed_while_saving_leaves_the_old_book(tmp_path: Path) -> None:
    save(tmp_path, book())

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        save(tmp_path, book(published=600), replace=killed)
    assert load(tmp_path) == book()


def test_a_run_that_was_broken_off_is_gone_on_with() -> None:
    assert resumable(book(), source(410), None)
    assert resumable(book(), source(500), None), "others may publish too"


@pytest.mark.parametrize(
    ("begun", "now", "most"),
    [
        (None, source(410), None),
        (book(finished=True), source(410), None),
        (book(most=50), source(410), None),
        (book(), source(410, "OTHER"), None),
        (book(), source(409), None),
    ],
    ids=["none", "finished", "another size", "another stream", "another server"],
)
def test_a_run_that_cannot_be_gone_on_with_is_left(
    begun: Book | None, now: StreamState, most: int | None
) -> None:
    assert not resumable(begun, now, most)


def test_runs_have_names_of_their_own() -> None:
    assert new_run(0.0) != new_run(0.0)
    assert len(new_run()) == len("20261120-231500-ab12")


def test_there_is_one_demo_at_a_time(tmp_path: Path) -> None:
    refused = pytest.raises(AlreadyRunning, match="another 'penstock demo'")
    with alone(tmp_path), refused, alone(tmp_path):
        pass
    with alone(tmp_path):
        pass
