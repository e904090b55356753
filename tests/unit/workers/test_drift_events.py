"""What a drift worker tells: kinds of drift, since when, which fields, which incident."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.findings import Severity, Status
from streams.entry import Entry
from streams.keys import Lane
from tests.unit.workers.watchers import TOPOLOGY, drift, drifts, entry
from workers.drift import Drift
from workers.metrics import Metrics


def shifted(count: int, name: str, before: Any, after: Any) -> list[Entry]:
    rng = np.random.default_rng(5)
    draw = [before if n < count // 2 else after for n in range(count)]
    return [entry(n, **{name: each(rng)}) for n, each in enumerate(draw)]


@pytest.mark.parametrize(
    ("name", "kind", "before", "after"),
    [
        ("load", "data", lambda r: float(r.normal()), lambda r: float(r.normal() + 2)),
        ("confidence", "prediction", lambda r: float(r.beta(9, 2)), lambda r: float(r.beta(3, 2))),
        ("wrong", "concept", lambda r: int(r.random() < 0.1), lambda r: int(r.random() < 0.4)),
        ("code", "categorical", lambda r: int(r.integers(3)), lambda r: int(r.integers(6))),
        ("load", "presence", lambda r: 1.0, lambda r: None),
    ],
)
def test_a_drift_says_what_kind_it_is_how_large_and_since_when(
    name: str, kind: str, before: Any, after: Any
) -> None:
    [first, *_] = drifts(drift().handle(shifted(3000, name, before, after)))
    assert (first.field, first.drift) == (name, kind)
    assert first.size in ("small", "medium", "large", "very large")
    if first.detector == "categories":
        return
    assert first.e_value is not None
    assert first.began_ago is not None
    assert first.since is not None
    began = int(first.since.removeprefix("OK/").removesuffix("-0"))
    assert began == first.at_ms - first.began_ago + 1  # one message a millisecond
    assert abs(began - 2500) < 300


def test_the_message_since_when_is_one_of_the_same_key_that_has_the_field() -> None:
    plain = shifted(3000, "load", lambda r: float(r.normal()), lambda r: float(r.normal() + 3))
    mixed = [
        other
        for n, each in enumerate(plain)
        for other in (
            Entry("OK", f"{10 * n}-0", each.fields),
            entry(10 * n + 1 - 1000, "s2", load=1.0),
            entry(10 * n + 2 - 1000, note=1.0),
        )
    ]
    [event] = [each for each in drifts(drift().handle(mixed)) if each.field == "load"]
    assert event.began_ago is not None
    assert event.since == f"OK/{event.at_ms - 10 * (event.began_ago - 1)}-0"


def test_feature_importances_are_fields_like_any_other() -> None:
    rng = np.random.default_rng(5)

    def explained(number: int) -> Entry:
        shap = {"flow": rng.normal(0.6, 0.1), "pressure": rng.normal(0.1, 0.1)}
        if number >= 1500:  # the model goes by the other feature now; the prediction stays
            shap = {"flow": shap["pressure"], "pressure": shap["flow"]}
        shap = {name: float(value) for name, value in shap.items()}
        return entry(number, prediction=0.7, explanation={"base": 0.1, "shap": shap})

    found = drifts(drift().handle([explained(number) for number in range(3000)]))
    assert {each.field for each in found} == {"explanation.shap.flow", "explanation.shap.pressure"}
    assert all(2500 <= each.at_ms < 2600 for each in found)


def test_forgotten_keys_are_counted_and_become_a_metric() -> None:
    handler = drift()
    metrics = Metrics("drift", "drift", 0.0, handler=handler)
    for turn in range(2):
        settled = handler.handle([entry(turn, f"s{n}", x=1.0) for n in range(5)])
        metrics.batch(settled, 0.1, 1.0)
        labels = {"worker": "drift", "kind": "drift", "lane": "0", "stream": "OK"}
        value = metrics.registry.get_sample_value("penstock_keys_evicted_total", labels)
        assert value == handler.counts()["OK"]["keys_evicted"] == (2 if turn == 0 else 7)


def visits(count: int = 3000, moved: bool = True) -> list[Entry]:
    """Payloads with a category that changes its shares, a flag, and names and texts that vary."""
    rng = np.random.default_rng(5)
    return [
        entry(
            number,
            country=str(rng.choice(["de", "fr", "us"], p=[0.6, 0.3, 0.1][:: -1 if late else 1])),
            is_new=bool(rng.random() < 0.3),
            uid=f"visit {number}",
            note=" ".join(rng.choice(["good", "bad", "tea", "milk", "cup"], size=8)),
        )
        for number in range(count)
        for late in [moved and number >= count // 2]
    ]


VISITS = visits()


def test_a_category_whose_shares_change_is_named() -> None:
    worker = drift()
    [event] = drifts(worker.handle(VISITS))
    assert (event.field, event.drift, event.detector) == ("country", "categorical", "categories")
    assert event.severity is Severity.CRITICAL
    assert {each.category for each in event.categories} == {"de", "fr", "us"}
    lead = event.categories[0]
    assert lead.category in {"us", "de"}
    assert abs(lead.now - lead.before) > 0.15
    assert f"'{lead.category}' in " in event.explanation
    assert worker.counts()["OK"]["texts_left_out"] == 2  # uid, note


def test_categories_that_stay_as_they_are_are_not_told_of() -> None:
    assert drifts(drift().handle(visits(6000, moved=False))) == []


def test_a_text_that_vanishes_and_one_that_comes_up_are_told_of() -> None:
    entries = [
        entry(n, **({"host": f"h{n}"} if n < 900 else {"stage": "late"})) for n in range(1800)
    ]
    found = drifts(drift().handle(entries))
    assert {(each.field, each.drift.value) for each in found} == {
        ("host", "presence"),
        ("stage", "presence"),
    }


@settings(max_examples=5, deadline=None)
@given(sizes=st.lists(st.integers(1, 900), max_size=6))
def test_any_split_gives_the_same_events_about_categories(sizes: list[int]) -> None:
    whole, split, found, at = drift(), drift(), [], 0
    for size in [*sizes, len(VISITS)]:
        found += drifts(split.handle(VISITS[at : at + size])) if at < len(VISITS) else []
        at += size
        again = drift()
        again.restore(split.state())
        split = again
    assert found == drifts(whole.handle(VISITS))
    assert split.state() == whole.state()


def shifting(count: int = 4000) -> list[Entry]:
    """Two fields of one sensor that move together, twice; those of another never do."""
    rng = np.random.default_rng(8)
    return [
        entry(
            number,
            "s1" if number % 2 else "s2",
            a=float(rng.normal()) + moved,
            b=float(rng.normal()) - moved,
        )
        for number in range(count)
        for moved in [3.0 * (number % 2 and number >= 1000) - 6.0 * (number % 2 and number >= 3200)]
    ]


def test_fields_that_drift_together_are_one_incident_and_later_ones_another() -> None:
    worker = Drift(TOPOLOGY, quick(incident_quiet=500), "drift", Lane())
    found = drifts(worker.handle(shifting()))
    assert [sorted(each.field for each in pair) for pair in (found[:2], found[2:])] == 2 * [
        ["a", "b"]
    ]
    first, second, third, fourth = found
    assert first.incident == second.incident != third.incident == fourth.incident
    assert [each.count for each in found] == [1, 2, 1, 2]
    assert [each.status for each in found][::2] == [Status.OPEN, Status.OPEN]
    assert second.first == first.message
    assert second.worst == max(first.severity, second.severity, key=list(Severity).index)
    assert {each.key for each in found} == {"s1"}


def test_any_split_gives_the_same_drift_incidents() -> None:
    entries, found, whole = shifting(), [], drift()
    split = drift()
    for at in range(0, len(entries), 77):
        found += drifts(split.handle(entries[at : at + 77]))
        again = drift()
        again.restore(split.state())
        split = again
    assert found == drifts(whole.handle(entries))
    assert split.state() == whole.state()


def quick(**detectors: Any) -> Any:
    settings = TOPOLOGY.workers["drift"]
    changed = settings.detectors.model_copy(update=detectors)  # type: ignore[union-attr]
    return settings.model_copy(update={"detectors": changed})
