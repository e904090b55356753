"""How fast the lineage stores write and trace, and what a kill leaves of them.

``python -m bench.lineage`` measures; ``python -m bench.lineage.report`` writes the page.
"""
