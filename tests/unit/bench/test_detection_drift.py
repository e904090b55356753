"""How the drift benchmark counts, and what it says when it has nothing to count."""

from pathlib import Path

import numpy as np
import pytest

from bench.detection.drift import main, table
from bench.detection.drift_streams import Stream
from bench.detection.drift_tally import Tally, tally


def test_without_the_benchmark_it_says_so_and_exits_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--benchmark", str(tmp_path)]) == 2
    assert "--benchmark" in capsys.readouterr().err


def test_alarms_count_as_detections_only_within_the_window() -> None:
    counted = Tally()
    quiet = Stream("a #0", "stationary-iid", np.zeros(20_000), [])
    drifting = Stream("b #0", "drift-mean", np.zeros(6000), [3000])
    counted.add(quiet, [7], 1000, 0.1)
    counted.add(drifting, [3000, 3001, 3999, 4001], 1000, 0.1)
    counted.add(drifting, [], 1000, 0.0)
    row = counted.row()
    assert row["false_alarms_per_10k"] == {"iid": 0.5}
    assert (row["changes"], row["detected"], row["median_delay"]) == (2, 0.5, 1)
    assert row["false_in_drifting"] == 2
    assert row["f1"] == pytest.approx(2 / (2 + 2 + 1))
    assert row["values_per_s"] == 160_000


def test_figures_are_means_over_seeds_with_their_standard_errors() -> None:
    streams = [
        Stream("quiet #0", "stationary-iid", np.zeros(10_000), []),
        Stream("quiet #1", "stationary-iid", np.ones(10_000), []),
        Stream("drifting #0", "drift-mean", np.zeros(6000), [3000]),
        Stream("drifting #1", "drift-mean", np.ones(6000), [3000]),
    ]
    row = tally(lambda stream: [3100] if stream.values[0] else [], streams, lambda group: 1000)
    assert row["seeds"] == 2
    assert row["detected"] == {"mean": 0.5, "standard_error": 0.5}
    assert row["median_delay"] == {"mean": 100.0}
    found = row["false_alarms_per_10k"]["iid"]
    assert found == {"mean": 0.5, "standard_error": 0.5, "alarms": 1, "values": 20_000}
    assert "0.500 ± 0.500" in table({"data": {"mine": row}})


def test_streams_that_depend_on_their_past_count_together_as_well() -> None:
    counted = Tally()
    counted.add(Stream("a #0", "stationary-AR", np.zeros(10_000), []), [5], 1000, 0.1)
    counted.add(Stream("b #0", "stationary-seasonal", np.zeros(10_000), []), [5, 6, 7], 1000, 0.1)
    per_10k = counted.row()["false_alarms_per_10k"]
    assert per_10k == {"AR": 1.0, "seasonal": 3.0, "dependent": 2.0}
