"""Two detectors that know nothing: what any other has to be better than."""

from dataclasses import dataclass

from detectors.state import State
from detectors.values import Floats


@dataclass(frozen=True)
class Alarm:
    """A row that was flagged, for no reason."""

    row: int


class AlwaysFires:
    """Flags every row: it finds everything at once, and nobody listens."""

    def observe(self, names: tuple[str, ...], x: Floats, at_s: Floats | None = None) -> list[Alarm]:
        """Flag each row of ``x`` (float64 [rows, names])."""
        return [Alarm(row) for row in range(len(x))]

    def state(self) -> State:
        """Return nothing: it learns nothing."""
        return {}

    def restore(self, state: State) -> None:
        """Go on as ever."""


class NeverFires(AlwaysFires):
    """Flags nothing: it costs nothing, and nothing is found."""

    def observe(self, names: tuple[str, ...], x: Floats, at_s: Floats | None = None) -> list[Alarm]:
        """Flag nothing."""
        return []
