"""The demo: real data through the whole pipeline, and an honest account of what was found.

``data`` reads the readings, ``broken`` makes the messages that no boundary may let through,
``plan`` puts both in one order, ``book`` remembers how far a run came, ``course`` finds its way
through a topology, ``stage`` starts a pipeline where none runs, ``publish`` and ``settle`` do the
work, ``verdict`` judges it, ``report`` collects it and ``summary`` shows it.
"""
