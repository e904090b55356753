"""How the drift benchmark counts, and what it says when it has nothing to count."""

from pathlib import Path

import numpy as np
import pytest

from bench.detection.drift import main, table
from bench.detection.drift_streams import Stream
from bench.detection.drift_tally import Tally


def test_without_the_benchmark_it_says_so_and_exits_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--benchmark", str(tmp_path)]) == 2
    assert "--benchmark" in capsys.readouterr().err


def test_alarms_count_as_detections_only_within_the_window() -> None:
    counted = Tally()
    quiet = Stream("a", "stationary-iid", np.zeros(20_000), [])
    drifting = Stream("b", "drift-mean", np.zeros(6000), [3000])
    counted.add(quiet, [7], 1000, 0.1)
    counted.add(drifting, [3000, 3001, 3999, 4001], 1000, 0.1)
    counted.add(drifting, [], 1000, 0.0)
    row = counted.row()
    assert row["false_alarms_per_10k"] == {"iid": 0.5}
    assert (row["changes"], row["detected"], row["median_delay"]) == (2, 0.5, 1)
    assert row["false_in_drifting"] == 2
    assert row["f1"] == pytest.approx(2 / (2 + 2 + 1))
    assert row["values_per_s"] == 160_000
    assert "50.0%" in table({"data": {"mine": row}})
