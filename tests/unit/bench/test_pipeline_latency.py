"""Percentiles by nearest rank: always one of the values, never something between."""

from hypothesis import given
from hypothesis import strategies as st

from bench.pipeline.latency import percentile


@given(
    values=st.lists(st.floats(0.0, 1e6), min_size=1, max_size=300),
    share=st.sampled_from([0.5, 0.99, 0.999]),
)
def test_so_large_a_share_of_the_values_does_not_exceed_it(
    values: list[float], share: float
) -> None:
    found = percentile(sorted(values), share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-6
    assert sum(value < found for value in values) < share * len(values)


def test_the_highest_share_of_few_values_is_the_largest() -> None:
    assert percentile([0.1, 0.2, 9.0], 0.999) == 9.0
