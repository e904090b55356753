"""The names of keys. A lane's keys all carry its hash tag, so one commit touches one slot.

With one lane the names are bare: ``L3``. With more, lane 2 of stream ``L3`` is ``L3{2}``. Our own
bookkeeping lives under ``penstock:``.
"""

from dataclasses import dataclass

PRESENCE = "penstock:presence"
"""Hash of the worker processes that are alive: ``worker/consumer/lane`` to JSON."""


@dataclass(frozen=True, slots=True)
class Lane:
    """One of ``lanes`` partitions, counted from 0.

    >>> Lane(0, 1).stream("L3"), Lane(2, 8).stream("L3")
    ('L3', 'L3{2}')
    """

    index: int = 0
    lanes: int = 1

    @property
    def tag(self) -> str:
        """The hash tag of this lane's keys; empty where there is one lane only."""
        return f"{{{self.index}}}" if self.lanes > 1 else ""

    def stream(self, name: str) -> str:
        """The key of a stream on this lane."""
        return f"{name}{self.tag}"

    def lease(self, group: str, consumer: str) -> str:
        """The key whose life is a consumer's life; its value is the fencing token."""
        return f"penstock:lease:{group}:{consumer}{self.tag}"

    @property
    def epoch(self) -> str:
        """The counter from which fencing tokens are drawn."""
        return f"penstock:epoch{self.tag}"

    @property
    def counters(self) -> str:
        """Hash ``<group>:<stream>:<outcome>`` to the number of settled entries, ever."""
        return f"penstock:counters{self.tag}"

    def checkpoint(self, group: str) -> str:
        """The sealed state of a stateful worker."""
        return f"penstock:checkpoint:{group}{self.tag}"

    def positions(self, group: str) -> str:
        """Hash of a stateful worker: ``position:<stream>``, the last committed entry, and
        ``floor:<stream>``, the last entry that its checkpoint contains.
        """
        return f"penstock:positions:{group}{self.tag}"

    def baseline(self, stream: str) -> str:
        """The stream of the versions of a stream's baselines; lane 0 has those of all lanes."""
        return f"penstock:baseline:{stream}{self.tag}"

    def seen(self, stream_key: str, producer_id: str) -> str:
        """The entry that a producer's ``id`` became; it expires with ``delivery.remember_ids``."""
        return f"penstock:seen:{stream_key}:{producer_id}"


def bare(stream_key: str) -> str:
    """The stream's name without its lane tag.

    >>> bare("L3{2}"), bare("L3")
    ('L3', 'L3')
    """
    return stream_key.split("{", 1)[0]
