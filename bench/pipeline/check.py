"""Whether a run is worse than the one that is kept. Only ratios count: seconds are a machine's."""

from collections.abc import Callable, Mapping, Sequence

from bench.pipeline.result import EXACT, HIGHER_IS_BETTER

SLACK = 0.2
"""So much worse a ratio may be, as a share of the one that is kept: what noise can do."""


def best(runs: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The best of every ratio: what disturbs one run passes, what has become slower stays.

    A difference between the trees is no disturbance, and stays.

    >>> best([{"gate_vs_bare": 0.4, EXACT: 0.0}, {"gate_vs_bare": 0.5, EXACT: 0.1}])
    {'gate_vs_bare': 0.5, 'hst_max_difference': 0.1}
    """
    found = {
        name: max(run[name] for run in runs if name in run)
        for name in HIGHER_IS_BETTER
        if any(name in run for run in runs)
    }
    differences = [run[EXACT] for run in runs if EXACT in run]
    wrong = [difference for difference in differences if difference != 0.0]
    return found | ({EXACT: (wrong or differences)[0]} if differences else {})


def worse(kept: Mapping[str, float], found: Mapping[str, float]) -> list[str]:
    """A sentence for every ratio that is worse than the kept one by more than the slack.

    >>> kept = dict.fromkeys(HIGHER_IS_BETTER, 2.0) | {EXACT: 0.0}
    >>> worse(kept, kept | {"gate_vs_bare": 1.5})
    ['gate_vs_bare is 1.5, which is 25 % below the 2 that is kept (20 % are allowed)']
    """
    said = [_of_ratio(name, kept.get(name), found.get(name)) for name in HIGHER_IS_BETTER]
    return [sentence for sentence in (*said, _of_exact(found.get(EXACT))) if sentence]


def worse_twice(
    kept: Mapping[str, float], found: Mapping[str, float], again: Callable[[], Mapping[str, float]]
) -> list[str]:
    """As ``worse``; what seems so is measured again, and only what is worse both times counts."""
    if not worse(kept, found):
        return []
    return worse(kept, best([found, again()]))


def _of_ratio(name: str, before: float | None, now: float | None) -> str:
    if before is None:
        return f"{name} is missing in the result that is kept; run 'make bench' and commit it"
    if now is None:
        return f"{name} was not measured"
    if now >= before * (1 - SLACK):
        return ""
    below = 1 - now / before
    return (
        f"{name} is {now:.3g}, which is {below * 100:.0f} % below the {before:.3g} that is kept "
        f"({SLACK * 100:.0f} % are allowed)"
    )


def _of_exact(now: float | None) -> str:
    if now == 0.0:
        return ""
    return f"{EXACT} is {now}, not 0.0: half-space trees differ from River's"
