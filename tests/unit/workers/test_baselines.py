"""The process that sketches: one request and messages in, one object out."""

import json
from base64 import b64encode
from typing import Any

import numpy as np
import pytest

from workers.baselines import answer


def ask(do: str, values: Any = (), **more: Any) -> dict[str, Any]:
    request = json.dumps({"do": do} | more).encode()
    return answer([request, *(json.dumps({"m": {"x": float(v)}}).encode() for v in values)])


def built(values: Any) -> dict[str, str]:
    return {name: each["sketch"] for name, each in ask("build", values)["fields"].items()}


def test_fields_are_sketched_where_they_have_numbers() -> None:
    lines = [b'{"do": "build"}', b'{"a": 1, "s": "x"}', b"no JSON", b"[1]", b'{"a": 2, "b": 3}']
    found = answer(lines)["fields"]
    assert {name: each["size"] for name, each in found.items()} == {"a": 2, "b": 1}
    only = answer([b'{"do": "build", "patterns": ["b"]}', *lines[1:]])["fields"]
    assert list(only) == ["b"]


def test_a_shape_has_quantiles_and_bins_that_hold_all() -> None:
    values = np.random.default_rng(1).normal(size=1000)
    told = ask("describe", sketches=built(values))["fields"]["m.x"]
    assert told["quantiles"]["0"] == values.min()
    assert told["quantiles"]["1"] == values.max()
    assert len(told["edges"]) == len(told["shares"]) + 1
    assert sum(told["shares"]) == pytest.approx(1.0)
    flat = ask("describe", sketches=built([3.0] * 50))["fields"]["m.x"]
    assert (flat["edges"], flat["shares"]) == ([3.0, 3.0], [1.0])


def test_what_has_no_values_now_is_left_out() -> None:
    sketches = built(range(100))
    told = ask("compare", range(100, 200), sketches=sketches)["fields"]["m.x"]
    assert told["changed"]
    assert told["size"] == "large"
    assert ask("compare", [], sketches=sketches) == {"fields": {}}
    constant = ask("compare", [2.0] * 50, sketches=built([1.0] * 50))["fields"]["m.x"]
    assert constant["spread"] is None
    json.dumps(constant, allow_nan=False)


@pytest.mark.parametrize("text", ["not Base64!", b64encode(b"no sketch").decode(), ""])
def test_a_stored_sketch_that_is_none_is_named(text: str) -> None:
    found = ask("describe", sketches={"x": text})
    assert "the stored baseline of x cannot be read" in found["error"]
