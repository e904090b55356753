"""In what each parameter of a detector is told."""

_UNITS = {
    "n_trees": "trees",
    "height": "splits",
    "window": "rows",
    "stride": "rows",
    "min_values": "values",
    "warm_up": "rows",
    "steps": "steps",
    "seed": "–",
    "scale": "–",
    "limit": "standard deviations",
    "fence": "interquartile ranges",
    "limits": "the field's own",
    "cooldown": "values",
    "history": "values",
    "tail_window": "distances",
    "season_s": "seconds",
    "season_bins": "parts",
    "step_s": "seconds",
    "alpha": "probability",
    "beta": "share",
    "gamma": "weight",
    "season": "values",
    "n_std": "standard deviations",
    "kept": "share",
    "ridge": "squared standard deviations",
    "n_bins": "bins",
    "n_random_cuts": "projections",
    "nu": "share",
    "learning_rate": "step",
    "n_neighbors": "rows",
    "hidden": "units",
    "run_length": "values",
    "n_start": "values",
    "n_ref": "values",
    "n_cur": "values",
    "whiten": "–",
    "direction": "–",
    "delta": "probability",
    "clock": "values",
    "max_buckets": "buckets",
    "min_window_length": "values",
    "grace_period": "values",
    "standardize": "–",
    "rearm": "values",
    "bins": "bins",
    "max_categories": "categories",
    "max_drop": "share",
    "latest": "values",
    "threshold": "standard deviations, summed up",
    "forget": "factor",
    "deviations": "standard deviations",
    "decay": "weight",
}
_OF = {
    ("novelty", "limit"): "-log10 p",
    ("novelty", "warm_up"): "distances",
    ("gaussian_scorer", "limit"): "-log10 p",
    ("gaussian_scorer", "warm_up"): "values",
    ("gaussian_scorer", "window"): "values",
    ("standard_absolute_deviation", "warm_up"): "values",
    ("predictive_anomaly_detection", "warm_up"): "values",
    ("predictive_anomaly_detection", "alpha"): "weight",
    ("predictive_anomaly_detection", "beta"): "weight",
    ("page_hinkley", "delta"): "standard deviations",
    ("psi", "fixed_threshold"): "index",
    ("jensen_shannon", "fixed_threshold"): "bits",
    ("drift_score", "fixed_threshold"): "share",
}
_IN_VALUES = ("window", "stride")


def unit(kind: str, parameter: str, *, of_drift: bool) -> str:
    """Return the unit of a detector's parameter; ``–`` for one that has none.

    Raises KeyError for a parameter that is not known here.

    >>> unit("ks", "stride", of_drift=True), unit("iqr", "stride", of_drift=False)
    ('values', 'rows')
    """
    if (kind, parameter) in _OF:
        return _OF[kind, parameter]
    return "values" if of_drift and parameter in _IN_VALUES else _UNITS[parameter]
