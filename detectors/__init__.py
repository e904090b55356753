"""Pure mathematics over batches: anomalies, drift, thresholds, severities.

No Redis, no clock, no I/O. Every detector here keeps three promises: what it returns is a pure
function of the rows seen so far, any split of the rows into calls gives the same bits, and its
state goes out and comes back as plain arrays (:mod:`detectors.state`).
"""
