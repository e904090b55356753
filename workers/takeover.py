"""Entries that were delivered and never settled: those of the dead, and our own, taken up again."""

import threading
import time
from collections.abc import Callable, Collection, Sequence

from streams.entry import Entry
from streams.reader import Claim
from workers.intake import Intake
from workers.settling import Settling
from workers.station import Station

_CLAIMED_BY_ONE = 64  # pending entries looked at to claim one of them
_CLAIM_EVERY_S = 0.5  # a supervisor ends the leases of the dead at once
_SUSPECTS_AFTER_S = 0.2  # what is new comes first


class Takeover:
    """Finds what is pending for one loop, which settles it: ``settle`` a batch, ``bury`` an entry.

    What is pending for us was ours all along, unless the lane is owned alone: then its owners, who
    have one name, may have died of it. Such entries come one by one, and are counted as delivered
    once more; but by one process once, however often it begins anew. Not so what a process before
    this one had read beside the entry over which it ended, and had not tried.
    """

    def __init__(
        self,
        station: Station,
        settling: Settling,
        intake: Intake,
        stopping: threading.Event,
        *,
        settle: Callable[[Sequence[Entry]], None],
        bury: Callable[[Entry, str], None],
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._station = station
        self._settling = settling
        self._intake = intake
        self._stopping = stopping
        self._settle = settle
        self._bury = bury
        self._monotonic_s = monotonic_s
        self._claim_at_s = self._strays_at_s = 0.0
        self._inherits = station.exclusive
        self._counted: dict[str, str] = {}

    def inherit(self) -> None:
        """Note that another process may have owned the lane meanwhile."""
        self._inherits = self._station.exclusive
        self._counted.clear()

    def at_start(self, after_outage_s: float | None) -> None:
        """Settle all that was left, before anything new; but for what may end this process.

        After an outage the leases of the living may have run out too: nobody counts as dead for
        ``after_outage_s``.
        """
        if self._station.exclusive:
            self._left_by_the_many()
        self._own()
        now_s = self._monotonic_s()
        if after_outage_s is not None:
            self._claim_at_s = now_s + after_outage_s
        elif not self._station.exclusive:
            self._of_the_dead(but=self._station.suspects, untried=self._station.explained)
            self._claim_at_s = self._monotonic_s() + _SUSPECTS_AFTER_S
        self._strays_at_s = now_s + self._station.lease.ttl_s
        self._inherits = False

    def keep(self) -> None:
        """Between batches: see who has died, and what came without our knowing."""
        if self._station.exclusive:
            return  # every owner has the same name, and reads by its lease
        now_s = self._monotonic_s()
        if now_s >= self._claim_at_s:
            self._of_the_dead()
            self._claim_at_s = now_s + min(self._station.lease.ttl_s / 2, _CLAIM_EVERY_S)
        if now_s >= self._strays_at_s:
            self._strays_at_s = now_s + self._station.lease.ttl_s
            self._strays()

    def _own(self, but: Collection[str] = ()) -> None:
        for key in self._station.reader.keys:
            self._pending_of(self._station.lease.consumer, key, but=but)

    def _of_the_dead(self, but: Collection[str] = (), untried: Collection[str] = ()) -> None:
        """``untried``: the consumers that had tried nothing of theirs but what ``but`` names."""
        reader = self._station.reader
        for key in reader.keys:
            for consumer in reader.others(key):
                self._pending_of(consumer, key, but=but, tried=consumer not in untried)

    def _left_by_the_many(self) -> None:
        """What was pending when a worker that had consumers of many names became one that owns
        its lane alone; behind its state, since that only goes forward.
        """
        reader, positions = self._station.reader, self._station.committer.positions()
        for key in reader.keys:
            after = positions.get(key)
            for consumer in reader.others(key):
                self._pending_of(consumer, key, f"({after}" if after else "-")

    def _strays(self) -> None:
        """Settle what a read brought us that we had given up: the server may have done it since."""
        with self._station.floor.shared():
            while self._intake.has_more:
                self._settle(self._intake.next(self._monotonic_s(), ahead=False))
        self._settling.finish()
        retries = self._intake.retries
        if self._station.reader.has_pending(but=retries):
            self._own(but=retries)

    def _pending_of(
        self,
        consumer: str,
        key: str,
        start: str = "-",
        but: Collection[str] = (),
        *,
        tried: bool = True,
    ) -> None:
        """Take over and settle what a consumer left pending on a stream, oldest first.

        What a dead worker had comes one by one: if one of them is what kills workers, its
        neighbours are settled beside it, and do not gain attempts with it.
        """
        while not self._stopping.is_set():
            seen, start = self._page(consumer, key, start, but, tried=tried)
            if not seen:
                return

    def _page(
        self, consumer: str, key: str, start: str, but: Collection[str], *, tried: bool
    ) -> tuple[int, str]:
        """One step of the same: how many were seen, and where the next step starts."""
        ours = consumer == self._station.lease.consumer
        counted = self._counted.get(key, "") if ours else ""
        with self._station.floor.alone():
            self._settling.finish()
            claim = self._claim(ours=ours, counted=counted, start=start, but=but, tried=tried)
            seen, entries = self._station.reader.claim(consumer, key, claim)
            if ours and claim.counted and entries:
                self._counted[key] = entries[-1].id
            spent = [entry for entry in entries if self._is_spent(entry)]
            for entry in spent:
                entry.attempts -= 1  # this delivery is for its burial
                self._bury(entry, f"its worker ended {entry.attempts} times while handling it")
            self._settle([entry for entry in entries if entry not in spent])
            self._settling.finish()
        if ours:
            self._counted.pop(key, None)
        if counted:
            return 1, start
        return seen, f"({entries[-1].id}" if ours and entries else start

    def _claim(
        self, *, ours: bool, counted: str, start: str, but: Collection[str], tried: bool
    ) -> Claim:
        """What to take next: ``counted`` is the id of an entry of ours that was taken before."""
        settings, ordered = self._station.settings, ours or self._station.exclusive
        if counted:
            return Claim(count=1, start=counted, end=counted, counted=False)
        if ours and not self._inherits:
            return Claim(
                count=settings.max_batch, alone_beyond=settings.max_attempts, start=start,
                counted=False, ordered=ordered, but=but,
            )  # fmt: skip
        few = min(settings.max_batch, _CLAIMED_BY_ONE)
        return Claim(count=few, start=start, counted=tried, ordered=ordered, but=but)

    def _is_spent(self, entry: Entry) -> bool:
        """Whether an entry had its attempts; who only shared a batch with another has one more."""
        most = self._station.settings.max_attempts
        return entry.attempts > (most if entry.id in self._station.guilty else max(most, 2))
