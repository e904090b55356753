"""What only the embedded store promises: clear errors, and whole writes after a kill."""

import sqlite3
import threading
from pathlib import Path

import pytest

from lineage import sqlite_store
from lineage.chain import ChainKey
from lineage.errors import StoreError
from lineage.sqlite_store import SqliteStore
from lineage.verify import verify
from tests.servers.lineage_kills import kill_writer
from tests.servers.lineage_records import commit, output

NEW_COLUMNS = ("roe_hash", "held", "removed")


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
    newer.execute("PRAGMA user_version = 5")
    newer.close()
    with pytest.raises(StoreError, match="has version 5, this release of Penstock reads version 4"):
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


def test_the_file_is_whole_after_each_kill_and_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    for kills in (1, 4):
        kill_writer(f"sqlite:{path}", kills, seed=kills)
        plain = sqlite3.connect(path)
        assert plain.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        plain.close()


@pytest.mark.timeout(300)
def test_forty_killed_writers_lose_and_double_nothing(tmp_path: Path) -> None:
    found = kill_writer(f"sqlite:{tmp_path / 'a.db'}", 40)
    assert (found.kills, found.lost, found.doubled, found.faults) == (40, 0, 0, 0)
    assert found.commits >= found.told > 40


def test_a_file_of_the_first_version_is_upgraded_and_says_what_is_unsealed(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    SqliteStore(path, {}).close()
    old = sqlite3.connect(path)
    for table in ("link", "hold", "supersedes", "batch", "span", "member"):
        old.execute(f"DROP TABLE {table}")
    for index in ("activity_record", "activity_touched", "entity_held", "entity_removed"):
        old.execute(f"DROP INDEX {index}")
    for table, column in (("activity", "touched"), *(("entity", c) for c in NEW_COLUMNS)):
        old.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
    columns = "id, worker, worker_kind, worker_version, host, run, at_ms, record"
    old.execute(f"INSERT INTO activity ({columns}) VALUES ('old', '', '', '', '', '', 1, 'L/1-0')")
    old.execute("PRAGMA user_version = 1")
    old.commit()
    old.close()
    with SqliteStore(path, {}) as store:
        store.write(_record())
        (fault,) = verify(store, ChainKey()).faults
        assert (fault.sort, fault.where) == ("added", "old")
