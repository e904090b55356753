"""Measurements: where the time goes, in ratios taken in one run."""
