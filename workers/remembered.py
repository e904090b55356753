"""The producers' ids of a stream's key as the commit remembers them, for messages in memory."""

from collections import OrderedDict

from streams.entry import Settled


class Remembered:
    """Which entry each id was accepted under, for ``horizon_s`` seconds by the entries' times."""

    def __init__(self, horizon_s: float) -> None:
        self._horizon_ms = int(horizon_s * 1000)
        self._known: OrderedDict[str, tuple[str, int]] = OrderedDict()

    def is_duplicate(self, settled: Settled) -> bool:
        """Whether the id was accepted before under another entry; if not, it is noted.

        A rejection sets the id of its own entry free again, as the commit does.
        """
        told, entry = settled.remember, settled.entry
        if told is None:
            return False
        self._forget(entry.at_ms - self._horizon_ms)
        known = self._known.get(told)
        if settled.outcome == "accepted":
            if known is not None and known[0] != entry.id:
                return True
            self._known.pop(told, None)
            self._known[told] = (entry.id, entry.at_ms)
        elif known is not None and known[0] == entry.id:
            del self._known[told]
        return False

    def _forget(self, before_ms: int) -> None:
        while self._known and next(iter(self._known.values()))[1] < before_ms:
            self._known.popitem(last=False)
