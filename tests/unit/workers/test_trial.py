"""The trial as a process: lines in, progress and a report out."""

import json
from typing import Any

import numpy as np
import pytest

from workers.trial import run, traffic_from


def lines(n: int = 1_500) -> list[bytes]:
    rng = np.random.default_rng(4)
    made = [
        b'%d\t"pump"\t{"m": {"x": %f}, "name": "p"}\n' % (1000 * at, rng.normal())
        for at in range(n)
    ]
    return made[::-1]


def said(**request: Any) -> list[dict[str, Any]]:
    first = json.dumps({"only": ["conformal", "robust_z"], "shifts": 4, **request}).encode()
    return list(run([first, *lines()], lambda: 0.0))


def test_progress_comes_before_each_candidate_and_the_report_last() -> None:
    *before, last = said()
    assert [each["progress"]["done"] for each in before] == list(range(len(before)))
    assert before[0]["progress"] == {"done": 0, "of": len(before), "name": "always fires"}
    report = last["report"]
    assert report["traffic"]["messages"] == 1_500
    assert report["traffic"]["fields"] == ["m.x"]
    names = [row["name"] for row in report["rows"]]
    assert names == ["always fires", "never fires", "robust_z", "robust_z limit 6", "conformal"]
    assert [each["family"] for each in report["advice"]] == ["anomaly", "drift"]


def test_the_report_is_json_and_repeats_to_the_byte() -> None:
    assert json.dumps(said()[-1]) == json.dumps(said()[-1])


def test_messages_come_newest_first_and_are_judged_oldest_first() -> None:
    traffic = traffic_from(iter([b'3000\tnull\t{"x": 3}', b'1000\t"k"\t{"y": 1}']), None)
    assert traffic.keys == ("k", None)
    assert traffic.at_s.tolist() == [1.0, 3.0]
    assert traffic.names == ("x", "y")
    np.testing.assert_array_equal(traffic.x, [[np.nan, 1.0], [3.0, np.nan]])


def test_what_is_no_object_has_no_fields() -> None:
    traffic = traffic_from(iter([b"1\tnull\t[1]", b"2\tnull\tno json"]), None)
    assert traffic.x.shape == (2, 0)


def test_a_request_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="colour"):
        next(run([b'{"colour": 1}'], lambda: 0.0))
