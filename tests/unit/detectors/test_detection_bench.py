"""The measurements of detection: what they say when there is nothing to measure."""

import json
from pathlib import Path

import numpy as np
import pytest

from bench.detection.__main__ import main
from bench.detection.shares import STREAMS
from bench.detection.shuttle import roc_auc


def test_an_absent_benchmark_is_said_plainly(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--benchmark", str(tmp_path), "--out", str(tmp_path / "out.json")]) == 2
    said = capsys.readouterr().err
    assert f"{tmp_path / 'nab_score.py'} does not exist" in said
    assert "--benchmark DIR" in said
    assert not (tmp_path / "out.json").exists()


def test_the_shares_need_no_benchmark_and_are_kept(tmp_path: Path) -> None:
    out = tmp_path / "results" / "detection.json"
    assert main(["--benchmark", str(tmp_path), "--only", "shares", "--out", str(out)]) == 0
    written = json.loads(out.read_text())["shares"]
    assert written["kept"] == len(STREAMS) == 20


def test_the_area_under_the_curve_counts_ties_half() -> None:
    scores, odd = np.array([0.0, 1.0, 1.0, 2.0]), np.array([False, True, False, True])
    assert roc_auc(scores, odd) == 0.875
    assert roc_auc(-scores, odd) == 0.125
    assert roc_auc(np.zeros(4), odd) == 0.5
