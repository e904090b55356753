"""How well the detectors find what there is to find, beside River and the naive ways."""
