"""What a kind of worker has to provide: from a batch to what became of each entry. No Redis."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from streams.entry import Entry, Settled


class TryLater(Exception):
    """What the handler writes to is away for now. The batch is kept; no attempt is counted."""


class Handler(Protocol):
    """Handles batches in memory.

    ``handle`` returns one ``Settled`` an entry, in their order, and never keeps a batch. An
    exception means that at least one entry of the batch cannot be handled; the loop finds out
    which. Any split of a stream into batches must give the same outputs.
    """

    def handle(self, batch: Sequence[Entry]) -> list[Settled]:
        """Decide what becomes of each entry."""
        ...


@runtime_checkable
class StatefulHandler(Handler, Protocol):
    """A handler whose outputs depend on what it saw before.

    ``fingerprint`` names its settings: a state made under others is not restored. ``restore``
    raises ValueError for bytes that are no state of this handler. After ``handle`` raised, the
    state is undefined until ``reset`` or ``restore``.
    """

    fingerprint: str

    def reset(self) -> None:
        """Forget everything."""
        ...

    def state(self) -> bytes:
        """The whole state, packed."""
        ...

    def restore(self, state: bytes) -> None:
        """Take over a packed state."""
        ...


@runtime_checkable
class Revisable(Protocol):
    """A stateful handler that is told of things beside its streams, such as a new baseline.

    It may change its state by them in ``revise`` alone. That is called when the state is about to
    be saved, in the step that commits all that came before, and at no other time: so no output
    that was emitted follows from a change that a crash can undo.
    """

    def revise(self) -> None:
        """Take over what was heard."""
        ...
