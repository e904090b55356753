"""The loop that runs every worker: take up work, then read, handle, commit until told to stop.

What happens to a batch that raises is in ``poison.py``; how the state comes back after a crash is
in ``recovery.py``, how pending entries do in ``takeover.py``. All work on the same ``Station``.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from streams.entry import Entry, Settled
from streams.errors import GroupMissing, LeaseLost, ServerAway, ServerFull, StreamsError
from streams.outage import Backoff, Outage
from streams.trim import trim
from workers.handler import Handler, StatefulHandler, TryLater
from workers.intake import Intake
from workers.metrics import Metrics
from workers.poison import dead_letter, described, parted
from workers.portions import portions
from workers.recovery import Recovery
from workers.settling import Settling
from workers.standing import Standing
from workers.station import Station
from workers.takeover import Takeover
from workers.tenure import Tenure

_BACK_WITHIN_S = 10.0  # after an outage: the longest wait for its end, and a heartbeat


class Loop:
    """Runs one handler at one station until ``standing.stopping`` is set.

    Guarantees: an entry is acknowledged only together with its outputs; a batch that raises loses
    none of its neighbours; after any doubt about a commit, state and pending entries are read
    again from the server before work goes on.
    """

    def __init__(
        self,
        station: Station,
        handler: Handler,
        standing: Standing,
        metrics: Metrics,
        log: Any,
        *,
        now_s: Callable[[], float] = time.time,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._station = station
        self._handler = handler
        self._standing = standing
        self._metrics = metrics
        self._log = log
        self._monotonic_s = monotonic_s
        self._stopping: threading.Event = standing.stopping
        most_s = min(5.0, station.lease.ttl_s / 2)  # so all are back within a lease's time
        self._outage = Outage(log, most_s=most_s)
        self._anew = Backoff(most_s=most_s)
        self._intake = Intake(station, self._stopping)
        self._recovery = Recovery(station, handler, log, standing.handling, metrics.checkpoint)
        self._settling = Settling(
            station, self._recovery, metrics, stateful=isinstance(handler, StatefulHandler),
            now_s=now_s, monotonic_s=monotonic_s,
        )  # fmt: skip
        self._tenure = Tenure(station.lease, station.lane.index, station.holder, station.share)
        self._takeover = Takeover(
            station, self._settling, self._intake, self._stopping,
            settle=self._settle, bury=self._bury, monotonic_s=monotonic_s,
        )  # fmt: skip
        self._trim_at = 0.0

    def run(self) -> None:
        """Work until told to stop; then checkpoint and give the lease back."""
        while not self._stopping.is_set():
            try:
                if self._take_up():
                    while self._intake.has_more or not self._leaving:
                        self._turn()
                    if not self._stopping.is_set():
                        self._give_back()
            except ServerAway as error:
                self._doubt()
                self._wait(error)
            except (LeaseLost, GroupMissing) as error:
                self._doubt()
                self._begin_anew(error)
            except StreamsError:  # what waiting does not mend ends the process
                self._withdraw()
                raise
        self._lay_down()

    def _withdraw(self) -> None:
        """Leave without a last word of the state: nobody died of what is pending."""
        self._settling.drop()
        with suppress(StreamsError):  # the error that ends the process tells more
            self._station.reader.give_back(but=self._intake.retries)
        with suppress(StreamsError):
            self._tenure.leave()
        self._intake.drop()

    @property
    def _leaving(self) -> bool:
        return self._stopping.is_set() or self._tenure.surplus

    def _doubt(self) -> None:
        """What is on its way may have been done or not; it is read again from the server."""
        self._settling.drop()
        self._intake.drop()
        self._recovery.in_doubt()
        self._tenure.doubt()

    def _begin_anew(self, error: Exception) -> None:
        """Pause before work is taken up anew; longer each time, until a turn succeeds."""
        event = "lease_lost" if isinstance(error, LeaseLost) else "group_missing"
        self._log.warning(event, error=str(error))
        self._standing.enter("waiting")
        self._stopping.wait(self._anew.next_s())

    def _wait(self, error: Exception) -> None:
        self._standing.enter("waiting")
        if isinstance(error, ServerFull):
            with suppress(ServerAway, GroupMissing):  # the wait that follows has told of it
                self._trim()  # nothing else makes room while commits are refused
        self._stopping.wait(self._outage.failed(error))

    def _take_up(self) -> bool:
        """Hold the lease, have the groups, bring back state and what was left pending."""
        station = self._station
        if not self._tenure.take():
            elsewhere = station.lease.taken()
            if elsewhere:
                self._takeover.inherit()  # what another leaves pending, it may have died of
            self._outage.over()
            self._standing.enter("standby" if elsewhere else "waiting")
            self._stopping.wait(min(0.5, station.lease.ttl_s / 10))
            return False
        self._standing.enter("replaying")
        missing = station.reader.ensure_groups(station.committer.positions())
        if missing:
            self._log.info("groups_created", streams=missing)
        self._recovery.restore_state()
        self._intake.drop()  # it is pending, and so comes first
        back_within_s = min(station.lease.ttl_s, _BACK_WITHIN_S)
        self._takeover.at_start(back_within_s if self._outage.lasting else None)
        self._outage.over()
        self._standing.enter("running")
        return True

    def _give_back(self) -> None:
        """Leave the lane to a process that has fewer; it goes on from our checkpoint."""
        self._hand_over()
        self._takeover.inherit()
        self._standing.enter("standby")
        self._log.info("lane_given_back")

    def _turn(self) -> None:
        with self._station.floor.shared() as hurried:
            now_s, ahead = self._monotonic_s(), not self._leaving
            batch = self._intake.next(now_s, ahead=ahead, wait=not hurried)
            if batch:
                self._settle(batch)
        if not self._intake.has_more:
            self._settling.finish()
        self._keep_house()
        self._anew.reset()
        self._standing.turned()

    def _settle(self, batch: Sequence[Entry]) -> None:
        """Handle and commit a batch; where it raises, narrow down to the guilty entry."""
        todo = deque(portions(batch, self._station.settings.max_batch))
        while todo:
            part = todo.popleft()
            started_s = self._monotonic_s()
            try:
                settled = self._handle(part)
            except TryLater as error:
                self._settling.finish()
                self._try_later(error)
                todo.appendleft(part)
                if self._stopping.is_set():
                    return
                continue
            except Exception as error:  # noqa: BLE001 - the edge: whatever a handler raises is settled
                self._settling.finish()
                todo.extendleft(reversed(self._after_failure(part, error)))
                continue
            self._settling.begin(settled, started_s=started_s)
            if self._outage.lasting:
                self._settling.finish()  # it is over once something is settled, not before
            self._outage.over()
            self._standing.enter("running")

    def _try_later(self, error: TryLater) -> None:
        """Wait while other lanes work; if this process is killed meanwhile, nobody died of it."""
        if not self._outage.lasting:
            self._station.reader.give_back(but=self._intake.retries)
        with self._station.floor.left():
            self._wait(error)

    def _handle(self, part: Sequence[Entry]) -> list[Settled]:
        mine = self._station.mine(part)
        with self._standing.handling():
            handled = iter(self._handler.handle(mine) if mine else ())
        if len(mine) == len(part):
            return list(handled)
        kept = {entry.uid for entry in mine}  # in the batch's order: positions only go forward
        return [next(handled) if entry.uid in kept else Settled(entry) for entry in part]

    def _after_failure(self, part: Sequence[Entry], error: Exception) -> list[Sequence[Entry]]:
        """What to try instead of a part that raised."""
        in_hand = self._station.hand.entry_id
        self._recovery.restore_state()
        if len(part) > 1:
            return parted(part, in_hand, ordered=self._station.exclusive)
        entry = part[0]
        self._log.warning(
            "entry_failed", message=entry.uid, attempts=entry.attempts, error=type(error).__name__
        )
        self._metrics.failed(entry)
        if entry.attempts >= self._station.settings.max_attempts:
            self._bury(entry, described(error))
        elif self._station.exclusive:  # order matters to it, so it tries again at once
            again = self._station.reader.claim_one(entry.stream, entry.id)
            return [[again]] if again else []
        else:
            self._intake.retry(entry, self._monotonic_s())
        return []

    def _bury(self, entry: Entry, error: str) -> None:
        letter = dead_letter(entry, self._station, error)
        self._settling.commit([letter], checkpoint=True)
        self._log.error("dead_letter", message=entry.uid, attempts=entry.attempts)

    def _keep_house(self) -> None:
        """Between batches: take over from the dead, and trim what everybody has settled."""
        station, now = self._station, self._monotonic_s()
        self._takeover.keep()
        if now >= self._trim_at:
            self._trim_at = now + station.topology.delivery.trim_every
            self._trim()
        if self._recovery.dirty and self._recovery.due(now):
            self._settling.finish()  # it may carry the checkpoint that is due
        if self._recovery.dirty and self._recovery.due(now):
            # what came last is saved too when nothing follows
            self._settling.commit([], checkpoint=True)

    def _trim(self) -> None:
        station = self._station
        for plan in station.trims:
            removed = trim(station.client, station.lane, plan)
            self._metrics.trimmed(plan.stream, removed)

    def _lay_down(self) -> None:
        self._standing.enter("draining")
        try:
            self._hand_over()
        except (ServerAway, LeaseLost, GroupMissing) as error:
            self._log.warning("ended_without_checkpoint", error=str(error))

    def _hand_over(self) -> None:
        """Save the state, and give the lease back; nothing where the lane is another's."""
        if self._station.lease.token is None:
            return
        self._settling.finish()
        retries = self._intake.retries
        self._intake.drop()
        self._station.reader.give_back(but=retries)
        if isinstance(self._handler, StatefulHandler) and self._recovery.has_state:
            self._settling.commit([], checkpoint=True)
        self._tenure.leave()
