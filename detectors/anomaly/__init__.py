"""Anomaly detectors: how unlike its past is each row? One file for each."""
