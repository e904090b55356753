"""The verbs of the ``penstock`` command, one file a family; each has ``register(app)``."""
