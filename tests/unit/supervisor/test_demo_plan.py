"""What the demo publishes: real data, broken messages, one order, exact ids."""

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.registry import resolve
from supervisor.demo.broken import Broken, broken_messages
from supervisor.demo.data import SHIFT, Reading, Shift, shuttle, waterflow
from supervisor.demo.plan import Place, id_of, interleaved, place_of

VALIDATOR = resolve("schemas:L3EventSchema").validator


def test_shuttle_has_its_readings_and_labels() -> None:
    readings = shuttle()
    assert len(readings) == 49_097
    assert sum(bool(reading.anomalous) for reading in readings) == 3_511
    assert list(readings[0].measurements) == [f"f{i}" for i in range(1, 10)]
    assert (readings[0].measurements["f1"], readings[0].anomalous) == (50.0, True)


def test_the_shift_raises_one_field_from_its_first_reading_on() -> None:
    flows = [reading.measurements["flow_l_s"] for reading in waterflow()]
    assert len(flows) == 1_268
    first = SHIFT.first(len(flows))
    assert first == 760
    assert flows[:2] == [100.59, 100.89]
    assert flows[first] / flows[first - 1] == pytest.approx(SHIFT.factor, rel=0.1)


def test_a_shift_begins_at_its_share_of_the_readings() -> None:
    assert Shift("a", "x", 0.6, 2.0).first(10) == 6


def test_every_payload_is_valid_and_carries_no_more_than_it_must() -> None:
    for reading in (*shuttle(3), *waterflow(3)):
        VALIDATOR.validate_json(reading.payload())
        assert set(json.loads(reading.payload())) == {
            "kind",
            "schema_version",
            "security",
            "sensor_id",
            "measurements",
        }


def test_reading_the_data_imports_no_detector_of_river() -> None:
    code = (
        "import sys; from supervisor.demo.data import shuttle, waterflow; shuttle(1); waterflow(1);"
        "print([m for m in sys.modules if m.startswith('river.') and m != 'river.__version__'])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=True)
    assert said.stdout.decode().strip() == "[]"


def test_broken_messages_are_broken_each_in_its_own_way() -> None:
    messages = broken_messages(entry_bytes=2_048, nesting=64)
    assert len(messages) == len({message.fault for message in messages}) == 12
    by_fault = {message.fault: message.data for message in messages}
    assert by_fault["no field 'data'"] is None
    assert len(by_fault["too large"] or b"") > 2_048
    limited = {"no field 'data'", "too large", "nested too deep"}  # the gate's own limits
    for fault, data in by_fault.items():
        if fault not in limited:
            with pytest.raises(ValidationError):
                VALIDATOR.validate_json(data or b"")


@given(st.sampled_from(["shuttle", "waterflow"]), st.integers(0, 10**6))
def test_an_id_leads_back_to_its_message_in_its_run_only(sensor: str, number: int) -> None:
    its_id = id_of("r1", Reading(sensor, number, {}))
    assert place_of("r1", its_id) == Place(sensor, number)
    assert place_of("r2", its_id) is None


@pytest.mark.parametrize("its_id", [None, "", "demo/r1/", "demo/r1/a/x", "demo/r1/7"])
def test_an_id_of_another_make_is_none_of_a_run(its_id: str | None) -> None:
    assert place_of("r1", its_id) is None


@given(st.integers(1, 60), st.integers(1, 20), st.integers(1, 5))
def test_every_series_keeps_its_order_and_loses_nothing(one: int, two: int, three: int) -> None:
    series = (
        [Reading("a", number, {}) for number in range(one)],
        [Reading("b", number, {}) for number in range(two)],
        [Broken(number, "no JSON", b"") for number in range(three)],
    )
    order = interleaved(*series)
    assert len(order) == one + two + three
    for items in series:
        assert [item for item in order if item in items] == items
