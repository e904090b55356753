"""How fast the pipeline is: every loop against a bare one and against its rivals, in one go.

``python -m bench.pipeline`` measures and prints a table; docs/performance.md says how and why.
"""
