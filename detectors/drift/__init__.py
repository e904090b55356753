"""Drift detectors: does a field still have the distribution it had? One file for each."""
