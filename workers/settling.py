"""The commits of a loop, at most one of them on its way while the next batch is handled."""

import time
from collections.abc import Callable, Sequence

from streams.commit import Committing
from streams.entry import Settled
from streams.errors import LeaseLost
from workers.metrics import Metrics
from workers.recovery import Recovery
from workers.station import Station


class Settling:
    """Commits for one loop, and tells recovery and metrics once a commit is done.

    ``stateful``: every entry of a batch must have been ours to settle, or the state is not that
    of the server.
    """

    def __init__(
        self,
        station: Station,
        recovery: Recovery,
        metrics: Metrics,
        *,
        stateful: bool,
        now_s: Callable[[], float] = time.time,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._station = station
        self._recovery = recovery
        self._metrics = metrics
        self._stateful = stateful
        self._now_s = now_s
        self._monotonic_s = monotonic_s
        self._open: tuple[Committing, Sequence[Settled], bool, float | None] | None = None

    def commit(self, settled: Sequence[Settled], *, checkpoint: bool = False) -> None:
        """Settle a batch, and wait until it is; ``checkpoint`` saves the state with it.

        Raises what ``Committer.begin`` says, and LeaseLost where somebody else had settled an
        entry of a stateful worker.
        """
        self.begin(settled, checkpoint=checkpoint)
        self.finish()

    def begin(
        self,
        settled: Sequence[Settled],
        *,
        checkpoint: bool = False,
        started_s: float | None = None,
    ) -> None:
        """Start to settle a batch, once the one before is; ``started_s``: when it was begun.

        Raises as ``commit``, for the batch before.
        """
        self.finish()
        now_s = self._monotonic_s()
        sealed = self._recovery.sealed_if_due(settled, now_s, now=checkpoint)
        committing = self._station.committer.begin(
            settled,
            at_ms=int(self._now_s() * 1000),
            checkpoint=sealed,
            behind=self._recovery.positions,
        )
        self._open = (committing, settled, bool(sealed), started_s)

    def finish(self) -> None:
        """Wait until what was begun is settled. Raises as ``commit``."""
        if self._open is None:
            return
        (committing, settled, saved, started_s), self._open = self._open, None
        committed = committing.done()
        if self._stateful and committed.acknowledged < len(settled):
            raise LeaseLost("entries of the batch had been settled by somebody else")
        now_s = self._monotonic_s()
        self._recovery.committed(settled, saved, now_s)
        self._metrics.committed(committed, len(settled))
        if settled:
            took_s = None if started_s is None else now_s - started_s
            self._metrics.batch(settled, took_s, self._now_s())

    def drop(self) -> None:
        """Leave it open whether what was begun is settled."""
        if self._open is not None:
            self._open[0].drop()
        self._open = None
