"""Holding a lane: by its lease, and within the share that is this process's part of all lanes."""

from streams.lease import Lease
from workers.share import Share


class Tenure:
    """Takes a lane for ``holder``, keeps it, and leaves it. ``share`` None: the lane is for any."""

    def __init__(self, lease: Lease, lane: int, holder: str, share: Share | None) -> None:
        self._lease = lease
        self._lane = lane
        self._holder = holder
        self._share = share
        self._doubtful = False

    def take(self) -> bool:
        """Keep the lane, or take it if it is free and our share has room; whether it is ours."""
        if not self._doubtful and self._lease.renew():
            return True
        if self._share is not None and not self._share.may_take(self._lane):
            return False
        taken = self._lease.acquire(self._holder)
        if taken:
            self._doubtful = False
        elif self._share is not None:
            self._share.give(self._lane)
        return taken

    def doubt(self) -> None:
        """Have the next ``take`` draw a new token, which fences off what we sent before.

        A command that we gave up may still be on its way to the server.
        """
        self._doubtful = True

    @property
    def surplus(self) -> bool:
        """Whether the lane belongs to the share of a process that has fewer."""
        return self._share is not None and self._share.surplus(self._lane)

    def leave(self) -> None:
        """Give the lane back, so that the next holder need not wait for the lease to run out."""
        self._lease.release()
        if self._share is not None:
            self._share.give(self._lane)
