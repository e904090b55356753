"""The bars of detection: what is met, what is missed, and how sure that is."""

import math
from pathlib import Path

import numpy as np
import pytest

from bench.detection import bars, figures
from bench.detection.__main__ import main
from bench.detection.noise import error_of_auc, leave_one_out, mean_and_error


def test_every_bar_of_the_last_run_says_its_noise_and_what_others_reach() -> None:
    lines = list(bars.bars(figures.results()))
    assert len(lines) == 17
    assert all(line.noise and line.beside and line.value for line in lines)
    assert len(bars.table(lines).splitlines()) == 18


def test_a_bar_that_is_missed_is_said_and_ends_with_exit_code_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bars, "SHARE", (0.0099, 0.0101))
    assert main(["--only", "shares", "--out", str(tmp_path / "out.json")]) == 1
    assert "MISSED" in capsys.readouterr().out


@pytest.mark.parametrize(("figure", "of"), [("ours", "threshold"), ("watched", "whole watch")])
def test_a_figure_just_below_its_bar_misses_it(figure: str, of: str) -> None:
    row = dict.fromkeys(("ours", "fixed", "watched", "watched_together"), 0.01)
    for share, is_met in ((0.0079, False), (0.0081, True)):
        lines = list(bars.bars({"shares": {"rows": [row | {figure: share}]}}))
        (line,) = [each for each in lines if each.of.endswith(of)]
        assert line.is_met == is_met
        assert sum(each.is_met for each in lines) == 1 + is_met


def test_one_value_alone_has_no_standard_error() -> None:
    assert mean_and_error([3.0]) == {"mean": 3.0}
    assert mean_and_error([1.0, 2.0, 3.0])["standard_error"] == pytest.approx(
        1 / math.sqrt(3), 1e-3
    )


def test_files_that_are_alike_leave_no_doubt_about_their_choice() -> None:
    alike = {name: {"raw": 0.5, "windows": 1} for name in "abc"}
    assert leave_one_out(alike, 1.0, 1.0) == pytest.approx(0.0)
    unlike = alike | {"d": {"raw": -1.0, "windows": 1}}
    assert leave_one_out(unlike, 1.0, 1.0) == pytest.approx(18.75)


def test_the_error_of_an_area_is_that_of_drawing_rows_anew() -> None:
    rng = np.random.default_rng(3)
    odd = np.arange(600) < 200
    scores = rng.normal(size=600) + odd
    areas = []
    for _ in range(400):
        x = np.concatenate((rng.choice(scores[odd], 200), rng.choice(scores[~odd], 400)))
        areas.append(float((x[:200, None] > x[None, 200:]).mean()))
    assert error_of_auc(scores, odd) == pytest.approx(np.std(areas), rel=0.15)
