"""How a worker stands on a lane: its state, whether it is ready, whether it was told to stop."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from streams.presence import State


class Standing:
    """Shared by the loop (which writes it), the heartbeat and the health pages (which read it).

    ``stopping`` may be shared by several lanes of one process. ``on_served`` is called once, when
    the lane is first served.
    """

    def __init__(
        self,
        stopping: threading.Event | None = None,
        *,
        on_served: Callable[[], object] = lambda: None,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.stopping = stopping or threading.Event()
        self.state: State = "starting"
        self._on_served: Callable[[], object] | None = on_served
        self._monotonic_s = monotonic_s
        self._turned_at_s = monotonic_s()
        self._handling_since_s: float | None = None

    @property
    def handling_s(self) -> float:
        """Seconds that the handler has been busy with its batch; 0 while it is not."""
        since_s = self._handling_since_s
        return 0.0 if since_s is None else self._monotonic_s() - since_s

    @contextmanager
    def handling(self) -> Iterator[None]:
        """While the handler has a batch."""
        self._handling_since_s = self._monotonic_s()
        try:
            yield
        finally:
            self._handling_since_s = None
            self.turned()

    @property
    def ready(self) -> bool:
        """Whether the worker takes entries right now."""
        return self.state == "running"

    @property
    def served(self) -> bool:
        """Whether the lane is served, by this process or by another."""
        return self.state in ("running", "standby")

    @property
    def idle_s(self) -> float:
        """Seconds since the loop last came round; 0 while the handler works: it has a deadline."""
        handles = self._handling_since_s is not None
        return 0.0 if handles else self._monotonic_s() - self._turned_at_s

    def enter(self, state: State) -> None:
        """Change the state."""
        self.state = state
        self.turned()
        if self.served and self._on_served is not None:
            told, self._on_served = self._on_served, None
            told()

    def turned(self) -> None:
        """Note that the loop came round."""
        self._turned_at_s = self._monotonic_s()
