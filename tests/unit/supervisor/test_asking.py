"""What cannot be undone is done when somebody agrees, and never because nobody could be asked."""

from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from supervisor import asking
from supervisor.cli import app
from supervisor.exits import Exit
from tests.servers.pipeline import SMALL, topology_from

UNDOES = {
    "quarantine drop --all": "quarantine drop --all",
    "quarantine drop": "quarantine drop BAD/1-0",
    "dead drop --all": "dead drop --all --json",
    "replay --publish": "replay --worker gate --publish",
    "lineage retain": "lineage retain --age 30d",
}


@pytest.mark.parametrize("stdin", ["", "\n", "y\n"])
@pytest.mark.parametrize("verb", UNDOES)
def test_without_a_terminal_only_yes_has_it_done(
    verb: str, stdin: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused before a server or a graph is asked for: there is neither here."""
    monkeypatch.setenv("PENSTOCK_REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("PENSTOCK_DATA_DIR", str(tmp_path / "data"))
    topology_from(SMALL, tmp_path)
    words = ["--config", str(tmp_path / "streams.yaml"), *UNDOES[verb].split()]
    found = CliRunner().invoke(app, words, input=stdin)
    assert found.exit_code == Exit.USAGE
    assert "--yes" in found.stderr
    assert found.stdout == ""
    assert not (tmp_path / "data").exists()


class _Terminal:
    """A standard input that somebody sits at."""

    class stdin:  # noqa: N801 - as in sys
        @staticmethod
        def isatty() -> bool:
            return True


def test_on_a_terminal_the_answer_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def confirm(question: str, **_: Any) -> None:
        asked.append(question)
        raise typer.Abort

    monkeypatch.setattr(asking, "sys", _Terminal)
    monkeypatch.setattr(typer, "confirm", confirm)
    with pytest.raises(typer.Abort):
        asking.ask("Drop 3?", False)
    asking.ask("Drop 4?", True)
    assert asked == ["Drop 3?"]
