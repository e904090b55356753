"""What only the embedded store promises: clear errors, and whole writes after a kill."""

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from lineage import sqlite_store
from lineage.errors import StoreError
from lineage.sqlite_store import SqliteStore
from tests.servers.lineage_records import commit, output

ROOT = Path(__file__).parents[3]
WRITER = """
import sys
from lineage.store import open_store
from tests.servers.lineage_records import commit, output
with open_store(sys.argv[1]) as store:
    for at in range(int(sys.argv[2]), 10**9):
        outs = (output("L3", f"L3_IN/{at}-{n}", f"L3_IN/{at}-{n + 1}") for n in range(20))
        store.write([commit(at, *outs)])
        print(at, flush=True)
"""


def _record(at: int = 5) -> list[sqlite_store.StampedRecord]:
    return [commit(at, *(output("L3", f"L3_IN/{at}-{n}") for n in range(200)))]


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("Dear diary, " * 100)
    with pytest.raises(StoreError, match=r"notes\.txt': it is no SQLite database"):
        SqliteStore(path, {})
    assert path.read_text().startswith("Dear diary")


def test_another_programs_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE entity (id)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="is another program's database"):
        SqliteStore(path, {})
    assert path.read_bytes() == before


def test_a_newer_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "newer.db"
    SqliteStore(path, {}).close()
    newer = sqlite3.connect(path)
    newer.execute("PRAGMA user_version = 2")
    newer.close()
    with pytest.raises(StoreError, match="has version 2, this release of Penstock reads version 1"):
        SqliteStore(path, {})


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"no/lineage\.db': it can't be opened; does its folder"):
        SqliteStore(tmp_path / "no" / "lineage.db", {})


def test_a_read_only_file_can_be_read_and_says_why_it_is_not_written(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "a.db", {}) as store:
        store._connection.execute("PRAGMA query_only = ON")
        with pytest.raises(StoreError, match="it is read-only"):
            store.write(_record())
        assert store.counts()["entities"] == 0


def test_a_full_disk_is_named_and_nothing_is_kept(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "a.db", {}) as store:
        store.write(_record(4))
        before = store.counts()
        pages = store._pragma("page_count")
        store._connection.execute(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(StoreError, match="the disk is full"):
            store.write(_record(5))
        assert store.counts() == before


def test_a_writer_that_is_kept_waiting_too_long_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_store, "BUSY_TIMEOUT_S", 0.05)
    path = tmp_path / "a.db"
    with SqliteStore(path, {}) as store, SqliteStore(path, {}) as other:
        with other._transaction(), pytest.raises(StoreError, match="another process held it"):
            store.write(_record())
        store.write(_record())
        assert other.counts()["activities"] == 1


def test_a_damaged_query_is_told_in_sqlites_words(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "a.db", {}) as store:
        store._connection.execute("DROP TABLE derived")
        with pytest.raises(StoreError, match="no such table: derived"):
            store.counts()


def test_many_may_make_the_file_at_once(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    errors: list[BaseException] = []
    gate = threading.Barrier(6)

    def make() -> None:
        gate.wait()
        try:
            SqliteStore(path, {}).close()
        except BaseException as error:  # noqa: BLE001 - a thread's errors are the test's
            errors.append(error)

    threads = [threading.Thread(target=make) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_the_file_is_in_wal_mode(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    SqliteStore(path, {}).close()
    plain = sqlite3.connect(path)
    assert plain.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    plain.close()


def test_killed_writers_leave_whole_writes_only(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    start = 1
    for lines in (0, 3, 7, 12, 20):
        start = _write_until_killed(path, start, lines)
        plain = sqlite3.connect(path)
        assert plain.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        plain.close()
        with SqliteStore(path, {}) as store:
            counts = store.counts()
        commits = counts["activities"]
        assert commits >= start - 1
        assert counts["entities"] == commits * 41
        assert (counts["generated_by"], counts["derived_from"]) == (commits * 20, commits * 40)
        assert (counts["used"], counts["associated_with"]) == (commits * 21, commits)
        start = commits + 1


def _write_until_killed(path: Path, start: int, lines: int) -> int:
    """Kill -9 a writer in the midst of its work; gives the number after the last it finished."""
    command = [sys.executable, "-c", WRITER, f"sqlite:{path}", str(start)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as writer:
        assert writer.stdout is not None
        told = [int(writer.stdout.readline()) for _ in range(lines + 1)]
        writer.kill()
        told += [int(line) for line in writer.stdout.read().splitlines()]
    return told[-1] + 1
