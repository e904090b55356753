"""What a worker does ten times a second beside its loop, in a thread of its own."""

import threading
from collections.abc import Callable
from typing import Protocol

import structlog

_EVERY_S = 0.1


class Beside(Protocol):
    """Something that runs beside the loop of a lane, in a thread of its own."""

    def start(self) -> None:
        """Begin."""
        ...

    def stop(self) -> None:
        """End, and wait until it has."""
        ...


class Pulse:
    """Calls ``turn`` every 0.1 s until told to stop, whatever a turn raises."""

    def __init__(self, name: str, turn: Callable[[], None]) -> None:
        self._name = name
        self._turn = turn
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=name, daemon=True)

    def start(self) -> None:
        """Take a turn, and go on in the thread."""
        self._turn()
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._ended.set()
        self._thread.join()

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def _beat(self) -> None:
        while not self._ended.wait(_EVERY_S):
            try:
                self._turn()
            except Exception as error:  # noqa: BLE001 - the edge: a heart that stops kills the worker
                # A handler that eats all memory makes any thread raise; the next beat may succeed.
                said = f"{type(error).__name__}: {error}"
                structlog.get_logger().error("pulse_failed", pulse=self._name, error=said)
