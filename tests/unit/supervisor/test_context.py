"""Which cause is told where the stream server does not answer."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from streams.errors import NoServer, ServerAway
from supervisor.cli import app
from supervisor.context import Context
from supervisor.exits import Exit
from supervisor.lock import SupervisorLock
from tests.servers.pipeline import SMALL, topology_from


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("PENSTOCK_REDIS_URL", raising=False)
    monkeypatch.setenv("PENSTOCK_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


def test_a_silent_server_is_none_only_where_no_supervisor_runs(
    data_dir: Path, tmp_path: Path
) -> None:
    penstock = Context(tmp_path / "streams.yaml")
    with pytest.raises(NoServer, match="start one with 'penstock up'"):
        penstock.client()
    with SupervisorLock(data_dir), pytest.raises(ServerAway, match=r"does not answer.*valkey.log"):
        penstock.client()


@pytest.mark.parametrize("arguments", [("top", "--once"), ("doctor",)])
def test_a_verb_does_not_advise_to_start_what_runs(
    data_dir: Path, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    topology_from(SMALL, tmp_path)
    with SupervisorLock(data_dir):
        config = str(tmp_path / "streams.yaml")
        done = CliRunner().invoke(app, ["--config", config, *arguments])
    said = " ".join(done.output.split())
    assert "does not answer" in said
    assert "penstock up" not in said
    assert done.exit_code == (Exit.SERVER if arguments[0] == "top" else Exit.FAILED)
