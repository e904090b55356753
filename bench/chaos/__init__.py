"""Chaos: every fault that can be made on one machine, and what became of each message.

``python -m bench.chaos`` (``make chaos``) runs it in full; ``tests/chaos`` runs a short cut of the
same code. What is random is drawn from a seed; when exactly a fault hits is up to the machine.
Verdicts compare what the server holds afterwards with what the publisher was told.
"""
