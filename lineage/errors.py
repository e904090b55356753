"""Everything that can go wrong with the provenance graph, as one small tree of errors.

A message says what failed, which one, the likely cause and the next step; it never holds a
password.
"""


class LineageError(Exception):
    """Anything that went wrong with lineage; catch this one to catch all of them."""


class RecordError(LineageError):
    """An entry of the ``LINEAGE`` stream is no lineage record. Reading it again won't help."""


class StoreError(LineageError):
    """A store can't be opened, read or written. A write that raised it left nothing behind."""


class QueryError(LineageError):
    """A named query does not exist, or was called with the wrong parameters."""


class UnknownMessageError(LineageError):
    """No record mentions the message asked for."""
